from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.bitrix24.driver import PortalClient


async def test_a_lead_is_a_bag_of_strings(portal: PortalClient) -> None:
    """Ids come as text, amounts with two digits: whoever compares with a number must fail here."""
    number = await portal.result(
        "crm.lead.add",
        fields={
            "TITLE": "Запись",
            "NAME": "Лейла",
            "PHONE": [{"VALUE": "+79000000001", "VALUE_TYPE": "WORK"}],
        },
    )
    lead = await portal.result("crm.lead.get", id=number)
    assert isinstance(number, int)
    assert (lead["ID"], lead["OPPORTUNITY"], lead["STATUS_ID"], lead["STATUS_SEMANTIC_ID"]) == (
        str(number),
        "0.00",
        "NEW",
        "P",
    )
    assert lead["HAS_PHONE"] == "Y"
    assert lead["PHONE"][0]["VALUE"] == "+79000000001"
    assert isinstance(lead["PHONE"][0]["ID"], str)


async def test_a_phone_given_as_a_string_is_lost_without_an_error(portal: PortalClient) -> None:
    """The best-known trap of the old methods."""
    number = await portal.result("crm.lead.add", fields={"NAME": "Лейла", "PHONE": "+79000000001"})
    lead = await portal.result("crm.lead.get", id=number)
    assert (lead["HAS_PHONE"], "PHONE" in lead) == ("N", False)


async def test_an_unknown_filter_key_returns_any_lead(portal: PortalClient) -> None:
    """A typo in ORIGIN_ID finds somebody else's lead; the caller must compare."""
    await portal.result("crm.lead.add", fields={"ORIGIN_ID": "evt_1"})
    typo = await portal.result("crm.lead.list", filter={"ORIGN_ID": "evt_2"}, select=["ID", "ORIGIN_ID"])
    exact = await portal.result("crm.lead.list", filter={"ORIGIN_ID": "evt_2"})
    assert [row["ORIGIN_ID"] for row in typo] == ["evt_1"]
    assert exact == []


async def test_phones_come_only_when_named(portal: PortalClient) -> None:
    """A star leaves multi-fields out."""
    await portal.result("crm.lead.add", fields={"PHONE": [{"VALUE": "+79000000001"}]})
    star = await portal.result("crm.lead.list", select=["*"])
    named = await portal.result("crm.lead.list", select=["ID", "PHONE"], filter={"PHONE": "+79000000001"})
    assert "PHONE" not in star[0]
    assert set(named[0]) == {"ID", "PHONE"}


async def test_an_update_changes_phones_by_their_id(portal: PortalClient) -> None:
    """With an id an entry is changed or deleted, without one it is added."""
    number = await portal.result("crm.contact.add", fields={"NAME": "Лейла", "PHONE": [{"VALUE": "+79000000001"}]})
    entry = (await portal.result("crm.contact.get", id=number))["PHONE"][0]["ID"]

    async def phones(rows: object) -> list[str]:
        assert await portal.result("crm.contact.update", id=number, fields={"PHONE": rows}) is True
        contact = await portal.result("crm.contact.get", id=number)
        return [row["VALUE"] for row in contact.get("PHONE", [])]

    assert await phones([{"ID": entry, "VALUE": "+79000000002"}]) == ["+79000000002"]
    assert await phones([{"VALUE": "+79000000003"}]) == ["+79000000002", "+79000000003"]
    assert await phones({entry: {"VALUE": ""}}) == ["+79000000003"]


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("crm.lead.get", {"id": 5}, "Not found"),
        ("crm.lead.get", {}, "ID is not defined or invalid."),
        ("crm.lead.add", {"fields": "x"}, "Parameter 'fields' must be array."),
        ("crm.deal.update", {"id": 5, "fields": {}}, "Not found"),
    ],
)
async def test_old_methods_refuse_with_an_empty_code(
    portal: PortalClient, method: str, params: dict[str, Any], words: str
) -> None:
    """All that is known stands in the description."""
    assert await portal.refusal(method, **params) == (400, "", words)


async def test_deals_and_orders_of_lists(portal: PortalClient) -> None:
    """Deals have stages of their own, and a list can be turned round."""
    for title in ("один", "два"):
        await portal.result("crm.deal.add", fields={"TITLE": title, "STAGE_ID": "WON", "PHONE": [{"VALUE": "1"}]})
    rows = await portal.result("crm.deal.list", order={"ID": "DESC"}, select=["TITLE", "STAGE_ID", "CLOSED"])
    assert [(row["TITLE"], row["STAGE_ID"], row["CLOSED"]) for row in rows] == [
        ("два", "WON", "Y"),
        ("один", "WON", "Y"),
    ]
    assert "PHONE" not in await portal.result("crm.deal.fields")


async def test_fields_and_deletion(portal: PortalClient) -> None:
    """`crm.lead.fields` doubles as a probe; a deleted lead is not found."""
    assert (await portal.result("crm.lead.fields"))["PHONE"]["type"] == "crm_multifield"
    number = await portal.result("crm.lead.add", fields={})
    assert await portal.result("crm.lead.delete", id=number) is True
    assert (await portal.refusal("crm.lead.get", id=number))[2] == "Not found"
