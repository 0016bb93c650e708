from __future__ import annotations

from typing import Any

import pytest

from leadgate.sandbox.bitrix24 import Sandbox
from tests.sandbox.bitrix24.driver import ManualClock, PortalClient


async def test_an_added_lead_comes_back_whole(portal: PortalClient) -> None:
    """Ids are numbers, the stage and its group are there, the phone is an entry with an id."""
    fields = {
        "title": "Запись",
        "name": "Лейла",
        "sourceId": "WEB",
        "utmSource": "yandex",
        "originatorId": "leadgate",
        "originId": "conn_1:evt_1",
        "fm": [{"typeId": "PHONE", "valueType": "MOBILE", "value": "+79000000001"}],
    }
    item = (await portal.result("crm.item.add", entityTypeId=1, fields=fields))["item"]

    assert isinstance(item["id"], int)
    assert {key: item[key] for key in fields if key != "fm"} == {key: fields[key] for key in fields if key != "fm"}
    assert (item["stageId"], item["stageSemanticId"], item["hasPhone"], item["hasEmail"]) == (
        "NEW",
        "P",
        "Y",
        "N",
    )
    assert item["fm"][0] | {"id": 0} == {
        "id": 0,
        "typeId": "PHONE",
        "valueType": "MOBILE",
        "value": "+79000000001",
    }
    assert item["createdTime"] == "2026-11-22T13:00:00+03:00"
    assert (await portal.result("crm.item.get", entityTypeId=1, id=item["id"]))["item"] == item


async def test_the_same_origin_twice_makes_two_leads(portal: PortalClient) -> None:
    """Uniqueness is not enforced by the portal, so a client that relies on it must fail here."""
    first = await portal.add_lead(originId="evt_1")
    assert await portal.add_lead(originId="evt_1") != first


async def test_read_only_and_unknown_fields_are_passed_over(portal: PortalClient) -> None:
    """The portal says nothing about a typo in a field's name."""
    given = {"name": "Лейла", "nmae": "x", "hasPhone": "Y", "isReturnCustomer": "Y"}
    item = (await portal.result("crm.item.add", entityTypeId=1, fields=given))["item"]
    assert (item["hasPhone"], item["isReturnCustomer"], "nmae" in item) == ("N", "N", False)


async def test_a_contact_makes_the_lead_a_returning_customer(portal: PortalClient) -> None:
    """The flag cannot be written; it follows from the link."""
    contact = await portal.add_contact("+79000000001", name="Лейла")
    item = (await portal.result("crm.item.add", entityTypeId=1, fields={"contactId": contact}))["item"]
    assert (item["isReturnCustomer"], item["contactId"], item["contactIds"]) == ("Y", contact, [contact])


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("crm.item.add", {"entityTypeId": 1}, "100"),
        ("crm.item.add", {"entityTypeId": 9, "fields": {}}, "NOT_FOUND"),
        (
            "crm.item.add",
            {"entityTypeId": 1, "fields": {"stageId": "NOPE"}},
            "CRM_FIELD_ERROR_VALUE_NOT_VALID",
        ),
        ("crm.item.add", {"entityTypeId": 1, "fields": {"fm": "+79000000001"}}, "100"),
        ("crm.item.add", {"entityTypeId": 1, "fields": {"contactIds": 5}}, "100"),
        ("crm.item.get", {"entityTypeId": 1, "id": 5}, "NOT_FOUND"),
        ("crm.item.get", {"entityTypeId": 1}, "100"),
        ("crm.item.list", {"entityTypeId": 1, "filter": {"orignId": "x"}}, "INVALID_ARG_VALUE"),
        (
            "crm.item.list",
            {"entityTypeId": 1, "filter": {"0": {"logic": "OR", "0": {"x": 1}}}},
            "INVALID_ARG_VALUE",
        ),
        ("crm.item.list", {"entityTypeId": 1, "filter": {"fm": "x"}}, "100"),
        ("crm.item.list", {"entityTypeId": 1, "order": {"nope": "ASC"}}, "INVALID_ARG_VALUE"),
        ("crm.item.list", {"entityTypeId": 1, "order": {"id": "UP"}}, "INVALID_ARG_VALUE"),
        ("crm.item.update", {"entityTypeId": 1, "id": 5, "fields": {}}, "NOT_FOUND"),
    ],
)
async def test_refusals_have_their_code(portal: PortalClient, method: str, params: dict[str, Any], code: str) -> None:
    """Clients decide by the code, and every one of these is permanent."""
    status, error, _ = await portal.refusal(method, **params)
    assert (status, error) == (400, code)


