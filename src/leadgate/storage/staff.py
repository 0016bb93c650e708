"""People who sign in, their one-time addresses and sessions; and the salon's own entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from leadgate.errors import ConflictError
from leadgate.model.staff import Role, Staff
from leadgate.storage.base import SqlStore
from leadgate.storage.schema import salon_entries, sessions, setup_tokens, sign_in_failures, staff


class SqlStaffStore(SqlStore):
    """See `ports.stores.StaffStore`."""

    def add(self, person: Staff) -> None:
        """Keep a new person; until a name is chosen the id stands for it."""
        self._connection.execute(
            insert(staff).values(
                workspace_id=self._workspace_id,
                staff_id=person.staff_id,
                name=person.name,
                name_key=person.staff_id,
                role=person.role.value,
                created_at=person.created_at,
            )
        )

    def all(self) -> Sequence[Staff]:
        """Everybody who is not disabled, oldest first."""
        query = select(staff).where(self._mine(staff), staff.c.disabled_at.is_(None)).order_by(staff.c.created_at)
        return [_staff(row) for row in self._connection.execute(query)]

    def find(self, staff_id: str) -> Staff | None:
        """One person who is not disabled."""
        row = self._one(
            select(staff).where(self._mine(staff), staff.c.staff_id == staff_id, staff.c.disabled_at.is_(None))
        )
        return None if row is None else _staff(row)

    def has_password(self, staff_id: str) -> bool:
        """True when the person has set one."""
        row = self._one(
            select(staff.c.staff_id).where(
                self._mine(staff), staff.c.staff_id == staff_id, staff.c.password_hash.is_not(None)
            )
        )
        return row is not None

    def find_password(self, name_key: str) -> tuple[Staff, str] | None:
        """The person of a sign-in name who has a password."""
        row = self._one(
            select(staff).where(
                self._mine(staff),
                staff.c.name_key == name_key,
                staff.c.disabled_at.is_(None),
                staff.c.password_hash.is_not(None),
            )
        )
        return None if row is None else (_staff(row), row.password_hash)

    def set_password(self, staff_id: str, *, name: str, name_key: str, password_hash: str) -> None:
        """Set name and password."""
        taken = select(staff.c.staff_id).where(
            self._mine(staff), staff.c.name_key == name_key, staff.c.staff_id != staff_id
        )
        if self._one(taken) is not None:
            raise ConflictError("Somebody has this name already.", code="staff.name_taken")
        self._connection.execute(
            update(staff)
            .where(self._mine(staff), staff.c.staff_id == staff_id)
            .values(name=name, name_key=name_key, password_hash=password_hash)
        )

    def add_setup_token(self, token_hash: bytes, *, staff_id: str, expires_at: datetime) -> None:
        """Keep a one-time address; older ones of the person go."""
        self._connection.execute(
            delete(setup_tokens).where(self._mine(setup_tokens), setup_tokens.c.staff_id == staff_id)
        )
        self._connection.execute(
            insert(setup_tokens).values(
                workspace_id=self._workspace_id, token_hash=token_hash, staff_id=staff_id, expires_at=expires_at
            )
        )

    def find_setup_token(self, token_hash: bytes, *, now: datetime) -> str | None:
        """Whose live address this is."""
        row = self._one(select(setup_tokens.c.staff_id).where(*_live(token_hash, now), self._mine(setup_tokens)))
        return None if row is None else str(row.staff_id)

    def use_setup_token(self, token_hash: bytes, *, now: datetime) -> str | None:
        """Use it up, once: of two who try only one changes the row."""
        staff_id = self.find_setup_token(token_hash, now=now)
        statement = update(setup_tokens).where(*_live(token_hash, now), self._mine(setup_tokens)).values(used_at=now)
        return staff_id if self._connection.execute(statement).rowcount == 1 else None

    def add_session(
        self, token_hash: bytes, *, staff_id: str, csrf_token: str, now: datetime, expires_at: datetime
    ) -> None:
        """Keep a session."""
        values = {"token_hash": token_hash, "staff_id": staff_id, "csrf_token": csrf_token}
        times = {"created_at": now, "seen_at": now, "expires_at": expires_at}
        self._connection.execute(insert(sessions).values(workspace_id=self._workspace_id, **values, **times))
        self._connection.execute(delete(sessions).where(self._mine(sessions), sessions.c.expires_at < now))

    def find_session(self, token_hash: bytes, *, now: datetime) -> tuple[str, str, datetime, datetime] | None:
        """Staff id, CSRF token, last seen and end of a session that has not ended."""
        row = self._one(
            select(sessions).where(
                self._mine(sessions), sessions.c.token_hash == token_hash, sessions.c.expires_at > now
            )
        )
        return None if row is None else (row.staff_id, row.csrf_token, row.seen_at, row.expires_at)

    def touch_session(self, token_hash: bytes, *, now: datetime) -> None:
        """It was used."""
        self._connection.execute(
            update(sessions).where(self._mine(sessions), sessions.c.token_hash == token_hash).values(seen_at=now)
        )

    def end_session(self, token_hash: bytes) -> None:
        """It is over."""
        self._connection.execute(delete(sessions).where(self._mine(sessions), sessions.c.token_hash == token_hash))

    def end_sessions_of(self, staff_id: str) -> None:
        """All of a person are over."""
        self._connection.execute(delete(sessions).where(self._mine(sessions), sessions.c.staff_id == staff_id))

    def failures(self, name_key: str) -> tuple[int, datetime] | None:
        """Failures in a row and the last time."""
        table = sign_in_failures
        row = self._one(select(table).where(self._mine(table), table.c.name_key == name_key))
        return None if row is None else (row.failures, row.failed_at)

    def count_failure(self, name_key: str, *, at: datetime) -> None:
        """One more."""
        table = sign_in_failures
        statement = self._insert(table).values(
            workspace_id=self._workspace_id, name_key=name_key, failures=1, failed_at=at
        )
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["workspace_id", "name_key"],
                set_={"failures": table.c.failures + 1, "failed_at": statement.excluded.failed_at},
            )
        )

    def clear_failures(self, name_key: str) -> None:
        """Start anew."""
        table = sign_in_failures
        self._connection.execute(delete(table).where(self._mine(table), table.c.name_key == name_key))


class SqlSalonStore(SqlStore):
    """See `ports.stores.SalonStore`."""

    def put(self, kind: str, entry_id: str, *, position: int, body: str) -> None:
        """Keep or replace an entry."""
        statement = self._insert(salon_entries).values(
            workspace_id=self._workspace_id, kind=kind, entry_id=entry_id, position=position, body=body
        )
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["workspace_id", "kind", "entry_id"],
                set_={"position": statement.excluded.position, "body": statement.excluded.body},
            )
        )

    def all(self, kind: str) -> Sequence[tuple[str, str]]:
        """Entry ids and bodies in order."""
        query = select(salon_entries).where(self._mine(salon_entries), salon_entries.c.kind == kind)
        rows = self._connection.execute(query.order_by(salon_entries.c.position, salon_entries.c.entry_id))
        return [(row.entry_id, row.body) for row in rows]


def _live(token_hash: bytes, now: datetime) -> tuple[Any, ...]:
    table = setup_tokens
    return table.c.token_hash == token_hash, table.c.used_at.is_(None), table.c.expires_at > now


def _staff(row: Row[Any]) -> Staff:
    return Staff(
        workspace_id=row.workspace_id,
        staff_id=row.staff_id,
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
    )
