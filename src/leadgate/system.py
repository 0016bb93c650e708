"""The real clock and the real source of identifiers."""

from __future__ import annotations

import os
import secrets
import threading
import time
from datetime import UTC, datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U to misread
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_RANDOM_BITS = 80
_RANDOM_BYTES = _RANDOM_BITS // 8
_IDS_AT_ONCE = 64


class SystemClock:
    """See `ports.clock.Clock`."""

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """The monotonic clock."""
        return time.monotonic()


class SystemIds:
    """See `ports.clock.IdSource`. Ids are ULIDs: 48 bits of milliseconds, 80 random bits, in base 32."""

    def __init__(self) -> None:
        """Start with no last id."""
        self._lock = threading.Lock()
        self._last = 0
        self._random = memoryview(b"")

    def new(self, prefix: str) -> str:
        """Grows within the process, even within a millisecond and when the clock goes back."""
        with self._lock:
            if not self._random:
                self._random = memoryview(os.urandom(_RANDOM_BYTES * _IDS_AT_ONCE))  # a call of the system for many ids
            value = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | int.from_bytes(self._random[:_RANDOM_BYTES])
            self._random = self._random[_RANDOM_BYTES:]
            if value <= self._last:
                value = self._last + 1
            self._last = value
        return prefix + "_" + "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])

    def token(self, length_bytes: int = 32) -> str:
        """From the system's secure source."""
        return secrets.token_urlsafe(length_bytes)

    def fraction(self) -> float:
        """From the system's secure source: jitter needs no reproducibility here."""
        return secrets.randbits(53) / (1 << 53)
