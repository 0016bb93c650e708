"""Terms of keeping for the tests of the pages: swept yesterday, more to go than is counted, one term the owner's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from leadgate.errors import ConfigurationError
from leadgate.model.retention import COUNT_LIMIT, TERMS, DataKind, RetentionLine, in_range, kinds


class MemoryRetention:
    """See `web.house.Retention`."""

    def __init__(self, now: datetime) -> None:
        self.acts: list[tuple[str, int | None, str]] = []
        self.refuse: Exception | None = None
        self._swept_at = now - timedelta(hours=20)

    async def lines(self) -> Sequence[RetentionLine]:
        counts = dict(zip(kinds(), ((12, 31), (0, 0), (1, 1), (COUNT_LIMIT + 1, COUNT_LIMIT + 1), (0, 2)), strict=True))
        return [
            RetentionLine(
                kind=kind,
                days=7 if kind is DataKind.BODIES else TERMS[kind].default,
                is_own=kind is DataKind.BODIES,
                due=counts[kind][0],
                due_in_week=counts[kind][1],
                swept_at=self._swept_at,
                gone_last=3,
                gone_ever=0 if kind is DataKind.PEOPLE else 1204,
            )
            for kind in kinds()
        ]

    async def choose(self, kind: DataKind, days: int | None, *, by: str) -> None:
        if self.refuse is not None:
            raise self.refuse
        if days is not None and not in_range(kind, days):
            raise ConfigurationError("Out of range.")
        self.acts.append((kind.value, days, by))
