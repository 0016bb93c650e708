"""Erasing people from every table, and the list of those who were.

Deliberately plain: each table is asked for the person's rows as it stands, even where that reads all of it. People are erased a few
times a month, and an index for it would cost every message.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Row,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union,
    update,
)

from leadgate.model.deliveries import OPEN_STATES, DeliveryKind, DeliveryState
from leadgate.model.erasures import DestroyedKey, Erasure, ErasureReason, LeadToErase, OrderState
from leadgate.model.events import EventState
from leadgate.model.leads import LeadState
from leadgate.ports.stores import StoredEvent
from leadgate.storage.base import LIMIT, SqlStore, given, of_workspace
from leadgate.storage.events import read_event
from leadgate.storage.leads import find_ref
from leadgate.storage.schema import (
    EVENT_IS_PENDING,
    accepted_leads,
    consent_register,
    consents,
    conversations,
    data_keys,
    deliveries,
    erasures,
    events,
    identifiers,
    invitations,
    lanes,
    leads,
    message_fates,
    messages,
    subjects,
)

ERASED = "subject.erased"
"""Why an event was not worked on, or a delivery not made."""

UNREAD_SCOPE = "intake"
_FINGERPRINT_LENGTH = 16
_EMPTY = b""
_IN_DOUBT = ("sending", "unknown")

_SCOPES: BindParameter[Any] = bindparam("scopes", expanding=True)
_KEYS = select(data_keys.c.scope, data_keys.c.wrapped_key).where(
    of_workspace(data_keys), data_keys.c.scope.in_(_SCOPES)
)
# Overwritten first, so that the bytes are gone from the page even where a database does not clean what it frees.
_BLANK_KEYS = (
    update(data_keys)
    .where(of_workspace(data_keys), data_keys.c.scope.in_(_SCOPES))
    .values(wrapped_key=_EMPTY, wrapper_key_id="")
)
_DESTROY_KEYS = delete(data_keys).where(of_workspace(data_keys), data_keys.c.scope.in_(_SCOPES))

_PEOPLE: BindParameter[Any] = bindparam("subject_ids", expanding=True)
_EVENTS: BindParameter[Any] = bindparam("event_ids", expanding=True)


def _theirs(table: Any) -> Any:
    return and_(of_workspace(table), table.c.subject_id.in_(_PEOPLE))


_LEADS = select(leads).where(_theirs(leads)).order_by(leads.c.seq)
_OF_LEADS = select(deliveries.c.lead_id, deliveries.c.event_id, deliveries.c.attempts).where(
    of_workspace(deliveries), deliveries.c.lead_id.in_(bindparam("lead_ids", expanding=True))
)
_CHATS = select(conversations.c.connection_id, conversations.c.chat_index).where(_theirs(conversations))
_THEIR_EVENTS = union(
    select(events.c.event_id).where(_theirs(events)),
    select(messages.c.message_id).where(_theirs(messages), messages.c.outgoing == 0),
    select(deliveries.c.event_id).where(_theirs(deliveries), deliveries.c.event_id.is_not(None)),
    select(consent_register.c.event_id).where(_theirs(consent_register)),
)

_HIDE_SUBJECTS = (
    update(subjects)
    .where(_theirs(subjects))
    .values(
        sealed_profile=None,
        erased_at=func.coalesce(subjects.c.erased_at, bindparam("at", type_=subjects.c.erased_at.type)),
    )
)
_PROFILES = select(func.count()).where(_theirs(subjects), subjects.c.sealed_profile.is_not(None))
_DROP = {
    "identifiers": delete(identifiers).where(_theirs(identifiers)),
    "messages": delete(messages).where(_theirs(messages)),
    "conversations": delete(conversations).where(_theirs(conversations)),
    "invitations": delete(invitations).where(_theirs(invitations)),
}
_DROP_FATES = delete(message_fates).where(
    of_workspace(message_fates),
    or_(
        message_fates.c.message_id.in_(select(messages.c.message_id).where(_theirs(messages))),
        message_fates.c.message_id.in_(_EVENTS),
        message_fates.c.delivery_id.in_(select(deliveries.c.delivery_id).where(_theirs(deliveries))),
    ),
)
_CONSENTS = select(func.count()).where(_theirs(consent_register))
# What was told before there was a register, in a database that nothing has taken over yet.
_DROP_OLD_TOLD = delete(consents).where(_theirs(consents))
_DROP_LANES = delete(lanes).where(of_workspace(lanes), lanes.c.lane.in_(bindparam("lanes", expanding=True)))

_IS_THEIR_EVENT = (of_workspace(events), or_(events.c.subject_id.in_(_PEOPLE), events.c.event_id.in_(_EVENTS)))
_END_UNREAD = (
    update(events)
    .where(*_IS_THEIR_EVENT, events.c.state.in_((EventState.RECEIVED.value, EventState.FAILED.value)))
    .values(
        state=EventState.IGNORED.value,
        reason=ERASED,
        subject_id=func.coalesce(events.c.subject_id, bindparam("root")),
        processed_at=bindparam("at", type_=events.c.processed_at.type),
    )
)
_EMPTY_EVENTS = update(events).where(*_IS_THEIR_EVENT, events.c.sealed_body.is_not(None)).values(sealed_body=None)
# What was ignored or failed before anybody knew whose it was is theirs all the same: the ledger counts it among the erased.
_CLAIM_EVENTS = (
    update(events)
    .where(of_workspace(events), events.c.event_id.in_(_EVENTS), events.c.subject_id.is_(None))
    .values(subject_id=bindparam("root"))
)

_ORDER = DeliveryKind.ERASE_LEAD.value
_THEIR_DELIVERIES = (_theirs(deliveries), deliveries.c.kind != _ORDER)
_IS_TO_CRM = deliveries.c.kind != DeliveryKind.MESSAGE.value
# An entry in doubt is looked up in its lead: without one, and without a creation that may yet turn out to have made one, there is
# nothing to look it up in, and nothing that it could have been written to.
_creation = deliveries.alias("creation")
_HAS_LEAD = exists().where(
    leads.c.workspace_id == deliveries.c.workspace_id,
    leads.c.lead_id == deliveries.c.lead_id,
    leads.c.crm_id.is_not(None),
)
_MAY_HAVE_LEAD = exists().where(
    _creation.c.workspace_id == deliveries.c.workspace_id,
    _creation.c.lead_id == deliveries.c.lead_id,
    _creation.c.kind == DeliveryKind.CREATE_LEAD.value,
    _creation.c.state.in_(_IN_DOUBT),
)
_STAYS_OPEN = and_(_IS_TO_CRM, deliveries.c.state.in_(_IN_DOUBT), or_(_HAS_LEAD, _MAY_HAVE_LEAD))
_IS_UNDONE = and_(
    deliveries.c.state.in_([*(s.value for s in OPEN_STATES), DeliveryState.DEAD.value, DeliveryState.UNCERTAIN.value]),
    ~_STAYS_OPEN,
)
_CANCEL = (
    update(deliveries)
    .where(*_THEIR_DELIVERIES, _IS_UNDONE)
    .values(
        state=DeliveryState.DISCARDED.value,
        due_at=None,
        error_code=None,
        done_at=bindparam("at", type_=deliveries.c.done_at.type),
    )
)
_EMPTY_DELIVERIES = (
    update(deliveries)
    .where(*_THEIR_DELIVERIES, deliveries.c.sealed_payload != _EMPTY)
    .values(
        sealed_payload=_EMPTY,
        error_detail=None,
        # Somebody's own words, if there were any: they may name the person.
        discard_reason=case((deliveries.c.state == DeliveryState.DISCARDED.value, ERASED), else_=None),
        # The name of a chat's lane holds the blind index of the chat; a lane of this name is never worked on.
        lane=case((_IS_TO_CRM, deliveries.c.lane), else_=literal("erased:") + deliveries.c.connection_id),
        external_id=case((_IS_TO_CRM, deliveries.c.external_id), else_=None),
    )
)
_CLOSE_LEADS = (
    update(leads)
    .where(_theirs(leads), leads.c.state.in_((LeadState.PENDING.value, LeadState.OPEN.value)))
    .values(state=LeadState.CLOSED.value, closed_at=bindparam("at", type_=leads.c.closed_at.type))
)
_FORGET_ACCEPTANCES = (
    update(accepted_leads)
    .where(of_workspace(accepted_leads), accepted_leads.c.lead_id.in_(select(leads.c.lead_id).where(_theirs(leads))))
    .values(reason=ERASED)
)

_UNREAD = (
    select(events)
    .where(
        of_workspace(events),
        events.c.seq > bindparam("after_seq"),
        events.c.key_scope == UNREAD_SCOPE,
        events.c.sealed_body.is_not(None),
    )
    .order_by(events.c.seq)
    .limit(LIMIT)
)
_UNREAD_WAITING = _UNREAD.where(EVENT_IS_PENDING)

_MARKS = select(identifiers.c.kind, identifiers.c.value_index).where(_theirs(identifiers))
_COUNTS = {
    "subjects": select(func.count()).where(_theirs(subjects)),
    "conversations": select(func.count()).where(_theirs(conversations)),
    "messages": select(func.count()).where(_theirs(messages)),
    "event_bodies": select(func.count()).where(_theirs(events), events.c.sealed_body.is_not(None)),
    "leads": select(func.count()).where(_theirs(leads)),
    "waiting": select(func.count()).where(*_THEIR_DELIVERIES, _IS_UNDONE),
}

_ADD = insert(erasures)
_LAST = select(func.coalesce(func.max(erasures.c.number), 0)).where(of_workspace(erasures))
_ALL = select(erasures).where(of_workspace(erasures))
_FIND = _ALL.where(given(erasures.c.erasure_id))
_OF_SUBJECT = _ALL.where(erasures.c.subject_ids.contains(bindparam("quoted"))).order_by(erasures.c.number)
_NEWEST = _ALL.where(erasures.c.number < bindparam("before")).order_by(erasures.c.number.desc()).limit(LIMIT)
_AFTER = _ALL.where(erasures.c.number > bindparam("after")).order_by(erasures.c.number)
_UNANSWERED = _ALL.where(erasures.c.order_state.in_((OrderState.OPEN.value, OrderState.REFUSED.value))).order_by(
    erasures.c.number
)
_SET_ORDER = update(erasures).where(of_workspace(erasures), given(erasures.c.erasure_id))
_NO_NUMBER = 2**31 - 1


class SqlErasureStore(SqlStore):
    """See `ports.stores.ErasureStore`."""

    def destroy_keys(self, scopes: Sequence[str]) -> Sequence[DestroyedKey]:
        """The overwriting locks the rows: what was sealed before it is committed by then, and nothing is after it."""
        if not scopes:
            return []
        found = [DestroyedKey(scope=r.scope, fingerprint=_mark(r.wrapped_key)) for r in self._run(_KEYS, scopes=scopes)]
        self._run(_BLANK_KEYS, scopes=scopes)
        self._run(_DESTROY_KEYS, scopes=scopes)
        return sorted(found, key=lambda key: scopes.index(key.scope))

    def leads(self, subject_ids: Sequence[str]) -> Sequence[LeadToErase]:
        """With what their deliveries tell of them."""
        rows = self._run(_LEADS, subject_ids=subject_ids).all() if subject_ids else []
        told = self._run(_OF_LEADS, lead_ids=[row.lead_id for row in rows]).all() if rows else []
        found = [_lead(row, [each for each in told if each.lead_id == row.lead_id]) for row in rows]
        return [lead for lead in found if lead.ref is not None or lead.was_tried]

    def chat_lanes(self, subject_ids: Sequence[str]) -> Sequence[str]:
        """As `delivery.payloads.chat_lane` names them."""
        rows = self._run(_CHATS, subject_ids=subject_ids) if subject_ids else ()
        return [f"chat:{row.connection_id}:{row.chat_index.hex()}" for row in rows]

    def event_ids(self, subject_ids: Sequence[str]) -> Sequence[str]:
        """By the event itself, and by what came of it: a body may hold the words of several people."""
        return sorted(self._run(_THEIR_EVENTS, subject_ids=subject_ids).scalars()) if subject_ids else []

    def wipe(self, subject_ids: Sequence[str], event_ids: Sequence[str], *, at: datetime) -> Mapping[str, int]:
        """Fates before the messages that lead to them, lanes before the chats that name them."""
        people: dict[str, Any] = {"subject_ids": subject_ids}
        theirs = {**people, "event_ids": sorted({*event_ids, *self.event_ids(subject_ids)})}
        of_root = {"root": subject_ids[0]}
        counts = {"profiles": int(self._run(_PROFILES, **people).scalar_one())}
        self._run(_HIDE_SUBJECTS, **people, at=at)
        counts["fates"] = self._run(_DROP_FATES, **theirs).rowcount
        counts["unread_events"] = self._run(_END_UNREAD, **theirs, **of_root, at=at).rowcount
        counts["event_bodies"] = self._run(_EMPTY_EVENTS, **theirs).rowcount
        if event_ids:
            self._run(_CLAIM_EVENTS, event_ids=event_ids, **of_root)
        counts["cancelled"] = self._run(_CANCEL, **people, at=at).rowcount
        counts["payloads"] = self._run(_EMPTY_DELIVERIES, **people).rowcount
        self._run(_CLOSE_LEADS, **people, at=at)
        self._run(_FORGET_ACCEPTANCES, **people)
        if lanes_of_chats := self.chat_lanes(subject_ids):
            self._run(_DROP_LANES, lanes=lanes_of_chats)
        self._run(_DROP_OLD_TOLD, **people)
        for name, statement in _DROP.items():
            counts[name] = self._run(statement, **people).rowcount
        counts["consents_kept"] = int(self._run(_CONSENTS, **people).scalar_one())
        return counts

    def marks(self, subject_ids: Sequence[str]) -> frozenset[tuple[str, bytes]]:
        """Identifiers and chats."""
        if not subject_ids:
            return frozenset()
        known = {(row.kind, row.value_index) for row in self._run(_MARKS, subject_ids=subject_ids)}
        chats = self._run(_CHATS, subject_ids=subject_ids)
        return frozenset(known | {(f"chat:{row.connection_id}", row.chat_index) for row in chats})

    def count(self, subject_ids: Sequence[str]) -> Mapping[str, int]:
        """One count a table."""
        return {name: int(self._run(query, subject_ids=subject_ids).scalar_one()) for name, query in _COUNTS.items()}

    def unread(self, *, after_seq: int, limit: int, is_waiting: bool) -> Sequence[StoredEvent]:
        """Those that wait come from their partial index."""
        statement = _UNREAD_WAITING if is_waiting else _UNREAD
        return [read_event(row) for row in self._run(statement, after_seq=after_seq, limit=limit)]

    def add(self, erasure: Erasure) -> Erasure:
        """Two at once: the number is taken, and the second is written again by the storage."""
        number = int(self._run(_LAST).scalar_one()) + 1
        self._keep(
            _ADD,
            erasure_id=erasure.erasure_id,
            number=number,
            subject_ids=json.dumps(list(erasure.subject_ids)),
            reason=erasure.reason.value,
            requested_by=erasure.by,
            erased_at=erasure.at,
            destroyed_keys=json.dumps([[key.scope, key.fingerprint] for key in erasure.keys]),
            erased_rows=json.dumps(dict(erasure.rows)),
            delivery_ids=json.dumps(list(erasure.delivery_ids)),
            order_state=erasure.order.value,
            order_error_code=erasure.error_code,
        )
        kept = self.find(erasure.erasure_id)
        if kept is None:
            raise LookupError(erasure.erasure_id)
        return kept

    def find(self, erasure_id: str) -> Erasure | None:
        """By its id."""
        row = self._one(_FIND, for_erasure_id=erasure_id)
        return None if row is None else _erasure(row)

    def of_subject(self, subject_id: str) -> Erasure | None:
        """The first that names it."""
        row = self._run(_OF_SUBJECT, quoted=json.dumps(subject_id)).first()
        return None if row is None else _erasure(row)

    def newest(self, *, limit: int, before: int | None = None) -> Sequence[Erasure]:
        """By number."""
        return [_erasure(row) for row in self._run(_NEWEST, limit=limit, before=before or _NO_NUMBER)]

    def after(self, number: int) -> Sequence[Erasure]:
        """By number."""
        return [_erasure(row) for row in self._run(_AFTER, after=number)]

    def unanswered(self) -> Sequence[Erasure]:
        """Open and refused."""
        return [_erasure(row) for row in self._run(_UNANSWERED)]

    def set_order(
        self, erasure_id: str, state: OrderState, *, answer: str | None, error_code: str | None, at: datetime | None
    ) -> None:
        """Replace what is known."""
        values = {"order_state": state.value, "order_answer": answer, "order_error_code": error_code, "answered_at": at}
        self._run(_SET_ORDER, for_erasure_id=erasure_id, **values)

    def set_orders(
        self, erasure_id: str, state: OrderState, delivery_ids: Sequence[str], *, error_code: str | None
    ) -> None:
        """Replace state and deliveries."""
        values = {
            "order_state": state.value,
            "delivery_ids": json.dumps(list(delivery_ids)),
            "order_error_code": error_code,
        }
        self._run(_SET_ORDER, for_erasure_id=erasure_id, **values)


def _mark(wrapped_key: bytes) -> str:
    return hashlib.sha256(wrapped_key).hexdigest()[:_FINGERPRINT_LENGTH]


def _lead(row: Row[Any], told: Sequence[Row[Any]]) -> LeadToErase:
    return LeadToErase(
        lead_id=row.lead_id,
        origin_id=row.origin_id,
        ref=find_ref(row),
        crm_connection_id=row.crm_connection_id,
        event_ids=tuple(sorted({each.event_id for each in told if each.event_id is not None})),
        was_tried=any(each.attempts for each in told),
    )


def _erasure(row: Row[Any]) -> Erasure:
    return Erasure(
        erasure_id=row.erasure_id,
        number=row.number,
        subject_ids=json.loads(row.subject_ids),
        reason=ErasureReason(row.reason),
        by=row.requested_by,
        at=row.erased_at,
        keys=[DestroyedKey(scope=scope, fingerprint=mark) for scope, mark in json.loads(row.destroyed_keys)],
        rows=json.loads(row.erased_rows),
        delivery_ids=json.loads(row.delivery_ids),
        order=OrderState(row.order_state),
        answer=row.order_answer,
        error_code=row.order_error_code,
        answered_at=row.answered_at,
    )
