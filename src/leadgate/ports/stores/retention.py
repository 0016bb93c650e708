"""What is old enough to go, in parts small enough not to hold up anybody who writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from leadgate.model.retention import DataKind, SweepMark, SweptPart


class RetentionStore(Protocol):
    """Sweeps; everything that it destroys is gone with the commit."""

    def mark(self, kind: DataKind) -> SweepMark:
        """How far the kind was swept; the beginning before the first sweep."""
        ...

    def set_mark(self, mark: SweepMark) -> None:
        """Keep it."""
        ...

    def sweep(self, kind: DataKind, *, before: datetime, after: str, limit: int) -> SweptPart:
        """Destroy what is older among the next `limit` rows after a place.

        Not for people: see `quiet_people`. Of what is stuck only the bodies of events: see `stuck`.
        """
        ...

    def stuck(self, *, before: datetime, limit: int) -> Sequence[str]:
        """Ids of deliveries made before then that wait for a person's decision, the oldest first."""
        ...

    def count(self, kind: DataKind, *, before: datetime, after: str, limit: int) -> int:
        """How many such rows there are after a place, at most `limit` + 1."""
        ...

    def quiet_people(self, *, before: datetime, after: str, limit: int) -> tuple[Sequence[str], str]:
        """People among the next `limit` subjects after this id who have not been heard of since, and the last id looked at.

        "" instead of an id when there are no more subjects that were made before. Who was joined into another, was erased, has
        an open lead or something still on its way is not among them.
        """
        ...
