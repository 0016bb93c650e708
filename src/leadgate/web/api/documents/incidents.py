"""An incident as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadgate.model.incidents import EVERYTHING, ClockState, Incident, IncidentView, Notice
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockDocument:
    """One of the two clocks; `seconds_left` is negative when it is late, `number` and `sent_at` are null until it is sent."""

    notice: Notice
    deadline: Moment
    seconds_left: int
    state: ClockState
    number: str | None
    sent_at: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeDocument:
    """What is stopped; `connection` is null for everything."""

    connection: str | None
    since: Moment
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedDocument:
    """Who may be affected, as counted at `counted_at`.

    Attributes:
        identifiers: how many by kind.
        messages: how many are kept of these people; `messages_read` of them were read for words about health, and
            `about_health` of those may hold some.
        parts: parts of article 13.11 whose thresholds the counts touch; an aid, no legal assessment.
    """

    counted_at: Moment
    since: Moment | None
    until: Moment | None
    connection: str | None
    persons: int
    identifiers: Mapping[str, int]
    messages: int
    messages_read: int
    about_health: int
    parts: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryDocument:
    """What people wrote; empty texts are not filled in yet."""

    what: str
    causes: str
    harm: str
    measures: str
    contact: str
    culprits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDocument:
    """One incident with its clocks.

    Attributes:
        frozen: what is stopped now; `waiting` deliveries wait behind it.
        on_their_way: calls that began before and are not over.
        story: null for a role that may not read it.
    """

    incident: str
    drill: bool
    open: bool
    found_at: Moment
    opened_at: Moment
    opened_by: str
    closed_at: Moment | None
    clocks: Sequence[ClockDocument]
    frozen: Sequence[FreezeDocument]
    waiting: int
    on_their_way: int
    affected: AffectedDocument | None
    story: StoryDocument | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRowDocument:
    """One incident of the listing."""

    incident: str
    drill: bool
    open: bool
    found_at: Moment
    opened_at: Moment
    closed_at: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDocument:
    """The draft of a notice as text."""

    incident: str
    notice: Notice
    text: str


def incident_row(incident: Incident) -> IncidentRowDocument:
    """One line."""
    return IncidentRowDocument(
        incident=incident.incident_id,
        drill=incident.is_drill,
        open=incident.is_open,
        found_at=incident.found_at,
        opened_at=incident.opened_at,
        closed_at=incident.closed_at,
    )


def incident_document(view: IncidentView, *, with_story: bool = True) -> IncidentDocument:
    """Everything about it."""
    incident, story = view.incident, view.story
    told = {name: getattr(story, name) for name in StoryDocument.__dataclass_fields__}
    return IncidentDocument(
        incident=incident.incident_id,
        drill=incident.is_drill,
        open=incident.is_open,
        found_at=incident.found_at,
        opened_at=incident.opened_at,
        opened_by=incident.opened_by,
        closed_at=incident.closed_at,
        clocks=[
            ClockDocument(
                notice=clock.notice,
                deadline=clock.deadline,
                seconds_left=int(clock.left.total_seconds()),
                state=clock.state,
                number=clock.sent.number if clock.sent else None,
                sent_at=clock.sent.at if clock.sent else None,
            )
            for clock in view.clocks
        ],
        frozen=[
            FreezeDocument(
                connection=None if freeze.connection_id == EVERYTHING else freeze.connection_id,
                since=freeze.frozen_at,
                by=freeze.frozen_by,
            )
            for freeze in view.freezes
        ],
        waiting=view.waiting,
        on_their_way=view.on_their_way,
        affected=_affected(view),
        story=StoryDocument(**told) if with_story else None,
    )


def _affected(view: IncidentView) -> AffectedDocument | None:
    affected = view.incident.affected
    if affected is None:
        return None
    return AffectedDocument(
        counted_at=affected.counted_at,
        since=affected.since,
        until=affected.until,
        connection=affected.connection_id,
        persons=affected.persons,
        identifiers=dict(affected.identifiers),
        messages=affected.messages,
        messages_read=affected.looked_at,
        about_health=affected.health,
        parts=[fine.part for fine in view.fines],
    )
