"""The key encryption key for the tests of the pages: rotated yesterday, some data keys still waiting."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from leadgate.model.keys import KEY_TERM, KeyStatus


class MemoryKeys:
    """See `web.keys_house.Keys`."""

    def __init__(self, now: datetime) -> None:
        self.acts: list[str] = []
        self.refuse: Exception | None = None
        rotated_at = now - timedelta(days=1)
        self.standing = KeyStatus(
            primary="file:9f2c41d07be3a865",
            custodian="file",
            data_keys=1204,
            waiting=31,
            rotated_at=rotated_at,
            next_due=rotated_at + KEY_TERM,
            is_overdue=False,
            is_locked=False,
        )

    async def status(self) -> KeyStatus:
        return self.standing

    async def rotate(self, *, by: str) -> KeyStatus:
        if self.refuse is not None:
            raise self.refuse
        self.acts.append(by)
        self.standing = replace(self.standing, primary="file:00d1c77a54be9310", waiting=self.standing.data_keys)
        return self.standing
