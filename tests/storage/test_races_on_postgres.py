"""Two transactions at once: only an engine with many writers can show these."""

import asyncio
import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from leadgate.errors import StorageUnavailableError
from leadgate.model.connections import ConnectionState
from leadgate.model.staff import Role, Staff
from leadgate.ports.stores import Transaction
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW
from leadgate.testing.storage_suite import (
    CRM,
    LANE,
    SOON,
    claim,
    claimed,
    lane_of,
    new_connection,
    new_delivery,
    new_event,
    new_lead,
    release,
)

Nodes = tuple[SqlStorage, SqlStorage]


async def run_until(event: threading.Event) -> None:
    """Wait for something that happens in a thread."""
    assert await asyncio.to_thread(event.wait, 10)


async def blocked(node: SqlStorage) -> None:
    """Wait until some transaction of the database waits for another one's lock."""
    question = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    def ask(tx: Transaction) -> int:
        assert isinstance(tx, SqlTransaction)
        return int(tx.connection.execute(question).scalar_one())

    async with asyncio.timeout(10):
        while not await node.read(ask):  # the database tells nobody when a lock is waited for
            pass


async def test_a_wake_that_races_with_a_release_is_not_lost(nodes: Nodes) -> None:
    """The worker saw an empty lane and gives it back while a delivery arrives: it must be looked at again."""
    worker, inbox = nodes
    await worker.write(lambda tx: tx.connections.add(new_connection(CRM)))
    lease = await claimed(worker)
    read, go = threading.Event(), threading.Event()

    def give_back(tx: Transaction) -> int:
        assert tx.lanes.hold(lease)
        seen = len(tx.deliveries.open_in_lane(LANE, limit=10))
        read.set()
        assert go.wait(10)
        release(tx, lease, due_at=None)
        return seen

    def enqueue(tx: Transaction) -> None:
        tx.deliveries.add(new_delivery("a"))
        tx.lanes.wake(LANE, connection_id=CRM, due_at=SOON)

    giving = asyncio.ensure_future(worker.write(give_back))
    await run_until(read)
    adding = asyncio.ensure_future(inbox.write(enqueue))
    await blocked(inbox)
    go.set()
    assert await giving == 0
    await adding
    assert [found.lane for found in await claim(worker, now=SOON)] == [LANE]


async def test_a_release_that_races_with_a_wake_sees_the_delivery(nodes: Nodes) -> None:
    """The other order: the delivery is written first, and the worker that comes to give the lane back waits and finds it."""
    worker, inbox = nodes
    await worker.write(lambda tx: tx.connections.add(new_connection(CRM)))
    lease = await claimed(worker)
    written, go = threading.Event(), threading.Event()

    def enqueue(tx: Transaction) -> None:
        tx.deliveries.add(new_delivery("a"))
        tx.lanes.wake(LANE, connection_id=CRM, due_at=SOON)
        written.set()
        assert go.wait(10)

    def look(tx: Transaction) -> int:
        assert tx.lanes.hold(lease)
        return len(tx.deliveries.open_in_lane(LANE, limit=10))

    adding = asyncio.ensure_future(inbox.write(enqueue))
    await run_until(written)
    # The lane's row was woken before it was held, so its new due time is part of what the wake wrote: it is locked.
    looking = asyncio.ensure_future(worker.write(look))
    await blocked(worker)
    go.set()
    await adding
    assert await looking == 1


async def test_a_holder_cannot_be_replaced_while_it_writes(nodes: Nodes) -> None:
    """Between `hold` and the commit the lane belongs to its holder, even when the lease runs out meanwhile."""
    worker, other = nodes
    await worker.write(lambda tx: tx.connections.add(new_connection(CRM)))
    lease = await claimed(worker)
    held, go = threading.Event(), threading.Event()

    def write(tx: Transaction) -> bool:
        kept = tx.lanes.hold(lease)
        held.set()
        assert go.wait(10)
        return kept

    writing = asyncio.ensure_future(worker.write(write))
    await run_until(held)
    late = lease.until + timedelta(seconds=1)
    assert not await claim(other, now=late, holder="b"), "a locked lane is passed over"
    go.set()
    assert await writing
    assert await claim(other, now=late, holder="b")


async def test_the_loser_of_a_race_for_a_lead_runs_again_and_finds_it(nodes: Nodes) -> None:
    """The unique index decides; nobody sees an error."""
    winner, loser = nodes
    both, runs = threading.Barrier(2), []

    def unit(tx: Transaction, name: str) -> str:
        current = tx.leads.find_current("subj_1")
        runs.append(name)
        if len(runs) <= 2:
            both.wait(10)  # both have looked and found nothing
        if current is None:
            tx.leads.add(new_lead(name))
            return f"lead_{name}"
        return current.lead_id

    leads = await asyncio.gather(winner.write(lambda tx: unit(tx, "1")), loser.write(lambda tx: unit(tx, "2")))
    assert len(set(leads)) == 1
    assert len(runs) == 3, "one of them ran twice"


