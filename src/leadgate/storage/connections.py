"""Connections and their secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from leadgate.errors import ConflictError
from leadgate.model.alerts import CANARY_ID
from leadgate.model.connections import CheckReport, Connection, ConnectionState, Finding, FindingState
from leadgate.ports.stores import StoredSecret
from leadgate.storage.base import SqlStore
from leadgate.storage.schema import connections, secrets


class SqlConnectionStore(SqlStore):
    """See `ports.stores.ConnectionStore`."""

    def all(self, *, removed: bool = False) -> Sequence[Connection]:
        """Oldest first."""
        query = select(connections).where(self._mine(connections), connections.c.connection_id != CANARY_ID)
        if not removed:
            query = query.where(connections.c.state != "removed")
        rows = self._connection.execute(query.order_by(connections.c.created_at, connections.c.connection_id))
        return [connection_of(row) for row in rows]

    def find(self, connection_id: str) -> Connection | None:
        """One connection."""
        row = self._one(select(connections).where(*self._is(connection_id)))
        return None if row is None else connection_of(row)

    def refuse_taken(self, name: str) -> None:
        """A name belongs to one live connection."""
        taken = select(connections.c.connection_id).where(
            self._mine(connections), connections.c.name == name, connections.c.state != "removed"
        )
        found = self._one(taken)
        if found is not None:
            raise ConflictError(
                f"There is a connection named {name!r} already.",
                code="connection.name_taken",
                hint="Choose another --name. Was its secret never shown because connecting was cut off? Then first run: "
                f"leadgate connections remove {found.connection_id}",
            )

    def add(self, connection: Connection) -> None:
        """Keep a new connection under a name that no live one has."""
        self.refuse_taken(connection.name)
        values = {
            "workspace_id": self._workspace_id,
            "connection_id": connection.connection_id,
            "kind": connection.kind,
            "name": connection.name,
            "settings": json.dumps(dict(connection.settings), ensure_ascii=False),
            "state": connection.state.value,
            "created_at": connection.created_at,
            "changed_at": connection.created_at,
        }
        try:
            self._connection.execute(insert(connections).values(values))
        except IntegrityError as error:
            raise ConflictError("This name was taken a moment ago.", code="connection.name_taken") from error

    def set_state(self, connection_id: str, state: ConnectionState, *, at: datetime) -> None:
        """Change the state."""
        statement = update(connections).where(*self._is(connection_id))
        self._connection.execute(statement.values(state=state.value, changed_at=at))

    def set_settings(self, connection_id: str, settings: Mapping[str, str], *, at: datetime) -> None:
        """Replace the public settings."""
        dumped = json.dumps(dict(settings), ensure_ascii=False)
        statement = update(connections).where(*self._is(connection_id))
        self._connection.execute(statement.values(settings=dumped, changed_at=at))

    def retire_secret(self, connection_id: str, name: str, *, at: datetime) -> int:
        """Every version stops being live."""
        mine = (self._mine(secrets), secrets.c.connection_id == connection_id, secrets.c.name == name)
        is_live = or_(secrets.c.live_until.is_(None), secrets.c.live_until > at)
        self._connection.execute(update(secrets).where(*mine, is_live).values(live_until=at))
        return int(self._connection.execute(select(func.max(secrets.c.version)).where(*mine)).scalar() or 0)

    def set_report(self, connection_id: str, report: CheckReport, *, at: datetime) -> None:
        """Keep the findings as JSON."""
        statement = update(connections).where(*self._is(connection_id))
        self._connection.execute(statement.values(report=dump_report(report), checked_at=at))

    def version(self) -> object:
        """Every connection with state, settings and time of change, and which secrets are live until when.

        The newest time alone would miss what a node wrote whose clock is behind.
        """
        c, s = connections.c, secrets.c
        changed = select(c.connection_id, c.state, c.settings, c.changed_at).where(self._mine(connections))
        versions = select(s.connection_id, s.name, s.version, s.live_until, s.is_candidate).where(self._mine(secrets))
        return tuple(frozenset(map(tuple, self._connection.execute(query))) for query in (changed, versions))

    def add_secret(self, secret: StoredSecret) -> None:
        """Keep a new version."""
        self._connection.execute(
            insert(secrets).values(
                workspace_id=self._workspace_id,
                connection_id=secret.connection_id,
                name=secret.name,
                version=secret.version,
                sealed_value=secret.sealed_value,
                created_at=secret.created_at,
                live_until=secret.live_until,
                made_by=secret.made_by,
                is_candidate=int(secret.is_candidate),
                overlap_s=secret.overlap_s,
            )
        )

    def live_secrets(self, *, now: datetime) -> Sequence[StoredSecret]:
        """Newest version first; candidates come after all that is good."""
        query = (
            select(secrets)
            .where(self._mine(secrets), or_(secrets.c.live_until.is_(None), secrets.c.live_until > now))
            .order_by(secrets.c.connection_id, secrets.c.name, secrets.c.is_candidate, secrets.c.version.desc())
        )
        return [secret_of(row) for row in self._connection.execute(query)]

    def _is(self, connection_id: str) -> tuple[Any, Any]:
        return self._mine(connections), connections.c.connection_id == connection_id


def connection_of(row: Row[Any]) -> Connection:
    """A connection from its row."""
    return Connection(
        workspace_id=row.workspace_id,
        connection_id=row.connection_id,
        kind=row.kind,
        name=row.name,
        settings=json.loads(row.settings),
        state=ConnectionState(row.state),
        created_at=row.created_at,
    )


def secret_of(row: Row[Any]) -> StoredSecret:
    """A version of a secret from its row."""
    return StoredSecret(
        connection_id=row.connection_id,
        name=row.name,
        version=row.version,
        sealed_value=row.sealed_value,
        created_at=row.created_at,
        live_until=row.live_until,
        made_by=row.made_by,
        is_candidate=bool(row.is_candidate),
        overlap_s=row.overlap_s,
    )


def dump_report(report: CheckReport) -> str:
    """A report as JSON."""
    fields = [{"code": f.code, "state": f.state.value, "text": f.text, "cure": f.cure} for f in report.findings]
    return json.dumps(fields, ensure_ascii=False)


def load_report(dumped: str | None) -> CheckReport | None:
    """A report from JSON."""
    if dumped is None:
        return None
    return CheckReport(
        tuple(Finding(f["code"], FindingState(f["state"]), f["text"], f["cure"]) for f in json.loads(dumped))
    )
