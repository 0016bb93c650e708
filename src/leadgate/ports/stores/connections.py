"""Connections and their secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from leadgate.model.connections import CheckReport, Connection, ConnectionState
from leadgate.ports.stores.records import StoredSecret


class ConnectionStore(Protocol):
    """Connections and their secrets."""

    def all(self, *, removed: bool = False) -> Sequence[Connection]:
        """Connections, oldest first."""
        ...

    def find(self, connection_id: str) -> Connection | None:
        """One connection, removed ones too."""
        ...

    def refuse_taken(self, name: str) -> None:
        """Raises ConflictError when a live connection has the name."""
        ...

    def add(self, connection: Connection) -> None:
        """Keep a new connection. Raises ConflictError when a live one has the name."""
        ...

    def set_state(self, connection_id: str, state: ConnectionState, *, at: datetime) -> None:
        """Change the state."""
        ...

    def set_settings(self, connection_id: str, settings: Mapping[str, str], *, at: datetime) -> None:
        """Replace the public settings."""
        ...

    def retire_secret(self, connection_id: str, name: str, *, at: datetime) -> int:
        """Every version of a secret stops being live; returns the newest version's number, 0 when there is none."""
        ...

    def set_report(self, connection_id: str, report: CheckReport, *, at: datetime) -> None:
        """Keep the result of a live check."""
        ...

    def version(self) -> object:
        """Changes whenever any connection or secret changed; compare only for equality."""
        ...

    def add_secret(self, secret: StoredSecret) -> None:
        """Keep a new version of a secret."""
        ...

    def live_secrets(self, *, now: datetime) -> Sequence[StoredSecret]:
        """Live secrets of all connections, newest version first."""
        ...
