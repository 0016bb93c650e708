"""People who sign in, their one-time addresses and sessions; and the salon's own entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from leadgate.errors import ConflictError
from leadgate.model.staff import Role, Staff
from leadgate.ports.stores.staff import StoredSession
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

    def find_by_name(self, name_key: str) -> Staff | None:
        """The person of a sign-in name."""
        row = self._one(
            select(staff).where(self._mine(staff), staff.c.name_key == name_key, staff.c.disabled_at.is_(None))
        )
        return None if row is None else _staff(row)

    def owners(self) -> Sequence[Staff]:
        """Owners with a password, locked."""
        query = select(staff).where(
            self._mine(staff),
            staff.c.role == Role.OWNER.value,
            staff.c.disabled_at.is_(None),
            staff.c.password_hash.is_not(None),
        )
        return [_staff(row) for row in self._connection.execute(query.with_for_update())]

    def set_name(self, staff_id: str, *, name: str, name_key: str) -> None:
        """How they are called."""
        self._change(staff_id, name=name, name_key=name_key)

    def password_hash(self, staff_id: str) -> str | None:
        """Of somebody who works here."""
        row = self._one(
            select(staff.c.password_hash).where(
                self._mine(staff), staff.c.staff_id == staff_id, staff.c.disabled_at.is_(None)
            )
        )
        return None if row is None else row.password_hash

    def set_role(self, staff_id: str, role: Role) -> None:
        """Another role."""
        self._change(staff_id, role=role.value)

    def disable(self, staff_id: str, *, at: datetime) -> None:
        """They are gone; the id stands for the name, so that somebody else may have it."""
        self._change(staff_id, disabled_at=at, name_key=staff_id, password_hash=None)

    def drop_password(self, staff_id: str) -> None:
        """Take it away."""
        self._change(staff_id, password_hash=None)

    def drop_setup_tokens(self, staff_id: str) -> None:
        """Forget them."""
        self._connection.execute(
            delete(setup_tokens).where(self._mine(setup_tokens), setup_tokens.c.staff_id == staff_id)
        )

    def invitations(self, *, now: datetime) -> Sequence[tuple[str, datetime]]:
        """Addresses that nobody has used yet."""
        table = setup_tokens
        query = select(table).where(self._mine(table), table.c.used_at.is_(None), table.c.expires_at > now)
        return [(row.staff_id, row.expires_at) for row in self._connection.execute(query)]

    def _change(self, staff_id: str, **columns: object) -> None:
        self._connection.execute(update(staff).where(self._mine(staff), staff.c.staff_id == staff_id).values(**columns))

    def add_session(self, token_hash: bytes, session: StoredSession) -> None:
        """Keep a session."""
        values = {field.name: getattr(session, field.name) for field in fields(session)}
        self._connection.execute(
            insert(sessions).values(workspace_id=self._workspace_id, token_hash=token_hash, **values)
        )
        self._connection.execute(delete(sessions).where(self._mine(sessions), sessions.c.expires_at < session.seen_at))

    def find_session(self, token_hash: bytes, *, now: datetime) -> StoredSession | None:
        """One that has not ended."""
        row = self._one(
            select(sessions).where(
                self._mine(sessions), sessions.c.token_hash == token_hash, sessions.c.expires_at > now
            )
        )
        return None if row is None else _session(row)

    def sessions(self, *, now: datetime) -> Sequence[StoredSession]:
        """Last seen first."""
        query = select(sessions).where(self._mine(sessions), sessions.c.expires_at > now)
        return [_session(row) for row in self._connection.execute(query.order_by(sessions.c.seen_at.desc()))]

    def prove_session(self, token_hash: bytes, *, now: datetime) -> None:
        """Proven now."""
        self._connection.execute(
            update(sessions).where(self._mine(sessions), sessions.c.token_hash == token_hash).values(proven_at=now)
        )

    def end_session_of_id(self, session_id: str) -> str | None:
        """It is over."""
        mine = (self._mine(sessions), sessions.c.session_id == session_id)
        row = self._one(select(sessions.c.staff_id).where(*mine))
        self._connection.execute(delete(sessions).where(*mine))
        return None if row is None else str(row.staff_id)

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


def _session(row: Row[Any]) -> StoredSession:
    return StoredSession(**{field.name: getattr(row, field.name) for field in fields(StoredSession)})


def _staff(row: Row[Any]) -> Staff:
    return Staff(
        workspace_id=row.workspace_id,
        staff_id=row.staff_id,
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
    )
