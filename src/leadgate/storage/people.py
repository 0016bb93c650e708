"""Data keys, subjects and what they are known by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update

from leadgate.ports.stores import WrappedKey
from leadgate.storage.base import LIMIT, SqlStore, given, insert_unless_there, of_workspace
from leadgate.storage.schema import data_keys, identifiers, subject_joins, subjects, workspaces

_FIND_KEY = select(data_keys).where(of_workspace(data_keys), given(data_keys.c.scope))
_ADD_KEY = insert(data_keys)
# Whoever destroys the key waits until the transaction that read it so is over. SQLite has one writer and leaves the lock away.
_HOLD_KEY = (
    select(data_keys.c.scope)
    .where(of_workspace(data_keys), given(data_keys.c.scope))
    .with_for_update(read=True, key_share=True)
)
_COUNT_KEYS = (
    select(data_keys.c.wrapper_key_id, func.count().label("keys"))
    .where(of_workspace(data_keys))
    .group_by(data_keys.c.wrapper_key_id)
)
_OTHER_KEYS = (
    select(data_keys)
    .where(
        of_workspace(data_keys),
        data_keys.c.wrapper_key_id != bindparam("but"),
        data_keys.c.scope > bindparam("after"),
    )
    .order_by(data_keys.c.scope)
    .limit(LIMIT)
)
_REWRAP_KEY = update(data_keys).where(
    of_workspace(data_keys), given(data_keys.c.scope), given(data_keys.c.wrapped_key), given(data_keys.c.wrapper_key_id)
)
_FIND_RECOVERY = select(workspaces.c.sealed_recovery).where(of_workspace(workspaces))
_KEEP_RECOVERY = update(workspaces).where(of_workspace(workspaces))


class SqlKeyStore(SqlStore):
    """See `ports.stores.KeyStore`."""

    def find(self, scope: str) -> WrappedKey | None:
        """The wrapped key of a scope."""
        row = self._one(_FIND_KEY, for_scope=scope)
        if row is None:
            return None
        return WrappedKey(scope=row.scope, wrapped_key=row.wrapped_key, wrapper_key_id=row.wrapper_key_id)

    def add(self, key: WrappedKey, *, at: datetime) -> None:
        """Keep a new wrapped key."""
        self._keep(
            _ADD_KEY,
            scope=key.scope,
            wrapped_key=key.wrapped_key,
            wrapper_key_id=key.wrapper_key_id,
            created_at=at,
        )

    def hold(self, scope: str) -> bool:
        """Keep it from being destroyed for the length of the transaction."""
        return self._one(_HOLD_KEY, for_scope=scope) is not None

    def counts(self) -> Mapping[str, int]:
        """How many keys each key encryption key wraps."""
        return {row.wrapper_key_id: row.keys for row in self._run(_COUNT_KEYS)}

    def wrapped_by_others(self, key_id: str, *, after: str, limit: int) -> Sequence[WrappedKey]:
        """Keys that another key than this one wraps."""
        found = self._run(_OTHER_KEYS, but=key_id, after=after, limit=limit)
        return [WrappedKey(scope=r.scope, wrapped_key=r.wrapped_key, wrapper_key_id=r.wrapper_key_id) for r in found]

    def rewrap(self, old: WrappedKey, new: WrappedKey) -> bool:
        """Put the second in the place of the first."""
        done = self._run(
            _REWRAP_KEY,
            for_scope=old.scope,
            for_wrapped_key=old.wrapped_key,
            for_wrapper_key_id=old.wrapper_key_id,
            wrapped_key=new.wrapped_key,
            wrapper_key_id=new.wrapper_key_id,
        )
        return done.rowcount == 1

    def find_recovery(self) -> bytes | None:
        """The copy of the key encryption key for the paper."""
        copy: bytes | None = self._run(_FIND_RECOVERY).scalar()
        return copy

    def keep_recovery(self, copy: bytes | None) -> None:
        """Replace it."""
        self._run(_KEEP_RECOVERY, sealed_recovery=copy)


_FIND_SUBJECT = select(identifiers.c.subject_id).where(
    of_workspace(identifiers), given(identifiers.c.kind), given(identifiers.c.value_index)
)
_ADD_SUBJECT = insert(subjects)
_ADD_IDENTIFIER = insert_unless_there(identifiers)
_FIND_PROFILE = select(subjects.c.sealed_profile).where(of_workspace(subjects), given(subjects.c.subject_id))
_CHANGE_SUBJECT = update(subjects).where(of_workspace(subjects), given(subjects.c.subject_id))

_LOCK = (
    select(subjects.c.subject_id)
    .where(of_workspace(subjects), subjects.c.subject_id.in_(bindparam("subject_ids", expanding=True)))
    .order_by(subjects.c.subject_id)
    .with_for_update()
)
_ERASED = select(subjects.c.subject_id).where(
    of_workspace(subjects),
    subjects.c.subject_id.in_(bindparam("subject_ids", expanding=True)),
    subjects.c.erased_at.is_not(None),
)
_JOIN = insert_unless_there(subject_joins)
_FIND_JOINED = select(subject_joins.c.into_subject_id).where(
    of_workspace(subject_joins), given(subject_joins.c.subject_id)
)
_JOINED_INTO = select(subject_joins.c.subject_id).where(
    of_workspace(subject_joins), given(subject_joins.c.into_subject_id)
)


class SqlSubjectStore(SqlStore):
    """See `ports.stores.SubjectStore`."""

    def find_by(self, kind: str, value_index: bytes) -> str | None:
        """Whose identifier this is."""
        row = self._one(_FIND_SUBJECT, for_kind=kind, for_value_index=value_index)
        return None if row is None else str(row.subject_id)

    def add(self, subject_id: str, *, at: datetime) -> None:
        """Keep a new subject."""
        self._keep(_ADD_SUBJECT, subject_id=subject_id, created_at=at)

    def add_identifier(self, subject_id: str, kind: str, value_index: bytes, *, at: datetime) -> None:
        """Tie an identifier to a subject, unless somebody has it."""
        self._keep(_ADD_IDENTIFIER, kind=kind, value_index=value_index, subject_id=subject_id, created_at=at)

    def lock(self, *subject_ids: str) -> None:
        """In the order of ids, so that no two wait for each other; SQLite has one writer anyway."""
        self._run(_LOCK, subject_ids=sorted(subject_ids)).all()

    def join(self, subject_id: str, into_subject_id: str, *, reason: str, at: datetime) -> None:
        """Know the first as the second from now on."""
        self._keep(_JOIN, subject_id=subject_id, into_subject_id=into_subject_id, reason=reason, joined_at=at)

    def erased_among(self, subject_ids: Collection[str]) -> frozenset[str]:
        """By their keys."""
        rows = self._run(_ERASED, subject_ids=sorted(subject_ids)) if subject_ids else ()
        return frozenset(row.subject_id for row in rows)

    def find_joined(self, subject_id: str) -> str | None:
        """One step up."""
        row = self._one(_FIND_JOINED, for_subject_id=subject_id)
        return None if row is None else str(row.into_subject_id)

    def joined_into(self, subject_id: str) -> Sequence[str]:
        """One step down."""
        return [row.subject_id for row in self._run(_JOINED_INTO, for_into_subject_id=subject_id)]

    def find_profile(self, subject_id: str) -> bytes | None:
        """The sealed profile."""
        row = self._one(_FIND_PROFILE, for_subject_id=subject_id)
        return None if row is None else row.sealed_profile

    def set_profile(self, subject_id: str, sealed_profile: bytes) -> None:
        """Replace the sealed profile."""
        self._run(_CHANGE_SUBJECT, for_subject_id=subject_id, sealed_profile=sealed_profile)
