"""Events: what knocked, what it said, and what became of it."""

from __future__ import annotations

from leadgate.model.events import EventState
from leadgate.model.reveals import RevealReason
from leadgate.web.access import Act
from leadgate.web.api.documents.events import (
    EventDetailDocument,
    EventDocument,
    EventStateDocument,
    event_detail_document,
    event_document,
)
from leadgate.web.api.documents.plain import Items, page_of
from leadgate.web.api.endpoint import Call, Id, Listing, Nothing, reads, writes


class EventsQuery(Listing, frozen=True, kw_only=True):
    """Which events; `connection` is where they came from."""

    state: EventState | None = None
    connection: Id | None = None


async def list_events(call: Call[EventsQuery, Nothing]) -> Items[EventDocument]:
    """Received events, newest first; without what they said."""
    query = call.query
    page = await call.house.desk.events(
        limit=query.limit, cursor=query.cursor, state=query.state, connection_id=query.connection
    )
    return page_of(page, event_document)


async def show_event(call: Call[Nothing, Nothing]) -> EventDetailDocument:
    """One event with what it said and what became of it.

    What tells of a person is null, and named in `hidden`, for roles that may not see it; who sees it is in the journal.
    """
    event_id, is_open = call.names["event_id"], call.may(Act.REVEAL)
    detail = await call.house.desk.event(event_id)
    if is_open and detail.facts:
        detail = await call.house.desk.reveal_event(event_id, by=call.by, reason=RevealReason.PROGRAM)
    return event_detail_document(detail, is_open=is_open)


async def replay_event(call: Call[Nothing, Nothing]) -> None:
    """Work again on an event that failed or was ignored; what came of it cannot double."""
    await call.house.desk.replay(call.names["event_id"], by=call.by)


def _received(call: Call[Nothing, Nothing], _result: object) -> EventStateDocument:
    return EventStateDocument(event=call.names["event_id"], state=EventState.RECEIVED)


ENDPOINTS = (
    reads("/events", list_events),
    reads("/events/{event_id}", show_event),
    writes("/events/{event_id}/replay", replay_event, _received, act=Act.RETRY),
)
