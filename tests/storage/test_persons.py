"""What holds a person's data back, and everything of one person: on both engines, and of this salon alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadgate.model.deliveries import AttemptKind, AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.model.subjects import BLOCKED
from leadgate.ports.stores import Lease
from leadgate.storage.engines import make_engine
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW
from leadgate.testing.databases import bring_up, sqlite_url
from leadgate.testing.storage_suite import CRM, LATER, new_connection, new_delivery, new_lead

ALSU, TWIN, MARAT = "subj_alsu", "subj_twin", "subj_marat"
LANE_OF_CRM = f"crm:{CRM}"


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of each kind with two people, one of them known twice."""
    if request.param == "sqlite":
        url = sqlite_url(tmp_path)
    else:
        url = request.getfixturevalue("postgres_database")
        bring_up(url)
    made = make_engine(url)
    with made.begin() as connection:
        tx = SqlTransaction(connection, "ws")
        tx.connections.add(new_connection(CRM))
        for subject_id in (ALSU, TWIN, MARAT):
            tx.subjects.add(subject_id, at=NOW)
        tx.subjects.join(TWIN, ALSU, reason="test", at=NOW)
        for number, subject_id in enumerate((ALSU, TWIN, MARAT)):
            delivery = new_delivery(f"of_{subject_id}", lane=LANE_OF_CRM, lead_id=f"lead_{number}")
            tx.deliveries.add(replace(delivery, subject_id=subject_id))
            tx.leads.add(new_lead(f"{number}", subject_id=subject_id))
        tx.lanes.wake(LANE_OF_CRM, connection_id=CRM, due_at=NOW)
    yield made
    made.dispose()


def due(tx: SqlTransaction) -> set[str]:
    """Whose deliveries a worker sees."""
    found = tx.deliveries.work_in_lane(LANE_OF_CRM, now=NOW, limit=9, fresh_since=NOW, fresh_limit=9)
    return {delivery.subject_id for delivery in found}


def test_what_is_held_back_is_out_of_sight_and_comes_back_in_order(engine: Engine) -> None:
    """However many wait, the others go; and the lane is woken for what may go again."""
    with engine.begin() as connection:
        tx = SqlTransaction(connection, "ws")
        tx.persons.set_blocked([ALSU, TWIN], reason="request", at=NOW)
        assert tx.persons.blocked([ALSU, TWIN, MARAT]) == {ALSU, TWIN}
        assert SqlTransaction(connection, "other").persons.blocked([ALSU]) == frozenset()
        tx.persons.hold_back([f"dlv_of_{ALSU}", f"dlv_of_{TWIN}"], code=BLOCKED)
        assert due(tx) == {MARAT}
        lease = tx.lanes.claim_one(LANE_OF_CRM, holder="n", now=NOW, until=NOW)
        assert lease is not None
        tx.lanes.release(lease, due_at=None, failures=0, problem=None, problem_since=None)
        tx.persons.set_unblocked([ALSU, TWIN])
        resumed = tx.persons.resume([ALSU, TWIN], code=BLOCKED, messages_since=NOW, at=NOW)
        assert (resumed.deliveries, resumed.too_late) == (2, 0)
        assert due(tx) == {ALSU, TWIN, MARAT}
        assert tx.lanes.claim(holder="n", now=LATER, until=LATER, limit=9)


def test_the_first_time_and_reason_of_a_block_stand(engine: Engine) -> None:
    """Since when, is what the person asks."""
    with engine.begin() as connection:
        tx = SqlTransaction(connection, "ws")
        tx.persons.set_blocked([ALSU], reason="request", at=NOW)
        tx.persons.set_blocked([ALSU, TWIN], reason="other", at=LATER)
        found = [(one.subject_id, one.blocked_at, one.block_reason) for one in tx.persons.all_of([ALSU, TWIN])]
        assert found == [(ALSU, NOW, "request"), (TWIN, LATER, "other")]


