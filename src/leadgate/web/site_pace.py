"""How often one peer may open a visit, and how many answers it may wait for: in memory, bounded, no I/O."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

MAX_PEERS = 10_000


class VisitPace:
    """A bucket of visits per peer that fills up steadily."""

    def __init__(self, *, burst: int = 30, per_s: float = 0.5) -> None:
        """Allow `burst` visits at once and `per_s` more each second (an office may share one address)."""
        self._burst = burst
        self._per_s = per_s
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, peer: str, *, monotonic_s: float) -> int:
        """0 when the peer may open a visit now (counted), else after how many whole seconds to try again."""
        left, at_s = self._buckets.pop(peer, (float(self._burst), monotonic_s))
        left = min(self._burst, left + (monotonic_s - at_s) * self._per_s)
        allowed = left >= 1
        self._buckets[peer] = (left - 1 if allowed else left, monotonic_s)
        if len(self._buckets) > MAX_PEERS:
            self._buckets.popitem(last=False)  # silent the longest: its bucket is the fullest
        return 0 if allowed else math.ceil((1 - left) / self._per_s)


class OpenPolls:
    """How many long polls stand open, per peer and in all."""

    def __init__(self, *, per_peer: int = 50, in_all: int = 2000) -> None:
        """Let that many wait; who comes later is answered at once."""
        self._per_peer = per_peer
        self._in_all = in_all
        self._open: dict[str, int] = {}

    @contextmanager
    def waiting(self, peer: str) -> Iterator[bool]:
        """Count one poll while it stands open; True when it may wait."""
        may_wait = self._open.get(peer, 0) < self._per_peer and sum(self._open.values()) < self._in_all
        self._open[peer] = self._open.get(peer, 0) + 1
        try:
            yield may_wait
        finally:
            self._open[peer] -= 1
            if not self._open[peer]:
                del self._open[peer]
