"""Incidents with personal data, what is frozen because of them, and counts of who may be affected."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from leadgate.model.incidents import Freeze, Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIncident:
    """An incident with its sealed story."""

    incident: Incident
    sealed_story: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which part of what we keep: a half-open period of receiving and deciding, a connection; None: all of it."""

    since: datetime | None = None
    until: datetime | None = None
    connection_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Who stands in a scope; people who are one person under several ids count once, erased ones not at all."""

    persons: int
    identifiers: Mapping[str, int]
    messages: int


class IncidentStore(Protocol):
    """Keeps incidents and freezes."""

    def add(self, stored: StoredIncident) -> None:
        """Keep a new one."""
        ...

    def replace(self, stored: StoredIncident) -> None:
        """Put another state in its place."""
        ...

    def find(self, incident_id: str) -> StoredIncident | None:
        """One incident."""
        ...

    def find_open(self) -> StoredIncident | None:
        """The one that is open."""
        ...

    def lock_open(self) -> StoredIncident | None:
        """The same, locked until the end of the transaction."""
        ...

    def all(self, *, limit: int) -> Sequence[Incident]:
        """Newest first."""
        ...

    def freeze(self, freeze: Freeze) -> bool:
        """Send nothing through a connection from the commit on; False when it was so already."""
        ...

    def unfreeze(self, connection_id: str) -> bool:
        """Send again; False when it was not frozen."""
        ...

    def freezes(self) -> Sequence[Freeze]:
        """What is frozen now, oldest first."""
        ...

    def on_their_way(self, connection_ids: Collection[str], *, now: datetime) -> int:
        """How many lanes of these connections somebody holds; `EVERYTHING` among them: of any connection."""
        ...

    def count(self, scope: Scope) -> Counted:
        """Count people, identifiers and messages."""
        ...

    def messages(self, scope: Scope, *, limit: int) -> Iterator[tuple[str, str, bytes]]:
        """The newest messages of the people in a scope: message id, subject, sealed body."""
        ...
