"""The stores of the working path build no statement while they work: building takes several times as long as running."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.engine.interfaces import CacheStats

from leadgate.model.consents import ConsentPurpose, ConsentText, Decision
from leadgate.model.deliveries import AttemptKind, AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.model.events import EventState
from leadgate.model.leads import CrmEntity, LeadRef, LeadState
from leadgate.ports.stores import StoredConsent, StoredConversation, StoredFate, WrappedKey
from leadgate.storage.engines import make_engine
from leadgate.storage.schema import events
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW
from leadgate.testing.databases import bring_up, sqlite_url
from leadgate.testing.storage_suite import (
    BOT,
    CRM,
    LANE,
    LATER,
    new_connection,
    new_delivery,
    new_event,
    new_lead,
    release,
)

WORKSPACE = "ws"
STORES = (
    "keys",
    "events",
    "subjects",
    "conversations",
    "fates",
    "invitations",
    "leads",
    "deliveries",
    "lanes",
    "persons",
    "consents",
)
KEEP_EVENT = insert(events)


class Noted:
    """A store that notes which of its methods are called."""

    def __init__(self, store: object, called: set[str]) -> None:
        self._store = store
        self._called = called

    def __getattr__(self, name: str) -> object:
        self._called.add(f"{type(self._store).__name__}.{name}")
        return getattr(self._store, name)


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """An open transaction on each engine, with one live connection in the workspace."""
    if request.param == "sqlite":
        database_url = sqlite_url(tmp_path)
    else:
        database_url = request.getfixturevalue("postgres_database")
        bring_up(database_url)
    engine = make_engine(database_url)
    with engine.connect() as opened:
        SqlTransaction(opened, WORKSPACE).connections.add(new_connection(CRM))
        yield opened
    engine.dispose()


def keep_event(connection: Connection, name: str) -> None:
    """A received event, kept the way that is not under test here."""
    new = new_event(name, connection_id=CRM)
    fields = ("event_id", "connection_id", "natural_key", "part", "received_at", "key_scope", "sealed_body")
    row = {field: getattr(new, field) for field in fields}
    connection.execute(KEEP_EVENT, {"workspace_id": WORKSPACE, "state": "received", **row})


def work(tx: SqlTransaction, name: str) -> None:
    """Everything that the working path does, on rows named after `name`."""
    meet_a_person(tx, name)
    work_on_an_event(tx, name)
    work_on_deliveries(tx, name)
    work_on_lanes(tx, name)
    look_at_a_person(tx, name)
    note_a_consent(tx, name)
    tx.note_event(CRM, at=NOW)
    tx.add_refusals({(CRM, name): 1}, at=NOW)


def meet_a_person(tx: SqlTransaction, name: str) -> None:
    """Key, subject, conversation and lead."""
    tx.keys.add(WrappedKey(scope=name, wrapped_key=b"wrapped", wrapper_key_id="key_1"), at=NOW)
    tx.keys.find(name)
    assert tx.keys.hold(name)
    assert tx.keys.counts()["key_1"] >= 1
    old = tx.keys.wrapped_by_others("key_2", after="", limit=1)[0]
    assert tx.keys.rewrap(old, replace(old, wrapped_key=b"anew"))
    tx.keys.keep_recovery(tx.keys.find_recovery())
    tx.subjects.add(name, at=NOW)
    tx.subjects.add_identifier(name, "phone", name.encode(), at=NOW)
    assert tx.subjects.find_by("phone", name.encode()) == name
    tx.subjects.set_profile(name, b"sealed")
    tx.subjects.find_profile(name)
    conversation = StoredConversation(
        conversation_id=name, connection_id=BOT, subject_id=name, chat_index=name.encode(), sealed_state=b"sealed"
    )
    tx.conversations.add(conversation, at=NOW)
    tx.conversations.find(BOT, name.encode())
    tx.conversations.set_state(name, b"sealed", at=NOW)
    assert tx.conversations.of_subjects([name])
    tx.conversations.note_heard(name, b"address", at=NOW)
    tx.conversations.set_unreachable(name, "message.client_left", at=NOW)
    tx.conversations.set_opted_out(name, at=NOW)
    tx.conversations.add_message(name, message_id=name, subject_id=name, outgoing=True, sealed_body=b"", at=NOW)
    assert tx.conversations.messages(name, after=0, limit=9)
    assert tx.conversations.find_message(name)
    tx.conversations.replace_body(name, b"gone")
    fate = StoredFate(message_id=name, delivery_id=name, status="sent", error_code=None, changed_at=NOW)
    tx.fates.set(BOT, name.encode(), fate)
    assert tx.fates.find(BOT, name.encode()) == tx.fates.of_messages([name])[name] == tx.fates.of_delivery(name) == fate
    assert tx.fates.claim(name, name)
    tx.fates.forget_strangers(before=NOW)
    tx.invitations.add(name.encode(), name, expires_at=NOW + timedelta(days=1), at=NOW)
    assert tx.invitations.use(name.encode(), at=NOW) == name
    tx.invitations.forget_old(before=NOW)
    tx.subjects.lock(name)
    assert tx.subjects.erased_among({name}) == frozenset()
    tx.subjects.join(f"{name}-twin", name, reason="invitation", at=NOW)
    assert (tx.subjects.find_joined(f"{name}-twin"), tx.subjects.joined_into(name)) == (name, [f"{name}-twin"])
    lead = new_lead(name, subject_id=name)
    tx.leads.add(lead)
    assert tx.leads.find_current(name) == tx.leads.find(lead.lead_id) == lead
    tx.leads.find_all([lead.lead_id])
    ref = LeadRef(CrmEntity.LEAD, 7)
    tx.leads.settle(lead.lead_id, state=LeadState.CLOSED, ref=ref, at=NOW, crm_connection_id=CRM)


def note_a_consent(tx: SqlTransaction, name: str) -> None:
    """A text is shown, agreed to, read again and journaled."""
    head = tx.consents.head()
    number = 1 if head is None else head.number + 1
    text = ConsentText(
        text_id=name,
        purpose=ConsentPurpose.PROCESSING,
        locale="ru",
        version=number,
        text="Согласие",
        text_hash="00" * 32,
        since=NOW,
        made_by="product",
    )
    line = StoredConsent(
        number=number,
        subject_id=name,
        purpose=ConsentPurpose.PROCESSING,
        decision=Decision.GIVEN,
        decided_at=NOW,
        recorded_at=NOW,
        text_id=name,
        text_hash="00" * 32,
        message_id=name,
        event_id=name,
        sealed_details=b"sealed",
        record_hash=b"hash",
    )
    tx.consents.add_text(text)
    assert tx.consents.newest_text(ConsentPurpose.PROCESSING, "ru") == tx.consents.find_text(name) == text
    assert text in tx.consents.texts()
    tx.consents.lock()
    tx.consents.add(line)
    assert tx.consents.head() == tx.consents.find(number) == line
    assert tx.consents.of_subjects([name]) == tx.consents.newest(limit=9, subject_ids=[name]) == [line]
    assert tx.consents.after(number - 1, limit=9) == [line]
    assert tx.consents.counts()
    tx.consents.note_journaled(number)
    assert tx.consents.journaled() == number
    tx.consents.old_told(limit=9)
    tx.consents.forget_old_told([name])


def work_on_an_event(tx: SqlTransaction, name: str) -> None:
    """An event that fails, is opened again and finished; another one of the same part is given up."""
    event_id = f"evt_{name}"
    keep_event(tx.connection, name)
    assert tx.events.pending_parts()
    assert tx.events.pending(1, limit=9)
    tx.events.find(event_id)
    tx.events.count_failure(event_id)
    ending: dict[str, Any] = {"reason": None, "subject_id": name, "lead_id": None, "at": NOW}
    tx.events.finish(event_id, state=EventState.FAILED, resealed=None, **ending)
    assert tx.events.reopen(event_id)
    tx.events.finish(event_id, state=EventState.LEAD, resealed=(name, b"sealed"), **ending)
    tx.events.move_to_lead(event_id, "lead_2")
    tx.events.forget_body(event_id)
    tx.events.give_up_pending(CRM, reason="gone", at=NOW)


def work_on_deliveries(tx: SqlTransaction, name: str) -> None:
    """One delivery of a lead and one of a chat in the same lane, so that all reads of `work_in_lane` are made."""
    lane = f"crm:{name}"
    ours = new_delivery(name, lane=lane, lead_id=name)
    tx.deliveries.add(ours)
    tx.deliveries.add(new_delivery(f"chat_{name}", lane=lane, lead_id=None))
    tx.deliveries.open_in_lane(lane, limit=9)
    assert len(tx.deliveries.work_in_lane(lane, now=NOW, limit=1, fresh_since=NOW, fresh_limit=9)) == 2
    tx.deliveries.next_due(lane, now=NOW)
    tx.deliveries.start_attempts([ours], kind=AttemptKind.SEND, at=NOW)
    outcome: dict[str, Any] = {"outcome": AttemptOutcome.DELIVERED, "error_code": None, "at": NOW}
    tx.deliveries.end_attempt(ours.delivery_id, 1, **outcome)
    state: dict[str, Any] = {"due_at": None, "failures": 1, "error_code": None, "error_detail": None}
    tx.deliveries.settle(ours.delivery_id, state=DeliveryState.DEAD, external_id=None, at=NOW, **state)
    assert tx.deliveries.find(ours.delivery_id) in tx.deliveries.dead(limit=9)
    assert tx.deliveries.reopen(ours.delivery_id, at=NOW) is not None
    tx.deliveries.park(ours.delivery_id)
    tx.deliveries.unpark(name, at=NOW)
    tx.deliveries.put_off(ours.delivery_id, until=LATER)
    tx.deliveries.limit_doubt(lane, until=NOW)
    tx.deliveries.bring_forward(now=NOW)
    assert tx.deliveries.of_lead(name)
    tx.deliveries.replace(
        ours.delivery_id, kind=DeliveryKind.CREATE_LEAD, lead_id=name, sealed_payload=b"sealed", due_at=NOW
    )
    assert tx.deliveries.dead(limit=9, cause="crm.none") == []
    assert tx.deliveries.uncertain_in_lane(ours.lane) == []
    tx.deliveries.reseal(ours.delivery_id, b"other")
    tx.deliveries.of_event(ours.event_id or "")
    assert tx.deliveries.confirm(ours.delivery_id, at=NOW) is None
    assert tx.deliveries.discard(ours.delivery_id, reason="asked", by="staff_1", at=NOW) is not None
    assert tx.deliveries.move_open(name, to_connection_id=CRM, to_lane=LANE) == 1
    tx.deliveries.give_up_lane(f"{lane}-gone", error_code="message.client_left", at=NOW)


def look_at_a_person(tx: SqlTransaction, name: str) -> None:
    """All that there is of them, and the flag that holds it back."""
    held = replace(new_delivery(f"held_{name}", lane=f"crm:held_{name}", lead_id=None), subject_id=name)
    tx.deliveries.add(held)
    assert not tx.persons.blocked([name])
    tx.persons.set_blocked([name], reason="request", at=NOW)
    assert tx.persons.has_blocked()
    assert tx.persons.blocked([name]) == {name}
    tx.persons.hold_back([held.delivery_id], code="subject.blocked")
    assert tx.persons.in_hand([name]) == 0
    assert tx.persons.count_waiting([name]) == 1
    resumed = tx.persons.resume([name], code="subject.blocked", messages_since=NOW, at=NOW)
    assert (resumed.deliveries, resumed.too_late, resumed.events) == (1, 0, 0)
    tx.persons.set_unblocked([name])
    found = tx.persons.find(name)
    assert found is not None
    assert found.blocked_at is None
    assert tx.persons.all_of([name]) == [found]
    assert "phone" in tx.persons.identifier_kinds()
    assert [one.kind for one in tx.persons.identifiers([name])] == ["phone"]
    assert tx.persons.drop_identifier([name], "phone", name.encode())
    assert len(tx.persons.joins([name])) == len(tx.persons.invitations([name])) == 1
    assert len(tx.persons.events([name], after=0, limit=9)) == 1
    assert [one.lead.subject_id for one in tx.persons.leads([name])] == [name]
    assert [one.delivery.delivery_id for _, one in tx.persons.deliveries([name], after=0, limit=9)] == [
        held.delivery_id
    ]
    assert tx.persons.attempts([f"dlv_{name}"])
    assert tx.persons.counts([name])["messages"] == 1


def work_on_lanes(tx: SqlTransaction, name: str) -> None:
    """A lane that is woken, claimed, kept and given back."""
    times = {"now": NOW, "until": LATER}
    tx.lanes.wake(name, connection_id=CRM, due_at=NOW)
    (lease,) = tx.lanes.claim(holder=name, limit=9, **times)
    assert tx.lanes.claim_one(name, holder="another", **times) is None
    assert tx.lanes.claim_one(f"{name}_2", holder=name, **times) is not None
    assert tx.lanes.hold(lease)
    assert not tx.lanes.is_frozen(CRM)
    assert tx.lanes.renew(lease, until=LATER)
    assert tx.lanes.holders() == [name]
    tx.lanes.resume(CRM, now=NOW)
    tx.lanes.bring_forward(now=NOW, lease_limit=LATER, lease_until=LATER)
    release(tx, lease, due_at=None)
    assert tx.lanes.free(name) == 1


def test_a_second_message_builds_and_compiles_no_statement(connection: Connection) -> None:
    """A statement that is built for each call costs more than all the rest that a store does for it."""
    built: list[list[object]] = []
    compiled: list[str] = []

    def note(_connection: object, statement: object, *_rest: object) -> None:
        built[-1].append(statement)

    def note_compiled(
        _c: object, _cursor: object, statement: str, _values: object, context: object, *_rest: object
    ) -> None:
        assert isinstance(context, DefaultExecutionContext)
        if context.cache_hit is not CacheStats.CACHE_HIT:
            compiled.append(statement)

    event.listen(connection, "before_execute", note)
    event.listen(connection, "before_cursor_execute", note_compiled)
    for name in ("first", "second"):
        built.append([])
        compiled.clear()
        work(SqlTransaction(connection, WORKSPACE), name)
    anew = [str(again) for once, again in zip(*built, strict=True) if again is not once]
    assert anew == []
    assert compiled == []


def test_the_work_above_calls_every_method_of_the_stores(connection: Connection) -> None:
    """A method that is added later must not stay unseen."""
    tx, called, methods = SqlTransaction(connection, WORKSPACE), set[str](), set[str]()
    for name in STORES:
        store = getattr(tx, name)
        methods |= {f"{type(store).__name__}.{each}" for each in vars(type(store)) if not each.startswith("_")}
        setattr(tx, name, Noted(store, called))
    work(tx, "first")
    assert methods - called == set()
