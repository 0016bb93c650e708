"""Leads and contacts as `/leads.json`, `/contacts.json` and the page show them, in neutral shapes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from leadgate.sandbox.bitrix24.fields import DEAL, LEAD
from leadgate.sandbox.bitrix24.portal import Comment, Portal, Record
from leadgate.sandbox.bitrix24.records import semantics

_UTM = ("source", "medium", "campaign", "content", "term")


def leads(portal: Portal, limit: int | None = None) -> list[dict[str, object]]:
    """Leads and deals, newest first, at most `limit` (None: all).

    A lead that became a deal is shown once, as the deal.
    """
    return [lead_view(portal, record) for record in _requests(portal)[:limit]]


def count_leads(portal: Portal) -> int:
    """How many `leads` there are."""
    return len(_requests(portal))


def contacts(portal: Portal) -> list[dict[str, object]]:
    """Contacts, newest first."""
    return [
        {
            **_person(record),
            "email": record.first("EMAIL"),
            "phones": [entry.value for entry in record.multifields if entry.type_id == "PHONE"],
            "origin_id": record.values["originId"],
            "originator_id": record.values["originatorId"],
            "created_at": _iso(_created(record)),
        }
        for record in sorted(portal.contacts, key=lambda record: record.id, reverse=True)
    ]


def lead_view(portal: Portal, record: Record) -> dict[str, object]:
    """One lead or deal. What a deal lacks (origin, name, phone) comes from its lead, then its contact."""
    contact = _linked(portal, record)
    people = [one for one in (record, _source_lead(portal, record), contact) if one is not None]
    return {
        "entity": record.entity.word,
        "id": record.id,
        "title": record.values["title"],
        "name": next((name for name in map(_full_name, people) if name), None),
        "phone": next((phone for phone in (one.first("PHONE") for one in people) if phone), None),
        "email": next((email for email in (one.first("EMAIL") for one in people) if email), None),
        "source_id": record.values["sourceId"],
        "source_description": record.values["sourceDescription"],
        "stage": record.values["stageId"],
        "closed": semantics(portal, record) != "P",
        "origin_id": _inherited(people, "originId"),
        "originator_id": _inherited(people, "originatorId"),
        "utm": {name: record.values[f"utm{name.capitalize()}"] for name in _UTM},
        "comments": record.values["comments"],
        "contact_id": contact.id if contact else None,
        "contact": _person(contact) if contact else None,
        "timeline": [_entry(comment) for comment in _timeline(portal, record)],
        "created_at": _iso(_created(record)),
    }


def _requests(portal: Portal) -> list[Record]:
    converted = {deal.values["leadId"] for deal in portal.deals}
    shown = [*(lead for lead in portal.leads if lead.id not in converted), *portal.deals]
    shown.sort(key=lambda record: (_created(record), record.entity.type_id, record.id), reverse=True)
    return shown


def _inherited(people: Sequence[Record], name: str) -> object:
    owners = [one for one in people if one.entity is DEAL or one.entity is LEAD]
    return next((one.values[name] for one in owners if one.values[name]), None)


def _source_lead(portal: Portal, record: Record) -> Record | None:
    number = record.values.get("leadId")
    return portal.leads.find(number) if isinstance(number, int) else None


def _linked(portal: Portal, record: Record) -> Record | None:
    number = record.values.get("contactId")
    return portal.contacts.find(number) if isinstance(number, int) else None


def _person(record: Record) -> dict[str, object]:
    return {"id": record.id, "name": _full_name(record), "phone": record.first("PHONE")}


def _full_name(record: Record) -> str:
    parts = (record.values.get(name) for name in ("name", "secondName", "lastName"))
    return " ".join(str(part) for part in parts if part)


def _timeline(portal: Portal, record: Record) -> list[Comment]:
    """The history of a deal begins with that of its lead."""
    lead = _source_lead(portal, record)
    earlier = portal.timeline("lead", lead.id) if lead else []
    return sorted([*earlier, *portal.timeline(record.entity.word, record.id)], key=lambda entry: entry.id)


def _entry(comment: Comment) -> dict[str, object]:
    return {"id": comment.id, "kind": comment.kind, "text": comment.text, "at": _iso(comment.created)}


def _created(record: Record) -> datetime:
    created = record.values["createdTime"]
    return created if isinstance(created, datetime) else datetime.fromtimestamp(0, UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
