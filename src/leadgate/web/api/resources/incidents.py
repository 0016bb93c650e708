"""Incident mode from a program: stop what goes out, count, note, draft the notices, close."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from leadgate.errors import NotFoundError
from leadgate.model.incidents import IncidentView, Notice
from leadgate.web.access import Act
from leadgate.web.api.documents.incidents import (
    IncidentDocument,
    IncidentRowDocument,
    NoticeDocument,
    incident_document,
    incident_row,
)
from leadgate.web.api.documents.plain import Items, cut_page, page_of
from leadgate.web.api.endpoint import Call, Id, Listing, Nothing, reads, writes

_Words = Annotated[str, Meta(max_length=4000, pattern=r"^[^\x00]*$")]
_Time = Annotated[datetime, Meta(tz=True)]
_LISTED = 500


class OpenBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One button: opens an incident, a `drill` or not, and with `freeze` stops everything that goes out, or one connection."""

    drill: bool
    freeze: bool
    found_at: _Time | None = None
    what: _Words = ""
    connection: Id | None = None


class FreezeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which connection; all when it is not named."""

    connection: Id | None = None


class NoteBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known; fields that are not named stay as they are."""

    what: _Words | None = None
    causes: _Words | None = None
    harm: _Words | None = None
    measures: _Words | None = None
    contact: _Words | None = None
    culprits: _Words | None = None
    found_at: _Time | None = None


class CountBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to count: a period, a connection; everybody when nothing is named."""

    since: _Time | None = None
    until: _Time | None = None
    connection: Id | None = None


class SentBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A notice was sent: its number at Roskomnadzor, and when; now when it is not said."""

    number: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
    sent_at: _Time | None = None


class CloseBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it is closed although a notice is missing; empty when both are sent."""

    reason: _Words = ""


async def list_incidents(call: Call[Listing, Nothing]) -> Items[IncidentRowDocument]:
    """Every incident, newest first."""
    rows = await call.house.incidents.all(limit=_LISTED)
    return page_of(cut_page(rows, limit=call.query.limit, cursor=call.query.cursor), incident_row)


async def show_incident(call: Call[Nothing, Nothing]) -> IncidentDocument:
    """The incident that is open, with its clocks and counts."""
    view = await call.house.incidents.show()
    return incident_document(view, with_story=call.may(Act.PRIVACY))


async def show_notice(call: Call[Nothing, Nothing]) -> NoticeDocument:
    """The draft of a notice (`24` or `72`) as text to copy."""
    notice = _notice(call.names["notice"])
    view = await call.house.incidents.show()
    text = await call.house.incidents.notice_text(notice)
    return NoticeDocument(incident=view.incident.incident_id, notice=notice, text=text)


async def open_incident(call: Call[Nothing, OpenBody]) -> IncidentView:
    """Open an incident; answered when nothing is on its way out any more."""
    body = call.body
    return await call.house.incidents.open(
        found_at=body.found_at,
        what=body.what,
        is_drill=body.drill,
        freeze=body.freeze,
        connection_id=body.connection,
        by=call.by,
    )


async def freeze_incident(call: Call[Nothing, FreezeBody]) -> IncidentView:
    """Stop what goes out; answered when nothing is on its way out any more."""
    return await call.house.incidents.freeze(connection_id=call.body.connection, by=call.by)


async def unfreeze_incident(call: Call[Nothing, FreezeBody]) -> IncidentView:
    """Send again what waits, in order."""
    return await call.house.incidents.unfreeze(connection_id=call.body.connection, by=call.by)


async def note_incident(call: Call[Nothing, NoteBody]) -> IncidentView:
    """Write down what is known."""
    body = call.body
    words = {name: getattr(body, name) for name in ("what", "causes", "harm", "measures", "contact", "culprits")}
    given = {name: text for name, text in words.items() if text is not None}
    return await call.house.incidents.note(given, found_at=body.found_at, by=call.by)


async def count_incident(call: Call[Nothing, CountBody]) -> IncidentView:
    """Count people and identifiers that may be affected."""
    body = call.body
    return await call.house.incidents.count(
        since=body.since, until=body.until, connection_id=body.connection, by=call.by
    )


async def send_notice(call: Call[Nothing, SentBody]) -> IncidentView:
    """Mark a notice (`24` or `72`) as sent by you; Leadgate sends none itself."""
    return await call.house.incidents.mark_sent(
        _notice(call.names["notice"]), number=call.body.number, sent_at=call.body.sent_at, by=call.by
    )


async def close_incident(call: Call[Nothing, CloseBody]) -> IncidentView:
    """Close it."""
    return await call.house.incidents.close(reason=call.body.reason, by=call.by)


def _told(_call: object, view: IncidentView) -> IncidentDocument:
    # Answers to writes are kept for a day: the owner's words stay out of them.
    return incident_document(view, with_story=False)


def _notice(name: str) -> Notice:
    try:
        return Notice(name)
    except ValueError:
        raise NotFoundError("There are two notices: 24 and 72.") from None


ENDPOINTS = (
    reads("/incidents", list_incidents),
    reads("/incident", show_incident),
    reads("/incident/notices/{notice}", show_notice, act=Act.PRIVACY),
    writes("/incident", open_incident, _told, act=Act.PRIVACY, status=201, is_one_commit=False),
    writes("/incident/freeze", freeze_incident, _told, act=Act.PRIVACY, is_one_commit=False),
    writes("/incident/unfreeze", unfreeze_incident, _told, act=Act.PRIVACY, is_one_commit=False),
    writes("/incident/note", note_incident, _told, act=Act.PRIVACY, is_one_commit=False),
    writes("/incident/count", count_incident, _told, act=Act.PRIVACY, is_one_commit=False),
    writes("/incident/notices/{notice}/sent", send_notice, _told, act=Act.PRIVACY, is_one_commit=False),
    writes("/incident/close", close_incident, _told, act=Act.PRIVACY, is_one_commit=False),
)
