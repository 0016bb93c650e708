"""Everything of one person by the person, and the flag that holds it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Row,
    Table,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from leadgate.model.deliveries import Attempt, DeliveryKind
from leadgate.ports.stores.persons import (
    PersonsDelivery,
    PersonsLead,
    Resumed,
    StoredIdentifier,
    StoredInvitation,
    StoredJoin,
    StoredSubject,
)
from leadgate.ports.stores.records import StoredEvent
from leadgate.storage.base import LIMIT, SqlStore, given, of_workspace
from leadgate.storage.deliveries import read_attempt, read_delivery
from leadgate.storage.events import read_event
from leadgate.storage.lanes import SqlLaneStore
from leadgate.storage.leads import read_lead
from leadgate.storage.schema import (
    DELIVERY_IS_OPEN,
    EVENT_HAS_SUBJECT,
    SUBJECT_IS_BLOCKED,
    accepted_leads,
    attempts,
    consent_register,
    conversations,
    deliveries,
    events,
    identifiers,
    invitations,
    lanes,
    leads,
    messages,
    subject_joins,
    subjects,
)

_IDS: BindParameter[Any] = bindparam("subject_ids", expanding=True)
_AFTER: BindParameter[Any] = bindparam("after")


def _theirs(table: Table) -> ColumnElement[bool]:
    return and_(of_workspace(table), table.c.subject_id.in_(_IDS))


_BLOCKED = select(subjects.c.subject_id).where(SUBJECT_IS_BLOCKED, _theirs(subjects))
_HAS_BLOCKED = select(subjects.c.subject_id).where(SUBJECT_IS_BLOCKED, of_workspace(subjects)).limit(1)
_HOLD_BACK = (
    update(deliveries)
    .where(of_workspace(deliveries), deliveries.c.delivery_id.in_(bindparam("delivery_ids", expanding=True)))
    .values(due_at=None)
)
_FIND = select(subjects).where(of_workspace(subjects), given(subjects.c.subject_id))
_ALL_OF = select(subjects).where(_theirs(subjects)).order_by(subjects.c.created_at, subjects.c.subject_id)
_BLOCK = update(subjects).where(_theirs(subjects), subjects.c.blocked_at.is_(None))
_UNBLOCK = update(subjects).where(_theirs(subjects)).values(blocked_at=None, block_reason=None)

_OPEN_LANES = select(deliveries.c.lane).where(_theirs(deliveries), DELIVERY_IS_OPEN)
# Whoever is about to write `sending` holds the row of the lane: who waits for it sees what was written.
_HOLD_LANES = (
    select(lanes.c.lane)
    .where(of_workspace(lanes), lanes.c.lane.in_(bindparam("lane_names", expanding=True)))
    .order_by(lanes.c.lane)
    .with_for_update()
)
_SENDING = (
    select(func.count())
    .select_from(deliveries)
    .where(_theirs(deliveries), DELIVERY_IS_OPEN, deliveries.c.state == "sending")
)
_WAITING = select(func.count()).select_from(deliveries).where(_theirs(deliveries), DELIVERY_IS_OPEN)

_IS_HELD = (
    _theirs(deliveries),
    DELIVERY_IS_OPEN,
    deliveries.c.due_at.is_(None),
    deliveries.c.error_code == bindparam("code"),
)
_EXPIRE = (
    update(deliveries)
    .where(
        *_IS_HELD,
        deliveries.c.state == "waiting",
        deliveries.c.kind == DeliveryKind.MESSAGE.value,
        deliveries.c.created_at < bindparam("messages_since", type_=deliveries.c.created_at.type),
    )
    .values(state="dead")
)
_HELD_LANES = (
    select(deliveries.c.lane, func.max(deliveries.c.connection_id).label("connection_id"))
    .where(*_IS_HELD)
    .group_by(deliveries.c.lane)
)
_LET_GO = update(deliveries).where(*_IS_HELD)
_REOPEN = (
    update(events)
    .where(EVENT_HAS_SUBJECT, _theirs(events), events.c.state == "ignored", events.c.reason == bindparam("code"))
    .values(state="received", reason=None, failures=0)
)

_NEXT_KIND = select(func.min(identifiers.c.kind)).where(
    of_workspace(identifiers), identifiers.c.kind > bindparam("last_kind")
)
_IDENTIFIERS = select(identifiers).where(_theirs(identifiers)).order_by(identifiers.c.created_at, identifiers.c.kind)
_DROP_IDENTIFIER = delete(identifiers).where(
    _theirs(identifiers), given(identifiers.c.kind), given(identifiers.c.value_index)
)
_JOINS = (
    select(subject_joins)
    .where(
        of_workspace(subject_joins),
        or_(subject_joins.c.subject_id.in_(_IDS), subject_joins.c.into_subject_id.in_(_IDS)),
    )
    .order_by(subject_joins.c.joined_at, subject_joins.c.subject_id)
)
_INVITATIONS = select(invitations).where(_theirs(invitations)).order_by(invitations.c.created_at)
_EVENTS = (
    select(events).where(EVENT_HAS_SUBJECT, _theirs(events), events.c.seq > _AFTER).order_by(events.c.seq).limit(LIMIT)
)
_LEADS = (
    select(leads, accepted_leads.c.accepted_at)
    .outerjoin(
        accepted_leads,
        and_(accepted_leads.c.workspace_id == leads.c.workspace_id, accepted_leads.c.lead_id == leads.c.lead_id),
    )
    .where(_theirs(leads))
    .order_by(leads.c.seq)
)
_DELIVERIES = (
    select(deliveries).where(_theirs(deliveries), deliveries.c.seq > _AFTER).order_by(deliveries.c.seq).limit(LIMIT)
)
_ATTEMPTS = (
    select(attempts)
    .where(of_workspace(attempts), attempts.c.delivery_id.in_(bindparam("delivery_ids", expanding=True)))
    .order_by(attempts.c.delivery_id, attempts.c.number)
)
_CHATS = select(conversations.c.conversation_id).where(_theirs(conversations))
_COUNTS = {
    # By their conversations: messages have an index of those alone.
    "messages": select(func.count())
    .select_from(messages)
    .where(of_workspace(messages), messages.c.conversation_id.in_(_CHATS)),
    "events": select(func.count()).select_from(events).where(EVENT_HAS_SUBJECT, _theirs(events)),
    "leads": select(func.count()).select_from(leads).where(_theirs(leads)),
    "deliveries": select(func.count()).select_from(deliveries).where(_theirs(deliveries)),
    "waiting": _WAITING,
    "consents": select(func.count()).select_from(consent_register).where(_theirs(consent_register)),
    "invitations": select(func.count()).select_from(invitations).where(_theirs(invitations)),
}


class SqlPersonStore(SqlStore):
    """See `ports.stores.persons.PersonStore`."""

    def blocked(self, subject_ids: Collection[str]) -> frozenset[str]:
        """From the index of the blocked alone."""
        if not subject_ids:
            return frozenset()
        return frozenset(row.subject_id for row in self._run(_BLOCKED, subject_ids=sorted(subject_ids)))

    def has_blocked(self) -> bool:
        """One look at an index that is nearly always empty."""
        return self._run(_HAS_BLOCKED).first() is not None

    def hold_back(self, delivery_ids: Sequence[str], *, code: str) -> None:
        """No due time: out of every worker's sight."""
        self._run(_HOLD_BACK, delivery_ids=list(delivery_ids), error_code=code)

    def find(self, subject_id: str) -> StoredSubject | None:
        """One subject."""
        row = self._one(_FIND, for_subject_id=subject_id)
        return None if row is None else _subject(row)

    def all_of(self, subject_ids: Sequence[str]) -> Sequence[StoredSubject]:
        """Oldest first."""
        return [_subject(row) for row in self._of(_ALL_OF, subject_ids)]

    def set_blocked(self, subject_ids: Sequence[str], *, reason: str, at: datetime) -> None:
        """The first time and reason stand."""
        self._run(_BLOCK, subject_ids=list(subject_ids), blocked_at=at, block_reason=reason)

    def set_unblocked(self, subject_ids: Sequence[str]) -> None:
        """Neither time nor reason."""
        self._of(_UNBLOCK, subject_ids)

    def in_hand(self, subject_ids: Sequence[str]) -> int:
        """Behind the locks of the lanes."""
        names = sorted({row.lane for row in self._of(_OPEN_LANES, subject_ids)})
        if names:
            self._run(_HOLD_LANES, lane_names=names).all()
        return int(self._of(_SENDING, subject_ids).scalar_one())

    def resume(self, subject_ids: Sequence[str], *, code: str, messages_since: datetime, at: datetime) -> Resumed:
        """Deliveries in the order in which they were decided on, as the lanes keep it."""
        held = {"subject_ids": list(subject_ids), "code": code}
        expired = self._run(
            _EXPIRE, **held, messages_since=messages_since, error_code="message.too_late", done_at=at
        ).rowcount
        found = self._run(_HELD_LANES, **held).all()
        let_go = self._run(_LET_GO, **held, due_at=at, error_code=None).rowcount
        wake = SqlLaneStore(self._connection, self._workspace_id).wake
        for row in found:
            wake(row.lane, connection_id=row.connection_id, due_at=at)
        reopened = self._run(_REOPEN, **held).rowcount
        return Resumed(deliveries=let_go, too_late=expired, events=reopened)

    def count_waiting(self, subject_ids: Sequence[str]) -> int:
        """From the deliveries of the person."""
        return int(self._of(_WAITING, subject_ids).scalar_one())

    def identifier_kinds(self) -> Sequence[str]:
        """One step in the index for each kind: the table is not walked through."""
        kinds: list[str] = []
        while (kind := self._run(_NEXT_KIND, last_kind=kinds[-1] if kinds else "").scalar()) is not None:
            kinds.append(str(kind))
        return kinds

    def identifiers(self, subject_ids: Sequence[str]) -> Sequence[StoredIdentifier]:
        """Oldest first."""
        return [
            StoredIdentifier(
                subject_id=row.subject_id, kind=row.kind, value_index=row.value_index, created_at=row.created_at
            )
            for row in self._of(_IDENTIFIERS, subject_ids)
        ]

    def drop_identifier(self, subject_ids: Sequence[str], kind: str, value_index: bytes) -> bool:
        """Only when it is theirs."""
        values = {"for_kind": kind, "for_value_index": value_index}
        return self._run(_DROP_IDENTIFIER, subject_ids=list(subject_ids), **values).rowcount > 0

    def joins(self, subject_ids: Sequence[str]) -> Sequence[StoredJoin]:
        """Oldest first."""
        return [
            StoredJoin(
                subject_id=row.subject_id,
                into_subject_id=row.into_subject_id,
                reason=row.reason,
                joined_at=row.joined_at,
            )
            for row in self._of(_JOINS, subject_ids)
        ]

    def invitations(self, subject_ids: Sequence[str]) -> Sequence[StoredInvitation]:
        """Oldest first."""
        return [
            StoredInvitation(
                subject_id=row.subject_id, created_at=row.created_at, expires_at=row.expires_at, used_at=row.used_at
            )
            for row in self._of(_INVITATIONS, subject_ids)
        ]

    def events(self, subject_ids: Sequence[str], *, after: int, limit: int) -> Sequence[StoredEvent]:
        """Oldest first."""
        return [read_event(row) for row in self._run(_EVENTS, subject_ids=list(subject_ids), after=after, limit=limit)]

    def leads(self, subject_ids: Sequence[str]) -> Sequence[PersonsLead]:
        """Oldest first."""
        return [
            PersonsLead(lead=read_lead(row), closed_at=row.closed_at, accepted_at=row.accepted_at)
            for row in self._of(_LEADS, subject_ids)
        ]

    def deliveries(
        self, subject_ids: Sequence[str], *, after: int, limit: int
    ) -> Sequence[tuple[int, PersonsDelivery]]:
        """Oldest first."""
        return [
            (
                row.seq,
                PersonsDelivery(delivery=read_delivery(row), error_code=row.error_code, done_at=row.done_at),
            )
            for row in self._run(_DELIVERIES, subject_ids=list(subject_ids), after=after, limit=limit)
        ]

    def attempts(self, delivery_ids: Sequence[str]) -> Mapping[str, Sequence[Attempt]]:
        """One read for all."""
        found: dict[str, list[Attempt]] = {}
        for row in self._run(_ATTEMPTS, delivery_ids=list(delivery_ids)):
            found.setdefault(row.delivery_id, []).append(read_attempt(row))
        return found

    def counts(self, subject_ids: Sequence[str]) -> Mapping[str, int]:
        """One count for each."""
        return {name: int(self._of(count, subject_ids).scalar_one()) for name, count in _COUNTS.items()}

    def _of(self, statement: Executable, subject_ids: Sequence[str]) -> Any:
        return self._run(statement, subject_ids=list(subject_ids))


def _subject(row: Row[Any]) -> StoredSubject:
    return StoredSubject(
        subject_id=row.subject_id,
        created_at=row.created_at,
        erased_at=row.erased_at,
        blocked_at=row.blocked_at,
        block_reason=row.block_reason,
    )
