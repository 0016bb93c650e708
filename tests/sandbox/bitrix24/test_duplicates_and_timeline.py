from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.bitrix24.driver import PortalClient


async def test_duplicates_are_found_by_type_of_record(portal: PortalClient) -> None:
    """A client attaches a lead to the contact with the same phone."""
    contact = await portal.add_contact("+79000000001", name="Лейла")
    lead = await portal.add_lead(fm=[{"typeId": "PHONE", "value": "+79000000001"}])
    ask = {"type": "PHONE", "values": ["+79000000001"]}
    assert await portal.result("crm.duplicate.findbycomm", **ask) == {"LEAD": [lead], "CONTACT": [contact]}
    assert await portal.result("crm.duplicate.findbycomm", entity_type="CONTACT", **ask) == {"CONTACT": [contact]}


@pytest.mark.parametrize("written", ["89000000001", "+7 900 000-00-01", "9000000001"])
async def test_another_writing_of_the_phone_is_not_found(portal: PortalClient, written: str) -> None:
    """The search is by the writing; nothing found is an empty array, not an object."""
    await portal.add_contact("+79000000001", name="Лейла")
    assert await portal.result("crm.duplicate.findbycomm", type="PHONE", values=[written]) == []


async def test_an_extension_is_left_out_of_the_search(portal: PortalClient) -> None:
    """Known and documented: `#404` does not tell two people apart."""
    contact = await portal.add_contact("+79000000001#404")
    assert await portal.result("crm.duplicate.findbycomm", type="PHONE", values=["+79000000001#12"]) == {
        "CONTACT": [contact]
    }


async def test_twenty_leads_hide_the_contact(portal: PortalClient) -> None:
    """The documented limit: the gateway must ask for contacts alone."""
    contact = await portal.add_contact("+79000000001")
    for _ in range(20):
        await portal.add_lead(fm=[{"typeId": "PHONE", "value": "+79000000001"}])
    ask = {"type": "PHONE", "values": ["+79000000001"]}
    assert set(await portal.result("crm.duplicate.findbycomm", **ask)) == {"LEAD"}
    assert await portal.result("crm.duplicate.findbycomm", entity_type="CONTACT", **ask) == {"CONTACT": [contact]}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "Communication type is not defined."),
        ({"type": "FAX"}, "Communication type 'FAX' is not supported in current context."),
        ({"type": "PHONE", "values": []}, "Communication values is not defined."),
    ],
)
async def test_a_search_for_nothing_is_refused(portal: PortalClient, params: dict[str, Any], words: str) -> None:
    """An empty phone must not be asked for at all."""
    assert await portal.refusal("crm.duplicate.findbycomm", **params) == (400, "", words)


async def test_a_comment_is_added_read_and_deleted(portal: PortalClient) -> None:
    """The same comment twice makes two: the portal does not look."""
    lead = await portal.add_lead(name="Лейла")
    fields = {"ENTITY_ID": lead, "ENTITY_TYPE": "lead", "COMMENT": "Здравствуйте!"}
    first = await portal.result("crm.timeline.comment.add", fields=fields)
    second = await portal.result("crm.timeline.comment.add", fields=fields)

    wish = {"ENTITY_ID": lead, "ENTITY_TYPE": "lead"}
    listed = await portal.call("crm.timeline.comment.list", filter=wish, order={"ID": "DESC"})
    assert [row["ID"] for row in listed["result"]] == [str(second), str(first)]
    assert listed["total"] == 2
    assert (await portal.result("crm.timeline.comment.get", id=first))["COMMENT"] == "Здравствуйте!"
    assert await portal.result("crm.timeline.comment.delete", id=first) is True
    assert (await portal.refusal("crm.timeline.comment.get", id=first))[1] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"fields": {"ENTITY_ID": 5, "ENTITY_TYPE": "lead", "COMMENT": "x"}}, "OWNER_NOT_FOUND"),
        ({"fields": {"ENTITY_ID": 101, "ENTITY_TYPE": "moon", "COMMENT": "x"}}, "OWNER_NOT_FOUND"),
        ({"fields": {"ENTITY_ID": 101, "ENTITY_TYPE": "lead", "COMMENT": " "}}, "INVALID_ARG_VALUE"),
        ({"FIELDS": {"ENTITY_ID": 101, "ENTITY_TYPE": "lead", "COMMENT": "x"}}, "100"),
    ],
)
async def test_a_comment_that_cannot_be_added_is_refused(
    portal: PortalClient, params: dict[str, Any], code: str
) -> None:
    """Each of these must end as a dead letter, not as a repeat."""
    assert await portal.add_lead(name="Лейла") == 101
    assert (await portal.refusal("crm.timeline.comment.add", **params))[:2] == (400, code)


async def test_comments_are_listed_only_for_a_named_record(portal: PortalClient) -> None:
    """Both the id and the type are required."""
    assert (await portal.refusal("crm.timeline.comment.list", filter={"ENTITY_ID": 1}))[0] == 400


async def test_a_to_do_needs_a_deadline_and_an_owner(portal: PortalClient) -> None:
    """Its id comes inside an object, unlike a comment's."""
    lead = await portal.add_lead(name="Лейла")
    todo = {"ownerTypeId": 1, "ownerId": lead, "title": "Перезвонить"}
    made = await portal.result("crm.activity.todo.add", **todo, deadline="2026-11-23T10:00:00+03:00")
    assert set(made) == {"id"}
    assert (await portal.refusal("crm.activity.todo.add", **todo))[1] == "100"
    assert (await portal.refusal("crm.activity.todo.add", **todo, deadline="soon"))[1] == "WRONG_DATETIME_FORMAT"
    missing = {"ownerTypeId": 1, "ownerId": 5, "deadline": "2026-11-23"}
    assert (await portal.refusal("crm.activity.todo.add", **missing))[1] == "OWNER_NOT_FOUND"
