"""The life of a secret: how it is replaced, how old it is, when the next one is due. Values are kept elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from leadgate.model.connections import Finding
from leadgate.model.secret import Secret

SHORTEST_DAYS, USUAL_DAYS, LONGEST_DAYS = 30, 60, 90
"""Least, usual and greatest age in days at which a secret is due."""

SOON = timedelta(days=7)
"""Yellow for so long before the due date; what needs no person is replaced by itself then."""

ALARM_AFTER = timedelta(days=3)
"""Red for so long before somebody is woken."""

USUAL_OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)
MOST_LIVE = 8
"""Versions of one secret that may be good at once; of more the oldest is dropped."""

DUE_RULE = "secrets"
"""Name of the rule that says after how many days secrets are due."""


class Renewal(StrEnum):
    """How a secret is replaced by a new one."""

    OURS = "ours"
    """We make it and nobody else has it: replaced by itself when it is due."""
    REGISTERED = "registered"
    """We make it and tell the vendor: replaced by itself when it is due."""
    HANDED = "handed"
    """We make it, and a person gives it to the other side."""
    BY_HAND = "by_hand"
    """The vendor makes it; a person fetches it there and sets it here."""
    STAYS = "stays"
    """Kept like a secret and yet none: it has no due date."""

    @property
    def is_automatic(self) -> bool:
        """True when no person is needed."""
        return self in {Renewal.OURS, Renewal.REGISTERED}

    @property
    def is_made(self) -> bool:
        """True when we make the value."""
        return self in {Renewal.OURS, Renewal.REGISTERED, Renewal.HANDED}


class SecretLight(StrEnum):
    """How near the due date is."""

    FRESH = "fresh"
    SOON = "soon"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, order=True)
class SecretName:
    """A key of a connection; written `conn_….key`."""

    connection_id: str
    key: str

    def __str__(self) -> str:
        """As commands, addresses and the journal write it."""
        return f"{self.connection_id}.{self.key}"

    @classmethod
    def read(cls, text: str) -> SecretName:
        """The name of a text; without a dot the key is empty."""
        connection_id, _, key = text.partition(".")
        return cls(connection_id, key)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretView:
    """One secret as it is listed, without its value.

    Attributes:
        connection_name: what people call the connection; `title` the vendor.
        owner: who set or made the version of now: a staff id, `command` or `system`; None when it is older than this record.
        owner_name: the name of a person of the staff; None for others.
        scopes: what it opens, in the vendor's own words; empty when nobody told.
        created_at: of the version of now.
        next_due: None for what has no due date.
        overlap_until: until when the version before is good as well; None when there is none.
        is_unfinished: a rotation was begun and is not over: the vendor has not said that it knows the new one.
        last_used_at: when the connection last showed that it is good; None when it never did.
    """

    name: SecretName
    kind: str
    title: str
    connection_name: str
    label_ru: str
    label_en: str
    renewal: Renewal
    owner: str | None
    owner_name: str | None
    scopes: tuple[str, ...]
    created_at: datetime
    age: timedelta
    next_due: datetime | None
    light: SecretLight
    overlap_until: datetime | None
    is_unfinished: bool
    last_used_at: datetime | None

    @property
    def can_undo(self) -> bool:
        """True while the version before is kept."""
        return self.overlap_until is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """What came of replacing a secret.

    Attributes:
        made: the new value when we made it and somebody may need it; shown this once.
        is_done: False when a person must act first: see the steps of the kind.
        overlap_until: until when the version before is good as well.
        findings: what the vendor said.
    """

    name: SecretName
    kind: str
    renewal: Renewal
    is_done: bool
    made: Secret | None = field(default=None, repr=False)
    overlap_until: datetime | None = None
    findings: Sequence[Finding] = ()

    @property
    def needs_steps(self) -> bool:
        """True when a person has something to do at the other side now."""
        is_by_hand = any(finding.code.endswith("_by_hand") for finding in self.findings)
        return not self.is_done or is_by_hand or (self.renewal is Renewal.HANDED and self.made is not None)


@dataclass(frozen=True, slots=True)
class DueRule:
    """After how many days secrets are due: all of them, and single ones by name."""

    days: int = USUAL_DAYS
    by_name: Mapping[str, int] = field(default_factory=dict)

    def days_of(self, name: SecretName) -> int:
        """The days of one secret."""
        return self.by_name.get(str(name), self.days)


def due_at(created_at: datetime, days: int) -> datetime:
    """When a secret of this age is due."""
    return created_at + timedelta(days=days)


def light_of(next_due: datetime | None, *, now: datetime) -> SecretLight:
    """Fresh, soon due, or overdue; what has no due date stays fresh."""
    if next_due is None or now < next_due - SOON:
        return SecretLight.FRESH
    return SecretLight.SOON if now < next_due else SecretLight.OVERDUE


def needs_alarm(next_due: datetime | None, *, now: datetime) -> bool:
    """True when it has been red for so long that somebody is told."""
    return next_due is not None and now >= next_due + ALARM_AFTER
