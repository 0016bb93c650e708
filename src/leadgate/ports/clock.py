"""Time and identifiers come in from outside, so that the core can be tested in microseconds."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Reads the time."""

    def now(self) -> datetime:
        """Wall clock: aware, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never go backwards; only differences mean something."""
        ...


class IdSource(Protocol):
    """Makes identifiers and randomness."""

    def new(self, prefix: str) -> str:
        """A fresh id such as `evt_01JD…`: sorts by time of creation, 26 characters after the underscore."""
        ...

    def token(self, length_bytes: int = 32) -> str:
        """An unguessable URL-safe token with this many random bytes."""
        ...

    def fraction(self) -> float:
        """A random number in [0, 1), for jitter."""
        ...