async def test_a_wrong_value_in_a_filter_is_refused(portal: PortalClient) -> None:
    """A date that is none would otherwise match nothing and look like an empty list."""
    await portal.add_lead(name="Лейла")
    refusal = await portal.refusal("crm.item.list", entityTypeId=1, filter={">createdTime": "yesterday"})
    assert refusal[1:] == ("INVALID_ARG_VALUE", "Invalid filter: field 'createdTime' has invalid value")


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"name": "Анна"}, ["Анна"]),
    ({"=name": "анна"}, ["Анна"]),
    ({"!name": "Анна"}, ["Борис", "Вера"]),
    ({">opportunity": 100}, ["Борис", "Вера"]),
    ({">=opportunity": "100", "<opportunity": 300}, ["Анна", "Борис"]),
    ({"<=opportunity": 100}, ["Анна"]),
    ({"@sourceId": ["WEB", "CALL"]}, ["Анна", "Борис"]),
    ({"!@sourceId": ["WEB", "CALL"]}, ["Вера"]),
    ({"%name": "ер"}, ["Вера"]),
    ({"=%name": "Б%"}, ["Борис"]),
    ({"!%name": "ер"}, ["Анна", "Борис"]),
    ({"originId": ""}, ["Борис", "Вера"]),
    ({"!=originId": ""}, ["Анна"]),
    ({"=originId": "evt_1", "name": "Вера"}, []),
    ({"0": {"logic": "OR", "0": {"name": "Анна"}, "1": {"opportunity": 300}}}, ["Анна", "Вера"]),
    ({"logic": "OR", "originId": "evt_1", "name": "Вера"}, ["Анна", "Вера"]),
    ({">=createdTime": "2026-11-22 13:00:00"}, ["Анна", "Борис", "Вера"]),
    ({">createdTime": "2026-11-22T13:00:00+03:00"}, []),
]


@pytest.mark.parametrize(("tree", "names"), FILTERS)
async def test_filters_choose_rows(portal: PortalClient, tree: dict[str, Any], names: list[str]) -> None:
    """Every prefix and the logic OR, at the top and nested."""
    await portal.add_lead(name="Анна", opportunity=100, sourceId="WEB", originId="evt_1")
    await portal.add_lead(name="Борис", opportunity=200, sourceId="CALL")
    await portal.add_lead(name="Вера", opportunity=300, sourceId="OTHER")
    listed = await portal.call("crm.item.list", entityTypeId=1, filter=tree, select=["name"])
    assert [row["name"] for row in listed["result"]["items"]] == names
    assert listed["total"] == len(names)


async def test_a_list_comes_in_pages_of_fifty(portal: PortalClient) -> None:
    """`next` is the start of the next page and is absent on the last one; -1 turns counting off."""
    for number in range(51):
        await portal.add_lead(name=f"n{number}")
    first = await portal.call("crm.item.list", entityTypeId=1, order={"id": "DESC"}, select=["id", "name"])
    last = await portal.call("crm.item.list", entityTypeId=1, order={"id": "DESC"}, start=first["next"])
    blind = await portal.call("crm.item.list", entityTypeId=1, start=-1)

    assert (len(first["result"]["items"]), first["total"], first["next"]) == (50, 51, 50)
    assert first["result"]["items"][0] == {"id": first["result"]["items"][0]["id"], "name": "n50"}
    assert (len(last["result"]["items"]), "next" in last) == (1, False)
    assert (blind["total"], "next" in blind) == (0, False)


async def test_fm_comes_only_with_a_star(portal: PortalClient) -> None:
    """The documentation says so, and a client that selects `fm` gets nothing."""
    await portal.add_contact("+79000000001", name="Лейла")
    named = await portal.result("crm.item.list", entityTypeId=3, select=["id", "fm"])
    whole = await portal.result("crm.item.list", entityTypeId=3, select=["*"])
    assert "fm" not in named["items"][0]
    assert whole["items"][0]["fm"][0]["value"] == "+79000000001"


