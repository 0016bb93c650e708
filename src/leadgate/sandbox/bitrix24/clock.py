"""The sandbox's time: reads it and waits in it, so that a test can hold both in its hand."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol

from leadgate.ports.clock import Clock


class SandboxClock(Clock, Protocol):
    """A clock that can also wait; late commits and slow answers wait through it."""

    async def sleep(self, delay_s: float) -> None:
        """Returns after `delay_s` seconds of this clock."""
        ...


class SystemClock:
    """The real time of the machine."""

    def now(self) -> datetime:
        """Wall clock: aware, UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds that never go backwards; only differences mean something."""
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """Waits `delay_s` real seconds."""
        await asyncio.sleep(delay_s)
