"""What is old enough to go. Tables are walked by sequence numbers: sweeping needs no index that arrivals would pay for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Table, and_, bindparam, delete, func, select, update

from leadgate.model.retention import DataKind, SweepMark, SweptPart
from leadgate.storage.base import LIMIT, SqlStore, TolerantInsert, given, insert_or, of_workspace
from leadgate.storage.schema import (
    DELIVERY_IS_OPEN,
    LEAD_IS_CURRENT,
    conversations,
    deliveries,
    events,
    leads,
    message_fates,
    messages,
    retention_marks,
    subject_joins,
    subjects,
)

_EMPTY = b""
_BEFORE = bindparam("before", type_=BigInteger)
_AFTER = bindparam("after", type_=BigInteger)
_UPTO = bindparam("upto", type_=BigInteger)


class _Walk(NamedTuple):
    """A table on its way from old to new.

    Attributes:
        goes: which of its old rows have something to destroy.
    """

    table: Table
    age: ColumnElement[Any]
    goes: ColumnElement[bool]


_HAS_BODY = events.c.sealed_body.is_not(None)
_HAS_PAYLOAD = deliveries.c.sealed_payload != _EMPTY
_WALKS: Mapping[DataKind, _Walk] = {
    DataKind.BODIES: _Walk(
        events, events.c.received_at, and_(_HAS_BODY, events.c.state.in_(("lead", "answered", "ignored")))
    ),
    DataKind.COPIES: _Walk(
        deliveries, deliveries.c.created_at, and_(_HAS_PAYLOAD, deliveries.c.state.in_(("done", "discarded")))
    ),
    DataKind.MESSAGES: _Walk(messages, messages.c.created_at, messages.c.seq > 0),
}


class _Steps(NamedTuple):
    chunk: Any
    count: Any


def _steps(walk: _Walk) -> _Steps:
    table, is_old = walk.table, walk.age < bindparam("before", type_=walk.age.type)
    after = (of_workspace(table), table.c.seq > _AFTER)
    ahead = select(table.c.seq, walk.age.label("age")).where(*after).order_by(table.c.seq).limit(LIMIT).subquery()
    chunk = select(
        func.max(ahead.c.seq),
        func.max(ahead.c.seq).filter(ahead.c.age < bindparam("before", type_=walk.age.type)),
        func.count(),
    )
    found = select(table.c.seq).where(*after, is_old, walk.goes).limit(LIMIT).subquery()
    return _Steps(chunk=chunk, count=select(func.count()).select_from(found))


def _these(kind: DataKind) -> ColumnElement[bool]:
    walk = _WALKS[kind]
    seq = walk.table.c.seq
    is_old = walk.age < bindparam("before", type_=walk.age.type)
    return and_(of_workspace(walk.table), seq > _AFTER, seq <= _UPTO, is_old, walk.goes)


_STEPS = {kind: _steps(walk) for kind, walk in _WALKS.items()}
_GO = {
    DataKind.BODIES: update(events).where(_these(DataKind.BODIES)).values(sealed_body=None),
    DataKind.COPIES: update(deliveries).where(_these(DataKind.COPIES)).values(sealed_payload=_EMPTY),
    DataKind.MESSAGES: delete(messages).where(_these(DataKind.MESSAGES)),
}
_FATES_GO = delete(message_fates).where(
    of_workspace(message_fates),
    message_fates.c.message_id.in_(select(messages.c.message_id).where(_these(DataKind.MESSAGES))),
)

# Few rows at any time, and each has an index of its own kind.
_FAILED = and_(
    of_workspace(events),
    events.c.state == "failed",
    events.c.processed_at < bindparam("before", type_=events.c.processed_at.type),
    _HAS_BODY,
)
_STUCK = and_(
    of_workspace(deliveries),
    deliveries.c.state.in_(("dead", "uncertain")),
    deliveries.c.created_at < bindparam("before", type_=deliveries.c.created_at.type),
)
_FAILED_GO = update(events).where(_FAILED).values(sealed_body=None)
_STUCK_ONES = select(deliveries.c.delivery_id).where(_STUCK).order_by(deliveries.c.seq).limit(LIMIT)
_COUNT_FAILED = select(func.count()).where(_FAILED).select_from(events)
_COUNT_STUCK = select(func.count()).where(_STUCK).select_from(deliveries)

_FIND_MARK = select(retention_marks).where(of_workspace(retention_marks), given(retention_marks.c.kind))


def _replace(new: TolerantInsert) -> TolerantInsert:
    own = ("place", "restarted_at", "swept_at", "gone_now", "gone_last", "gone_ever", "has_ended")
    return new.on_conflict_do_update(
        index_elements=["workspace_id", "kind"], set_={name: new.excluded[name] for name in own}
    )


_SET_MARK = insert_or(retention_marks, _replace)

_MADE_BEFORE = subjects.c.created_at < bindparam("before", type_=subjects.c.created_at.type)
_IS_JOINED = (
    select(subject_joins.c.subject_id)
    .where(subject_joins.c.workspace_id == subjects.c.workspace_id, subject_joins.c.subject_id == subjects.c.subject_id)
    .exists()
)
_NEXT_SUBJECTS = (
    select(subjects.c.subject_id, subjects.c.erased_at, _IS_JOINED.label("is_joined"))
    .where(of_workspace(subjects), subjects.c.subject_id > bindparam("after_id"), _MADE_BEFORE)
    .order_by(subjects.c.subject_id)
    .limit(LIMIT)
)
_AMONG: BindParameter[Any] = bindparam("subject_ids", expanding=True)
_IS_RECENT = bindparam("before", type_=conversations.c.changed_at.type)
_BUSY = (
    select(conversations.c.subject_id).where(
        of_workspace(conversations), conversations.c.subject_id.in_(_AMONG), conversations.c.changed_at >= _IS_RECENT
    ),
    select(leads.c.subject_id).where(
        of_workspace(leads), leads.c.subject_id.in_(_AMONG), (leads.c.created_at >= _IS_RECENT) | LEAD_IS_CURRENT
    ),
    select(deliveries.c.subject_id).where(
        of_workspace(deliveries), deliveries.c.subject_id.in_(_AMONG), DELIVERY_IS_OPEN
    ),
)
_JOINED_TO = select(subject_joins.c.subject_id, subject_joins.c.into_subject_id).where(
    of_workspace(subject_joins), subject_joins.c.into_subject_id.in_(_AMONG)
)


class SqlRetentionStore(SqlStore):
    """See `ports.stores.RetentionStore`."""

    def mark(self, kind: DataKind) -> SweepMark:
        """How far it was swept."""
        row = self._one(_FIND_MARK, for_kind=kind.value)
        if row is None:
            return SweepMark(kind=kind)
        return SweepMark(
            kind=kind,
            place=row.place,
            restarted_at=row.restarted_at,
            swept_at=row.swept_at,
            gone_now=row.gone_now,
            gone_last=row.gone_last,
            gone_ever=row.gone_ever,
            has_ended=bool(row.has_ended),
        )

    def set_mark(self, mark: SweepMark) -> None:
        """Keep it."""
        self._keep(
            _SET_MARK,
            kind=mark.kind.value,
            place=mark.place,
            restarted_at=mark.restarted_at,
            swept_at=mark.swept_at,
            gone_now=mark.gone_now,
            gone_last=mark.gone_last,
            gone_ever=mark.gone_ever,
            has_ended=int(mark.has_ended),
        )

    def sweep(self, kind: DataKind, *, before: datetime, after: str, limit: int) -> SweptPart:
        """A chunk of the table, in one statement for each thing that goes."""
        if kind is DataKind.STUCK:
            return SweptPart(self._run(_FAILED_GO, before=before).rowcount, after, is_last=True)
        start = int(after or 0)
        row = self._run(_STEPS[kind].chunk, after=start, before=before, limit=limit).one()
        last, last_old, looked_at = tuple(row)
        if last_old is None:  # nothing old in it: what follows is younger still, but for clocks that were put back
            return SweptPart(0, after, is_last=True)
        span = {"after": start, "upto": last, "before": before}
        if kind is DataKind.MESSAGES:
            self._run(_FATES_GO, **span)
        gone = self._run(_GO[kind], **span).rowcount
        return SweptPart(gone, str(last_old), is_last=looked_at < limit)

    def stuck(self, *, before: datetime, limit: int) -> Sequence[str]:
        """The oldest first."""
        return [row.delivery_id for row in self._run(_STUCK_ONES, before=before, limit=limit)]

    def count(self, kind: DataKind, *, before: datetime, after: str, limit: int) -> int:
        """Up to the limit and one more."""
        if kind is DataKind.STUCK:
            failed: int = self._run(_COUNT_FAILED, before=before).scalar_one()
            stuck: int = self._run(_COUNT_STUCK, before=before).scalar_one()
            return min(failed + stuck, limit + 1)
        found: int = self._run(_STEPS[kind].count, after=int(after or 0), before=before, limit=limit + 1).scalar_one()
        return found

    def quiet_people(self, *, before: datetime, after: str, limit: int) -> tuple[Sequence[str], str]:
        """All that is one person is looked at together."""
        rows = self._run(_NEXT_SUBJECTS, after_id=after, before=before, limit=limit).all()
        if not rows:
            return [], ""
        people = [row.subject_id for row in rows if row.erased_at is None and not row.is_joined]
        roots = self._roots_of(people)
        busy = {
            roots[row.subject_id]
            for statement in _BUSY
            for row in self._run(statement, subject_ids=sorted(roots), before=before)
        }
        return [person for person in people if person not in busy], rows[-1].subject_id

    def _roots_of(self, people: Sequence[str]) -> dict[str, str]:
        """Every subject of these people, with the one that stands for the person."""
        roots = {person: person for person in people}
        ring = list(people)
        while ring:
            found = self._run(_JOINED_TO, subject_ids=ring).all()
            ring = [row.subject_id for row in found if row.subject_id not in roots]
            roots |= {row.subject_id: roots[row.into_subject_id] for row in found if row.subject_id in ring}
        return roots