def test_a_message_whose_time_is_over_is_dead_and_an_order_to_the_crm_is_not(engine: Engine) -> None:
    """Words to a person grow old; a lead does not."""
    with engine.begin() as connection:
        tx = SqlTransaction(connection, "ws")
        message = replace(new_delivery("m", lane="chat:c:00", lead_id=None), subject_id=ALSU, kind=DeliveryKind.MESSAGE)
        tx.deliveries.add(message)
        tx.persons.hold_back([message.delivery_id, f"dlv_of_{ALSU}"], code=BLOCKED)
        later = NOW + timedelta(days=2)
        resumed = tx.persons.resume([ALSU], code=BLOCKED, messages_since=later - timedelta(days=1), at=later)
        assert (resumed.deliveries, resumed.too_late) == (1, 1)
        found = tx.deliveries.find(message.delivery_id)
        assert found is not None
        assert found.state is DeliveryState.DEAD


def test_everything_of_one_person_is_found_and_nothing_of_another(engine: Engine) -> None:
    """Leads, deliveries with their tries, joins; the other salon sees none of it."""
    with engine.begin() as connection:
        tx = SqlTransaction(connection, "ws")
        ours = tx.deliveries.find(f"dlv_of_{ALSU}")
        assert ours is not None
        tx.deliveries.start_attempts([ours], kind=AttemptKind.SEND, at=NOW)
        tx.deliveries.end_attempt(
            ours.delivery_id, 1, outcome=AttemptOutcome.UNKNOWN, error_code="bitrix24.timeout", at=NOW
        )
        both = [ALSU, TWIN]
        assert {one.lead.subject_id for one in tx.persons.leads(both)} == {ALSU, TWIN}
        found = tx.persons.deliveries(both, after=0, limit=9)
        assert [one.delivery.subject_id for _, one in found] == [ALSU, TWIN]
        assert tx.persons.deliveries(both, after=found[0][0], limit=9) == found[1:]
        (attempt,) = tx.persons.attempts([ours.delivery_id])[ours.delivery_id]
        assert (attempt.outcome, attempt.error_code) == (AttemptOutcome.UNKNOWN, "bitrix24.timeout")
        assert [(one.subject_id, one.into_subject_id) for one in tx.persons.joins([TWIN])] == [(TWIN, ALSU)]
        assert tx.persons.counts(both)["deliveries"] == 2
        assert not any(SqlTransaction(connection, "other").persons.counts(both).values())


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_look_after_a_block_waits_for_whoever_is_about_to_send(engine: Engine) -> None:
    """The worker read "not blocked" a moment before; it holds its lane until `sending` is written, and the look sees that."""
    read, may_write, seen = threading.Event(), threading.Event(), []

    def worker() -> None:
        with engine.begin() as connection:
            tx = SqlTransaction(connection, "ws")
            lease = take_lane(tx)
            assert tx.lanes.hold(lease)
            assert not tx.persons.blocked([ALSU])
            read.set()
            assert may_write.wait(10)
            ours = tx.deliveries.find(f"dlv_of_{ALSU}")
            assert ours is not None
            tx.deliveries.start_attempts([ours], kind=AttemptKind.SEND, at=NOW)

    def look() -> None:
        with engine.begin() as connection:
            seen.append(SqlTransaction(connection, "ws").persons.in_hand([ALSU]))

    sending = threading.Thread(target=worker)
    sending.start()
    assert read.wait(10)
    with engine.begin() as connection:
        SqlTransaction(connection, "ws").persons.set_blocked([ALSU], reason="request", at=NOW)
    looking = threading.Thread(target=look)
    looking.start()
    looking.join(0.3)
    assert looking.is_alive()
    may_write.set()
    sending.join(10)
    looking.join(10)
    assert seen == [1]


def take_lane(tx: SqlTransaction) -> Lease:
    """The right to work on the lane of the CRM."""
    lease = tx.lanes.claim_one(LANE_OF_CRM, holder="node", now=NOW, until=LATER)
    assert lease is not None
    return lease
