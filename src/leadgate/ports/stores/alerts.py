"""Alarms, where they are sent, and what is read to find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from leadgate.model.alerts import Alert, AlertTarget, Cause, Note, Signs

AlertKey = tuple[Cause, str]


class AlertStore(Protocol):
    """Alarms of one workspace."""

    def signs(self, *, now: datetime) -> Signs:
        """What the house looks like; notes among it."""
        ...

    def all(self) -> Sequence[Alert]:
        """Every alarm that is remembered, oldest first."""
        ...

    def replace_all(self, alerts: Sequence[Alert]) -> None:
        """Keep these instead of all that were remembered."""
        ...

    def told(self) -> Mapping[tuple[AlertKey, str], int]:
        """By alarm and address, the number of the newest message that the address took."""
        ...

    def set_told(self, key: AlertKey, target_id: str, number: int) -> None:
        """The address took this message."""
        ...

    def targets(self) -> Sequence[AlertTarget]:
        """Addresses, oldest first."""
        ...

    def add_target(self, target: AlertTarget) -> None:
        """Keep a new address."""
        ...

    def set_target(self, target: AlertTarget) -> None:
        """Remember how its sends end."""
        ...

    def remove_target(self, target_id: str) -> bool:
        """Forget an address; False when there was none."""
        ...

    def note(self, note: Note) -> None:
        """Keep or replace a note for the alarms."""
        ...

    def find_note(self, topic: str, subject: str = "") -> Note | None:
        """A note, or None."""
        ...

    def drop_note(self, topic: str, subject: str = "") -> None:
        """The fact does not hold any more; harmless when there is no such note."""
        ...

    def count_hour(self, hour: datetime) -> Mapping[str, int]:
        """Events that came in this hour, by connection, read from the events themselves."""
        ...

    def add_flow(self, hour: datetime, counts: Mapping[str, int], *, forget_before: datetime) -> None:
        """Remember the counts of an hour and forget those of long ago."""
        ...

    def flow(self) -> Mapping[str, Mapping[datetime, int]]:
        """By connection, counts by hour; hours without events are not there."""
        ...
