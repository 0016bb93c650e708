"""How long which kind of data is kept, and for what. Terms are whole days; what a term ends with is destroyed, not hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class DataKind(StrEnum):
    """Kinds with a term of their own. Identifiers without contents (events, deliveries, leads) stay: the ledger needs them."""

    BODIES = "bodies"
    """What vendors posted, as it came; everything in it that is needed stands elsewhere by then."""

    COPIES = "copies"
    """Copies of what was sent to the CRM and to messengers and arrived."""

    STUCK = "stuck"
    """What could not be worked on or delivered, and waits for a person's decision."""

    MESSAGES = "messages"
    """The words of conversations; the CRM has its own history."""

    PEOPLE = "people"
    """Everything about a person who has not been heard of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermRange:
    """What an owner may choose between, in days, both ends included."""

    default: int
    least: int
    most: int


TERMS: Mapping[DataKind, TermRange] = {
    # A vendor redelivers for some days, and a fault of ours is noticed within two weeks: until then an event can be replayed.
    DataKind.BODIES: TermRange(default=14, least=3, most=90),
    DataKind.COPIES: TermRange(default=14, least=3, most=90),
    # Three days of retries, then alarms: three months are time enough for a decision.
    DataKind.STUCK: TermRange(default=90, least=14, most=180),
    # A client who comes again within half a year is answered with what was said before.
    DataKind.MESSAGES: TermRange(default=180, least=30, most=1095),
    # Three years: the general limitation of claims (Civil Code, article 196), so that a dispute can still be answered.
    DataKind.PEOPLE: TermRange(default=1095, least=90, most=1825),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionLine:
    """One kind as the page shows it.

    Attributes:
        days: the term that holds now; `is_own` when the owner chose it.
        due: how many go with the next sweep, and `due_in_week` within seven days (those of `due` among them); counted up to
            `COUNT_LIMIT`, and then one more.
        swept_at: when the last sweep of this kind ended; None before the first.
        gone_last: how many that one destroyed; `gone_ever` all of them together.
    """

    kind: DataKind
    days: int
    is_own: bool
    due: int
    due_in_week: int
    swept_at: datetime | None
    gone_last: int
    gone_ever: int


COUNT_LIMIT = 10_000
"""Counting stops there: the page has to open with any amount of history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepMark:
    """How far a kind was swept.

    Attributes:
        place: everything up to it was looked at: a sequence number or, for people, a subject id; "" for the beginning.
        restarted_at: when it last began at the beginning. What was passed over then (not over yet, still needed) is met again.
        has_ended: False while a sweep is under way, which a kill may have cut off.
    """

    kind: DataKind
    place: str = ""
    restarted_at: datetime | None = None
    swept_at: datetime | None = None
    gone_now: int = 0
    gone_last: int = 0
    gone_ever: int = 0
    has_ended: bool = True


@dataclass(frozen=True, slots=True)
class SweptPart:
    """What one unit of a sweep did.

    Attributes:
        place: where the next one begins.
        is_last: nothing older than the term follows.
    """

    gone: int
    place: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """The owner's own terms; a kind that is not among them has its default."""

    own: Mapping[DataKind, int]

    def days(self, kind: DataKind) -> int:
        """The term of a kind."""
        return self.own.get(kind, TERMS[kind].default)

    def oldest_kept(self, kind: DataKind, *, now: datetime) -> datetime:
        """What is older than this goes."""
        return now - timedelta(days=self.days(kind))


def in_range(kind: DataKind, days: int) -> bool:
    """Whether this term may be chosen."""
    return TERMS[kind].least <= days <= TERMS[kind].most


def kinds() -> Sequence[DataKind]:
    """In the order in which they are shown and swept: words before the person they belong to."""
    return tuple(TERMS)