async def test_a_deadlock_is_run_again(nodes: Nodes) -> None:
    """The database ends one of two that wait for one another; its unit is as good as before."""
    one, two = nodes
    await one.write(lambda tx: tx.lanes.wake("a", connection_id=None, due_at=NOW))
    await one.write(lambda tx: tx.lanes.wake("b", connection_id=None, due_at=NOW))
    both, runs = threading.Barrier(2), []

    def unit(tx: Transaction, lanes: str) -> str:
        runs.append(lanes)
        tx.lanes.wake(lanes[0], connection_id=None, due_at=NOW - timedelta(seconds=len(runs)))
        if len(runs) <= 2:
            both.wait(10)
        tx.lanes.wake(lanes[1], connection_id=None, due_at=NOW - timedelta(seconds=len(runs)))
        return lanes

    done = await asyncio.gather(one.write(lambda tx: unit(tx, "ab")), two.write(lambda tx: unit(tx, "ba")))
    assert list(done) == ["ab", "ba"]
    assert len(runs) > 2, "one of them at least was run again"


async def test_a_redelivery_waits_for_the_first_commit(nodes: Nodes) -> None:
    """An answer "known already" before the first one is on disk would acknowledge an event that may still vanish."""
    first, second = nodes
    stored, go = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> None:
        assert isinstance(tx, SqlTransaction)
        from leadgate.storage.arrivals import store_on_postgres  # noqa: PLC0415 - what `receive` runs, held open

        store_on_postgres(tx.connection, "ws", new_event("1", key="update-7"))
        stored.set()
        assert go.wait(10)
        raise LookupError("the first one fails")

    failing = asyncio.ensure_future(first.write(slow))
    await run_until(stored)
    again = asyncio.ensure_future(second.receive(new_event("2", key="update-7")))
    await blocked(first)
    assert not again.done()
    go.set()
    with pytest.raises(LookupError):
        await failing
    receipt = await again
    assert (receipt.event_id, receipt.duplicate) == ("evt_2", False)


async def test_what_a_unit_does_wrong_is_not_the_databases_fault(nodes: Nodes) -> None:
    """A value that PostgreSQL cannot keep must count against its event, not look like an outage that is waited out for ever."""
    node, _ = nodes

    def unit(tx: Transaction) -> None:
        tx.subjects.add("nul\0inside", at=NOW)

    with pytest.raises(Exception, match="NUL") as caught:
        await node.write(unit)
    assert not isinstance(caught.value, StorageUnavailableError)
    assert await node.write(lambda tx: tx.connections.all()) == []


async def test_a_server_that_goes_away_is_unavailable_and_comes_back(nodes: Nodes) -> None:
    """A restart of PostgreSQL is a 503 for a moment, not a crash; nothing is kept of the broken unit."""
    node, admin = nodes

    def cut(tx: Transaction) -> None:
        tx.connections.add(new_connection("conn_half"))
        assert isinstance(tx, SqlTransaction)
        tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StorageUnavailableError):
        await node.write(cut)
    assert await node.read(lambda tx: tx.connections.all()) == []
    await admin.write(lambda tx: tx.connections.add(new_connection(CRM)))
    await node.write(lambda tx: tx.connections.set_state(CRM, ConnectionState.PAUSED, at=SOON))
    assert await lane_of(node) == []


async def test_a_one_time_address_that_is_being_used_is_used(nodes: Nodes) -> None:
    """The second one saw it live and waits for the first: then it is too late."""
    first, second = nodes
    person = Staff(workspace_id="ws", staff_id="staff_1", name="", role=Role.OWNER, created_at=NOW)
    await first.write(lambda tx: tx.staff.add(person))
    await first.write(lambda tx: tx.staff.add_setup_token(b"hash", staff_id="staff_1", expires_at=SOON))
    used, go = threading.Event(), threading.Event()

    def use(tx: Transaction) -> str | None:
        staff_id = tx.staff.use_setup_token(b"hash", now=NOW)
        used.set()
        assert go.wait(10)
        return staff_id

    winning = asyncio.ensure_future(first.write(use))
    await run_until(used)
    losing = asyncio.ensure_future(second.write(lambda tx: tx.staff.use_setup_token(b"hash", now=NOW)))
    await blocked(first)
    go.set()
    assert await winning == "staff_1"
    assert await losing is None
