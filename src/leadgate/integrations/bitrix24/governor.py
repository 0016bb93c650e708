"""Keeps our requests below a portal's limits, so that none is refused.

Two limits (`limits.md`): a leaky bucket that drains 2 requests a second and refuses above 50, counted per
portal and source address; and, per method, 480 s of execution in ten minutes (`budget.py`). Arithmetic only:
time comes from the clock, waiting is done by the `sleep` given. No request is sent here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from leadgate.integrations.bitrix24.budget import WINDOW_S, TimeBudgets
from leadgate.integrations.bitrix24.shapes import as_mapping, as_number
from leadgate.ports.clock import Clock

Sleep = Callable[[float], Awaitable[None]]

_GRAIN_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a portal with our margin taken off.

    Attributes:
        rate_per_s: requests a second in the long run; the cloud drains 2.
        burst: requests at once after a rest; the cloud refuses above 50.
        start: requests free at the start: the process that ran a second ago may have filled the bucket.
        scarce_s: execution time of one method in ten minutes from which on calls are spread out, so that what is new
            finds some left.
        spread_to_s: what a backlog may use up.
        operating_s: where we stop all the same; the cloud stops at 480.
        patience_s: longest wait inside `acquire`; what takes longer is handed back to the caller.
    """

    rate_per_s: float = 1.95
    burst: float = 40.0
    start: float = 10.0
    scarce_s: float = 300.0
    spread_to_s: float = 430.0
    operating_s: float = 455.0
    patience_s: float = 20.0


class Governor:
    """Token bucket and time budgets of one portal."""

    def __init__(self, clock: Clock, *, limits: Limits | None = None, sleep: Sleep = asyncio.sleep) -> None:
        """Start with `limits.start` free requests."""
        self._clock = clock
        self._limits = limits or Limits()
        self._sleep = sleep
        self._tokens = self._limits.start
        self._filled_at = clock.monotonic_s()
        self._paused_until = self._filled_at
        self._sent_at_s = self._filled_at
        self._closed_until: dict[str, float] = {}
        self._budgets = TimeBudgets(scarce_s=self._limits.scarce_s, spread_to_s=self._limits.spread_to_s)
        self._turn = asyncio.Lock()

    async def acquire(self, methods: Iterable[str]) -> float:
        """Wait for a free request and take it; first come, first served.

        Returns:
            0.0 when the request may be sent now; otherwise nothing was taken and this many seconds are still
            missing.
        """
        names = frozenset(methods)
        async with self._turn:
            while (delay := self.delay_s(names)) > 0:
                if delay > self._limits.patience_s:
                    return delay
                await self._sleep(delay)
            self._tokens -= 1
            self._sent_at_s = self._clock.monotonic_s()
            return 0.0

    def delay_s(self, methods: Iterable[str]) -> float:
        """Seconds until a request with these methods may go; 0.0 when it may go now."""
        now = self._fill()
        missing = 1 - self._tokens
        for_token = missing / self._limits.rate_per_s if missing > _GRAIN_S else 0.0
        waits = [for_token, self._paused_until - now]
        for method in methods:
            waits += [self.closed_for_s(method), self._budgets.delay_s(method, now)]
        longest = max(waits)
        return max(longest, _GRAIN_S) if longest > 0 else 0.0

    def closed_for_s(self, method: str) -> float:
        """Seconds until this method has budget again; 0.0 when it has."""
        return max(0.0, self._closed_until.get(method, 0.0) - self._clock.monotonic_s())

    def pause(self, seconds: float) -> None:
        """The portal refused us for its request limit: treat the bucket as full and wait."""
        self._fill()
        self._tokens = 0.0
        self._paused_until = max(self._paused_until, self._clock.monotonic_s() + seconds)

    def close(self, method: str, seconds: float = WINDOW_S) -> None:
        """The portal refused this method for its time budget."""
        until = self._clock.monotonic_s() + seconds
        self._closed_until[method] = max(self._closed_until.get(method, 0.0), until)

    def learn(self, method: str, time: Mapping[str, object]) -> None:
        """Read the `time` part of an answer; close the method when its budget is nearly spent."""
        told = self._budgets.learn(method, time, since_s=self._sent_at_s, now_s=self._clock.monotonic_s())
        if told is not None and told[0] >= self._limits.operating_s:
            self.close(method, told[1])

    def calls_at_once(self) -> int | None:
        """How many calls of one method may go together, so that execution time lasts; None while nothing is known of it."""
        return self._budgets.calls_at_once(self._clock.monotonic_s())

    def export(self) -> dict[str, object]:
        """State as plain values, in wall-clock time, for another process or node."""
        now = self._fill()
        return {
            "at": self._clock.now().timestamp(),
            "tokens": self._tokens,
            "paused_s": max(0.0, self._paused_until - now),
            "closed_s": {name: until - now for name, until in self._closed_until.items() if until > now},
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """Take over what `export` gave earlier; values that are missing or no numbers change nothing."""
        now = self._clock.monotonic_s()
        passed = max(0.0, self._clock.now().timestamp() - (as_number(state.get("at")) or 0.0))
        tokens = as_number(state.get("tokens"))
        if tokens is not None:
            self._tokens = min(self._limits.burst, tokens + passed * self._limits.rate_per_s)
            self._filled_at = now
        self._paused_until = max(self._paused_until, now + (as_number(state.get("paused_s")) or 0.0) - passed)
        for method, left in as_mapping(state.get("closed_s")).items():
            self.close(method, (as_number(left) or 0.0) - passed)

    def _fill(self) -> float:
        now = self._clock.monotonic_s()
        grown = (now - self._filled_at) * self._limits.rate_per_s
        self._tokens = min(self._limits.burst, self._tokens + max(0.0, grown))
        self._filled_at = now
        return now