async def test_fm_is_changed_by_key_and_a_list_only_adds(portal: PortalClient) -> None:
    """Sending a changed list back doubles the phones: a well-known trap."""
    number = await portal.add_contact("+79000000001", name="Лейла")
    known = (await portal.result("crm.item.get", entityTypeId=3, id=number))["item"]["fm"]

    async def update(entries: object) -> list[str]:
        item = (await portal.result("crm.item.update", entityTypeId=3, id=number, fields={"fm": entries}))["item"]
        return [entry["value"] for entry in item["fm"]]

    assert await update(known) == ["+79000000001", "+79000000001"]
    assert await update({str(known[0]["id"]): {"typeId": "PHONE", "value": "+79000000002"}}) == [
        "+79000000002",
        "+79000000001",
    ]
    assert await update({"n0": {"typeId": "EMAIL", "value": "leila@example.com"}}) == [
        "+79000000002",
        "+79000000001",
        "leila@example.com",
    ]
    assert await update({str(known[0]["id"]): {"typeId": "PHONE", "value": ""}}) == [
        "+79000000001",
        "leila@example.com",
    ]
    assert await update({str(known[0]["id"]): {"value": "lost without typeId"}}) == [
        "+79000000001",
        "leila@example.com",
    ]


async def test_an_update_without_a_difference_saves_nothing(portal: PortalClient, clock: ManualClock) -> None:
    """`updatedTime` tells whether anything was written."""
    number = await portal.add_lead(name="Лейла")
    clock.advance(60)
    same = (await portal.result("crm.item.update", entityTypeId=1, id=number, fields={"name": "Лейла"}))["item"]
    other = (await portal.result("crm.item.update", entityTypeId=1, id=number, fields={"name": "Л."}))["item"]
    assert same["updatedTime"] == same["createdTime"]
    assert other["updatedTime"] == "2026-11-22T13:01:00+03:00"


async def test_a_final_stage_closes_the_lead(portal: PortalClient) -> None:
    """The group of the stage, not its code, says whether a request is open."""
    number = await portal.add_lead(name="Лейла")
    item = (await portal.result("crm.item.update", entityTypeId=1, id=number, fields={"stageId": "JUNK"}))["item"]
    assert (item["stageSemanticId"], item["dateClosed"]) == ("F", "2026-11-22T13:00:00+03:00")


async def test_a_deleted_item_is_gone(portal: PortalClient) -> None:
    """Also from the look-up by origin id."""
    number = await portal.add_lead(originId="evt_1")
    assert await portal.result("crm.item.delete", entityTypeId=1, id=number) == []
    assert (await portal.refusal("crm.item.get", entityTypeId=1, id=number))[1] == "NOT_FOUND"
    assert (await portal.call("crm.item.list", entityTypeId=1, filter={"originId": "evt_1"}))["total"] == 0


async def test_fields_describe_themselves(portal: PortalClient) -> None:
    """Used as a harmless probe of rights."""
    table = (await portal.result("crm.item.fields", entityTypeId=1))["fields"]
    assert table["stageId"]["upperName"] == "STATUS_ID"
    assert table["hasPhone"]["isReadOnly"] is True
    assert table["fm"]["isMultiple"] is True


async def test_in_simple_mode_a_named_lead_becomes_a_deal(portal: PortalClient, sandbox: Sandbox) -> None:
    """The lead is CONVERTED and the deal is found by its LEAD_ID."""
    sandbox.portal.mode = 2
    assert await portal.result("crm.settings.mode.get") == 2
    phone = [{"typeId": "PHONE", "value": "+79000000001"}]
    number = await portal.add_lead(name="Лейла", title="Запись", originId="evt_1", fm=phone)

    lead = (await portal.result("crm.item.get", entityTypeId=1, id=number))["item"]
    deals = await portal.result("crm.deal.list", filter={"LEAD_ID": number}, select=["ID", "TITLE", "CONTACT_ID"])
    contact = (await portal.result("crm.item.get", entityTypeId=3, id=lead["contactId"]))["item"]
    assert (lead["stageId"], lead["stageSemanticId"]) == ("CONVERTED", "S")
    assert [deal["TITLE"] for deal in deals] == ["Запись"]
    assert deals[0]["CONTACT_ID"] == str(contact["id"])
    assert contact["fm"][0]["value"] == "+79000000001"


async def test_in_simple_mode_a_lead_without_a_name_stays(portal: PortalClient, sandbox: Sandbox) -> None:
    """The conversion needs a name; such a lead is stuck where nobody looks."""
    sandbox.portal.mode = 2
    number = await portal.add_lead(title="Запись")
    assert (await portal.result("crm.item.get", entityTypeId=1, id=number))["item"]["stageId"] == "NEW"
    assert len(sandbox.portal.deals) == 0
