"""Connections, time and ids for tests: fixed, countable, nothing random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from leadgate.model.connections import Connection, ConnectionState, OpenConnection
from leadgate.model.secret import Secret

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""When tests happen, unless they say otherwise."""


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until it is moved."""

    at: datetime = NOW
    jumped: timedelta = timedelta()

    def now(self) -> datetime:
        """The time it was set to."""
        return self.at

    def monotonic_s(self) -> float:
        """Seconds since a fixed day; moves with the clock, but does not jump with it."""
        return (self.at - self.jumped).timestamp()

    def jump(self, by: timedelta) -> None:
        """Put the wall clock forward or back; no time passes."""
        self.at += by
        self.jumped += by

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self.at += by


@dataclass(slots=True)
class CountedIds:
    """Ids and tokens that count up, in the true form."""

    last: int = 0

    def new(self, prefix: str) -> str:
        """The next id: prefix, underscore, 26 characters."""
        self.last += 1
        return f"{prefix}_{self.last:026d}"

    def token(self, length_bytes: int = 32) -> str:
        """The next token, as long as a true one of this many bytes."""
        self.last += 1
        return f"{self.last:0{(length_bytes * 8 + 5) // 6}d}"

    def fraction(self) -> float:
        """Always the middle."""
        return 0.5


def open_connection(
    kind: str,
    *,
    secrets: Mapping[str, str | Sequence[str]] | None = None,
    settings: Mapping[str, str] | None = None,
    connection_id: str = "conn_00000000000000000000000001",
) -> OpenConnection:
    """A live connection; a secret given as a list has several live values, newest first."""
    values = {name: (value,) if isinstance(value, str) else value for name, value in (secrets or {}).items()}
    return OpenConnection(
        Connection(
            workspace_id="ws_1",
            connection_id=connection_id,
            kind=kind,
            name=kind,
            settings=dict(settings or {}),
            state=ConnectionState.ACTIVE,
            created_at=NOW,
        ),
        {name: tuple(Secret(text) for text in texts) for name, texts in values.items()},
    )
