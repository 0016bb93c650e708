"""Received events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from leadgate.model.events import EventState
from leadgate.ports.stores.records import StoredEvent


class EventStore(Protocol):
    """Received events."""

    def pending_parts(self) -> Sequence[int]:
        """Parts of the inbox in which something waits."""
        ...

    def pending(self, part: int, *, limit: int) -> Sequence[StoredEvent]:
        """Oldest events of a part that nobody worked on, those of paused connections left out."""
        ...

    def find(self, event_id: str) -> StoredEvent | None:
        """One event."""
        ...

    def finish(
        self,
        event_id: str,
        *,
        state: EventState,
        reason: str | None,
        subject_id: str | None,
        lead_id: str | None,
        resealed: tuple[str, bytes] | None,
        at: datetime,
    ) -> bool:
        """Give a received event its end. False when it had one already. `resealed` is a new key scope and body."""
        ...

    def count_failure(self, event_id: str) -> int:
        """Count a failed try to work on it; returns how many there are now."""
        ...

    def reopen(self, event_id: str) -> bool:
        """Put a failed or ignored event back to be worked on; False when it is in another state."""
        ...

    def give_up_pending(self, connection_id: str, *, reason: str, at: datetime) -> int:
        """Events of a removed connection that nobody worked on become failed, kept for a human; returns how many."""
        ...

    def forget_body(self, event_id: str) -> None:
        """Destroy the raw body: the client took the words back."""
        ...

    def move_to_lead(self, event_id: str, lead_id: str) -> None:
        """The event now belongs to another lead (the first was closed meanwhile)."""
        ...
