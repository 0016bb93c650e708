"""An incident with personal data: the two clocks, what is frozen, who is affected, what was told to Roskomnadzor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

EVERYTHING = ""
"""In a freeze: every connection."""


class Notice(StrEnum):
    """The two papers of Roskomnadzor's order 187."""

    FIRST = "24"
    RESULT = "72"

    @property
    def term(self) -> timedelta:
        """Time allowed since the incident was found."""
        return timedelta(hours=int(self.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What only people know, in their own words; "" while nobody has written it. Kept sealed.

    Attributes:
        what: what happened.
        causes: supposed causes of it.
        harm: harm that the affected may suffer.
        measures: what was done.
        contact: who speaks with Roskomnadzor: name, phone, mail.
        culprits: who did it, as far as the inquiry found out (second notice).
        closed_because: why it was closed without both notices.
    """

    what: str = ""
    causes: str = ""
    harm: str = ""
    measures: str = ""
    contact: str = ""
    culprits: str = ""
    closed_because: str = ""


STORY_FIELDS = ("what", "causes", "harm", "measures", "contact", "culprits")
"""What a person may write while the incident is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """Who may be affected, counted at one moment.

    Attributes:
        since, until: the period asked for; None: from the beginning, until now.
        connection_id: only what went through this connection; None: through any.
        identifiers: how many by kind: `phone`, `email`, `username`, `channel_id`.
        messages: how many messages are kept of these people; `looked_at` of them were read for words about health, and
            `health` of those may hold some.
    """

    counted_at: datetime
    since: datetime | None
    until: datetime | None
    connection_id: str | None
    persons: int
    identifiers: Mapping[str, int]
    messages: int
    looked_at: int
    health: int

    @property
    def all_identifiers(self) -> int:
        """The sum over the kinds."""
        return sum(self.identifiers.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A notice that was sent: when, and the number that Roskomnadzor gave it."""

    at: datetime
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Nothing is sent through a connection, or through any (`EVERYTHING`)."""

    connection_id: str
    incident_id: str
    frozen_at: datetime
    frozen_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident, or a rehearsal of one."""

    incident_id: str
    is_drill: bool
    found_at: datetime
    opened_at: datetime
    opened_by: str
    sent: Mapping[Notice, Sent] = field(default_factory=dict)
    affected: Affected | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None

    @property
    def is_open(self) -> bool:
        """True until it is closed."""
        return self.closed_at is None

    def deadline(self, notice: Notice) -> datetime:
        """When the notice must have been sent: counted from the finding, not from the opening here."""
        return self.found_at + notice.term


class ClockState(StrEnum):
    """How a deadline stands."""

    RUNS = "runs"
    SOON = "soon"
    LATE = "late"
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeClock:
    """One of the two clocks as of now; `left` is negative when it is late."""

    notice: Notice
    deadline: datetime
    left: timedelta
    state: ClockState
    sent: Sent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FineClass:
    """A class of fines whose thresholds the counts touch: part of article 13.11."""

    part: int
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """An incident as people see it.

    Attributes:
        freezes: what is frozen now.
        waiting: deliveries that wait behind the freeze.
        on_their_way: lanes in which a call that began before the freeze is not over.
        fines: classes that the counts touch, the gravest first; empty until somebody has counted.
    """

    incident: Incident
    story: Story
    clocks: Sequence[NoticeClock]
    freezes: Sequence[Freeze]
    waiting: int
    on_their_way: int
    fines: Sequence[FineClass]
