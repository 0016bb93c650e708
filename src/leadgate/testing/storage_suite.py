"""What every engine of the storage must do: inherit, give a `storage` fixture, and run.

A fixture gives a storage of an empty workspace of its own; `second` is another one on the same rows, as another node would be.
What only one engine can do (group commit, two transactions at once) is tested beside that engine.
"""
# ruff: noqa: S101, PLR2004 - a conformance suite speaks in asserts and small numbers, and has many rules

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from leadgate.errors import ConflictError, StorageUnavailableError
from leadgate.model.connections import Connection, ConnectionState
from leadgate.model.deliveries import AttemptKind, AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.model.events import EventState
from leadgate.model.leads import CrmEntity, LeadRef, LeadState
from leadgate.model.staff import Role, Staff
from leadgate.model.views import EndState, EventEnd
from leadgate.ports.stores import (
    Lease,
    NewEvent,
    StoredConversation,
    StoredDelivery,
    StoredLead,
    StoredSecret,
    Transaction,
    WrappedKey,
)
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import NOW

SOON = NOW + timedelta(seconds=1)
LATER = NOW + timedelta(minutes=1)
BOT, CRM = "conn_bot", "conn_crm"
LANE = f"crm:{CRM}"


def new_event(name: str, *, key: str | None = None, part: int = 1, connection_id: str = BOT) -> NewEvent:
    """An event named `evt_{name}` whose natural key is its name, unless another is given."""
    return NewEvent(
        event_id=f"evt_{name}",
        connection_id=connection_id,
        natural_key=(key or name).encode().ljust(16, b"."),
        part=part,
        received_at=NOW,
        key_scope="intake",
        sealed_body=b"sealed " + name.encode(),
    )


def new_connection(
    connection_id: str, *, state: ConnectionState = ConnectionState.ACTIVE, name: str = ""
) -> Connection:
    """A live connection named like its id."""
    return Connection(
        workspace_id="ws",
        connection_id=connection_id,
        kind="telegram",
        name=name or connection_id,
        settings={"api_base": "https://api.example"},
        state=state,
        created_at=NOW,
    )


def new_lead(name: str, *, subject_id: str = "subj_1") -> StoredLead:
    """A pending lead named `lead_{name}`."""
    return StoredLead(
        lead_id=f"lead_{name}",
        subject_id=subject_id,
        crm_connection_id=CRM,
        origin_id=f"{BOT}:evt_{name}",
        state=LeadState.PENDING,
        ref=None,
        created_at=NOW,
    )


def new_delivery(name: str, *, lane: str = LANE, lead_id: str | None = "lead_1") -> StoredDelivery:
    """A waiting delivery named `dlv_{name}`, due now."""
    return StoredDelivery(
        delivery_id=f"dlv_{name}",
        lane=lane,
        kind=DeliveryKind.TIMELINE_ENTRY,
        connection_id=lane.partition(":")[2],
        event_id="evt_1",
        lead_id=lead_id,
        subject_id="subj_1",
        state=DeliveryState.WAITING,
        due_at=NOW,
        attempts=0,
        failures=0,
        sealed_payload=b"sealed",
        created_at=NOW,
        external_id=None,
    )


class StorageSuite:
    """The rules."""

    @pytest.fixture
    async def ready(self, storage: SqlStorage) -> SqlStorage:
        """The storage with two live connections."""

        def unit(tx: Transaction) -> None:
            tx.connections.add(new_connection(BOT))
            tx.connections.add(new_connection(CRM))

        await storage.write(unit)
        return storage

    # Units of work

    async def test_a_unit_is_kept_whole(self, storage: SqlStorage, second: SqlStorage) -> None:
        """What a write returned for is there for everybody."""
        await storage.write(lambda tx: tx.subjects.add("subj_1", at=NOW))
        await storage.write(lambda tx: tx.subjects.set_profile("subj_1", b"sealed"))
        assert await second.read(lambda tx: tx.subjects.find_profile("subj_1")) == b"sealed"

    async def test_a_unit_that_fails_leaves_nothing(self, storage: SqlStorage) -> None:
        """Half of a unit would be a reply without its lead, or a lead without its event's end."""

        def unit(tx: Transaction) -> None:
            tx.keys.add(WrappedKey(scope="subject:1", wrapped_key=b"w", wrapper_key_id="k"), at=NOW)
            raise LookupError("in the middle")

        with pytest.raises(LookupError):
            await storage.write(unit)
        assert await storage.read(lambda tx: tx.keys.find("subject:1")) is None

    async def test_a_failing_unit_takes_nothing_of_the_others(self, storage: SqlStorage) -> None:
        """Units that run at the same time do not share their fate."""

        def unit(tx: Transaction, number: int) -> int:
            tx.subjects.add(f"subj_{number}", at=NOW)
            tx.subjects.set_profile(f"subj_{number}", b"sealed")
            if number % 5 == 0:
                raise LookupError(str(number))
            return number

        runs = (storage.write(lambda tx, n=n: unit(tx, n)) for n in range(20))  # type: ignore[misc]  # a default binds n now
        results = await asyncio.gather(*runs, return_exceptions=True)
        assert [isinstance(r, LookupError) for r in results] == [n % 5 == 0 for n in range(20)]
        for number in range(20):
            kept = await storage.read(lambda tx, n=number: tx.subjects.find_profile(f"subj_{n}"))  # type: ignore[misc]  # as above
            assert (kept is None) == (number % 5 == 0)

    async def test_workspaces_do_not_see_one_another(self, storage: SqlStorage, stranger: SqlStorage) -> None:
        """A forgotten filter would show one salon the clients of another."""
        await storage.write(lambda tx: tx.leads.add(new_lead("1")))
        await storage.receive(new_event("1"))
        await storage.write(lambda tx: tx.lanes.wake(LANE, connection_id=None, due_at=NOW))
        assert await stranger.read(lambda tx: tx.leads.find("lead_1")) is None
        assert not await stranger.read(lambda tx: tx.events.pending_parts())
        assert not await claim(stranger)

    async def test_a_closed_storage_says_so(self, storage: SqlStorage) -> None:
        """A request that comes while the process ends must be answered 503, not crash or hang."""
        await asyncio.to_thread(storage.close)
        with pytest.raises(StorageUnavailableError):
            await storage.receive(new_event("1"))
        for work in (storage.write(lambda _: 1), storage.read(lambda _: 1)):
            with pytest.raises(StorageUnavailableError):
                await work

    async def test_a_cancelled_caller_disturbs_nobody(self, storage: SqlStorage) -> None:
        """A client that hangs up in the middle must not take the commit of others with it."""
        impatient = asyncio.ensure_future(storage.receive(new_event("1")))
        patient = asyncio.ensure_future(storage.receive(new_event("2")))
        await asyncio.sleep(0)
        impatient.cancel()
        assert (await patient).event_id == "evt_2"
        assert (await storage.receive(new_event("3"))).event_id == "evt_3"

    # Arrivals

    async def test_a_known_natural_key_gets_the_first_id(self, storage: SqlStorage) -> None:
        """A vendor that did not hear our answer sends again; the second must not become a second lead."""
        first = await storage.receive(new_event("1", key="update-7"))
        again = await storage.receive(new_event("2", key="update-7"))
        assert (first.event_id, first.duplicate) == ("evt_1", False)
        assert (again.event_id, again.duplicate) == ("evt_1", True)

    async def test_redeliveries_that_race_keep_one(self, storage: SqlStorage, second: SqlStorage) -> None:
        """A vendor may deliver the same update over two connections at once, to two nodes."""
        nodes = (storage, second)
        receipts = await asyncio.gather(*(nodes[n % 2].receive(new_event(f"{n}", key="update-7")) for n in range(20)))
        assert len({receipt.event_id for receipt in receipts}) == 1
        assert sum(not receipt.duplicate for receipt in receipts) == 1

    async def test_many_arrivals_with_some_known_get_their_own_receipts(self, storage: SqlStorage) -> None:
        """Arrivals share statements and commits; a receipt must still belong to its own event."""
        await asyncio.gather(*(storage.receive(new_event(f"{n}", key=f"k{n}")) for n in range(0, 70, 7)))
        receipts = await asyncio.gather(*(storage.receive(new_event(f"x{n}", key=f"k{n}")) for n in range(70)))
        wanted = [(f"evt_{n}", True) if n % 7 == 0 else (f"evt_x{n}", False) for n in range(70)]
        assert [(receipt.event_id, receipt.duplicate) for receipt in receipts] == wanted

    # Events

    async def test_events_wait_in_order_of_arrival(self, ready: SqlStorage) -> None:
        """A client's "not today" must not be read before the "today" it corrects."""
        for name in "abc":
            await ready.receive(new_event(name, part=3))
        assert await ready.read(lambda tx: list(tx.events.pending_parts())) == [3]
        waiting = await ready.read(lambda tx: [e.event_id for e in tx.events.pending(3, limit=10)])
        assert waiting == ["evt_a", "evt_b", "evt_c"]

    async def test_events_of_a_paused_connection_wait(self, ready: SqlStorage) -> None:
        """Pausing keeps all that arrives and works on nothing; resuming brings it back."""
        await ready.receive(new_event("1"))
        await ready.write(lambda tx: tx.connections.set_state(BOT, ConnectionState.PAUSED, at=SOON))
        assert not await ready.read(lambda tx: tx.events.pending_parts())
        await ready.write(lambda tx: tx.connections.set_state(BOT, ConnectionState.ACTIVE, at=LATER))
        assert await ready.read(lambda tx: len(tx.events.pending(1, limit=10))) == 1

    async def test_an_event_has_one_end(self, ready: SqlStorage) -> None:
        """A second worker that comes late changes nothing."""
        await ready.receive(new_event("1"))
        assert await ready.write(lambda tx: finish(tx, EventState.LEAD))
        assert not await ready.write(lambda tx: finish(tx, EventState.FAILED))
        event = await ready.read(lambda tx: tx.events.find("evt_1"))
        assert event is not None
        assert (event.state, event.key_scope, event.sealed_body) == (EventState.LEAD, "subject:1", b"resealed")

    async def test_only_failed_and_ignored_events_are_worked_on_again(self, ready: SqlStorage) -> None:
        """Working again on one that became a lead would double the lead."""
        await ready.receive(new_event("1"))
        assert [await ready.write(lambda tx: tx.events.count_failure("evt_1")) for _ in range(2)] == [1, 2]
        await ready.write(lambda tx: finish(tx, EventState.FAILED))
        assert await ready.write(lambda tx: tx.events.reopen("evt_1"))
        await ready.write(lambda tx: finish(tx, EventState.LEAD))
        assert not await ready.write(lambda tx: tx.events.reopen("evt_1"))

    async def test_events_of_a_removed_connection_are_kept_for_a_human(self, ready: SqlStorage) -> None:
        """Nobody will work on them, so they must not wait for ever unseen."""
        await ready.receive(new_event("1"))
        assert await ready.write(lambda tx: tx.events.give_up_pending(BOT, reason="connection.removed", at=SOON)) == 1
        event = await ready.read(lambda tx: tx.events.find("evt_1"))
        assert event is not None
        assert (event.state, event.reason, event.sealed_body) == (EventState.FAILED, "connection.removed", b"sealed 1")

    # Lanes

    async def test_two_holders_never_hold_one_lane(self, ready: SqlStorage, second: SqlStorage) -> None:
        """Two workers on one portal would send the same lead twice."""
        for number in range(20):
            await ready.write(lambda tx, n=number: tx.lanes.wake(f"chat:{BOT}:{n}", connection_id=BOT, due_at=NOW))  # type: ignore[misc]  # a default binds n now
        claims = await asyncio.gather(
            *(claim(node, holder=f"{n}", limit=3) for n in range(5) for node in (ready, second))
        )
        lanes = [lease.lane for leases in claims for lease in leases]
        assert len(lanes) == len(set(lanes))
        assert {lease.lane for lease in await claim(ready, limit=50)} | set(lanes) == {
            f"chat:{BOT}:{n}" for n in range(20)
        }

    async def test_the_fence_grows_with_every_holder(self, ready: SqlStorage) -> None:
        """The fence is what tells a late writer from the holder."""
        first = await claimed(ready)
        await ready.write(lambda tx: release(tx, first, due_at=NOW))
        again = await claimed(ready)
        assert again.fence == first.fence + 1

    async def test_a_lease_that_ran_out_is_taken_over(self, ready: SqlStorage) -> None:
        """The work of a process that died goes on after seconds."""
        lost = await claimed(ready)
        assert not await claim(ready, now=lost.until, holder="b")
        taken = await claim(ready, now=lost.until + timedelta(seconds=1), holder="b")
        assert [lease.lane for lease in taken] == [LANE]

    async def test_a_holder_that_lost_its_lane_can_write_nothing(self, ready: SqlStorage) -> None:
        """A process that slept through its lease must not overwrite what its successor found out."""
        lost = await claimed(ready)
        (taken,) = await claim(ready, now=lost.until + timedelta(seconds=1), holder="b")
        assert not await ready.write(lambda tx: tx.lanes.hold(lost))
        assert not await ready.write(lambda tx: tx.lanes.renew(lost, until=LATER + timedelta(days=1)))
        await ready.write(lambda tx: release(tx, lost, due_at=None))
        assert await ready.write(lambda tx: tx.lanes.hold(taken))

    async def test_the_same_holder_is_fenced_from_its_own_past(self, ready: SqlStorage) -> None:
        """A task that froze and its process's next task have one holder name; only the fence tells them apart."""
        old = await claimed(ready)
        new = await claim(ready, now=old.until + timedelta(seconds=1), holder=old.holder)
        assert not await ready.write(lambda tx: tx.lanes.hold(old))
        assert await ready.write(lambda tx: tx.lanes.hold(new[0]))

    async def test_a_renewed_lease_stands_longer(self, ready: SqlStorage) -> None:
        """A long call must not lose its lane while its process is well."""
        lease = await claimed(ready)
        assert await ready.write(lambda tx: tx.lanes.renew(lease, until=LATER))
        assert not await claim(ready, now=lease.until + timedelta(seconds=1), holder="b")

    async def test_waking_brings_forward_and_never_back(self, ready: SqlStorage) -> None:
        """A new delivery must not postpone the one that is due."""
        await ready.write(lambda tx: tx.lanes.wake(LANE, connection_id=CRM, due_at=SOON))
        await ready.write(lambda tx: tx.lanes.wake(LANE, connection_id=CRM, due_at=LATER))
        assert await claim(ready, now=SOON)

    async def test_waking_does_not_cut_short_the_wait_for_a_target_that_is_down(self, ready: SqlStorage) -> None:
        """Otherwise every new lead would knock at a portal that asked for quiet."""
        lease = await claimed(ready)
        await ready.write(lambda tx: release(tx, lease, due_at=LATER, problem="bitrix24.QUERY_LIMIT_EXCEEDED"))
        await ready.write(lambda tx: tx.lanes.wake(LANE, connection_id=CRM, due_at=NOW))
        assert not await claim(ready, now=SOON)
        await ready.write(lambda tx: tx.lanes.resume(CRM, now=NOW))
        assert await claim(ready, now=SOON)

    async def test_lanes_of_a_paused_connection_are_not_claimed(self, ready: SqlStorage) -> None:
        """Paused means that nothing is sent."""
        await ready.write(lambda tx: tx.lanes.wake(LANE, connection_id=CRM, due_at=NOW))
        await ready.write(lambda tx: tx.connections.set_state(CRM, ConnectionState.PAUSED, at=SOON))
        assert not await claim(ready)
        await ready.write(lambda tx: tx.connections.set_state(CRM, ConnectionState.ACTIVE, at=LATER))
        assert await claim(ready)

    async def test_a_lane_without_work_is_not_claimed(self, ready: SqlStorage) -> None:
        """A million idle chats cost nothing."""
        lease = await claimed(ready)
        await ready.write(lambda tx: release(tx, lease, due_at=None))
        assert not await claim(ready, now=LATER)

    async def test_a_named_lane_is_made_and_held_once(self, storage: SqlStorage, second: SqlStorage) -> None:
        """The parts of the inbox are claimed by name, by every node."""

        def take(tx: Transaction, holder: str) -> Lease | None:
            return tx.lanes.claim_one("inbox:01", holder=holder, now=NOW, until=LATER)

        taken = await asyncio.gather(
            *(node.write(lambda tx, h=f"{n}": take(tx, h)) for n, node in enumerate((storage, second) * 3))  # type: ignore[misc]  # a default binds h now
        )
        assert sum(lease is not None for lease in taken) == 1

    # Leads and people

    async def test_a_person_has_one_open_lead(self, storage: SqlStorage, second: SqlStorage) -> None:
        """Two workers race for the first words of a client: the loser's unit runs again and finds the winner's lead."""
        runs: list[str] = []

        def unit(tx: Transaction, name: str) -> str:
            runs.append(name)
            current = tx.leads.find_current("subj_1")
            if current is None:
                tx.leads.add(new_lead(name))
                return f"lead_{name}"
            return current.lead_id

        nodes = (storage, second)
        winners = await asyncio.gather(*(nodes[n % 2].write(lambda tx, n=n: unit(tx, f"{n}")) for n in range(8)))  # type: ignore[misc]  # a default binds n now
        assert len(set(winners)) == 1

    async def test_a_closed_lead_lets_the_next_one_in(self, storage: SqlStorage) -> None:
        """After a request is over the same client may come again."""
        await storage.write(lambda tx: tx.leads.add(new_lead("1")))
        ref = LeadRef(CrmEntity.LEAD, 48211)
        await storage.write(lambda tx: tx.leads.settle("lead_1", state=LeadState.OPEN, ref=ref, at=SOON))
        await storage.write(lambda tx: tx.leads.settle("lead_1", state=LeadState.CLOSED, ref=None, at=LATER))
        await storage.write(lambda tx: tx.leads.add(new_lead("2")))
        old, new = await storage.read(lambda tx: (tx.leads.find("lead_1"), tx.leads.find_current("subj_1")))
        assert old is not None
        assert new is not None
        assert (old.state, old.ref, new.lead_id) == (LeadState.CLOSED, ref, "lead_2")

    async def test_an_identifier_stays_with_whom_it_belongs_to(self, storage: SqlStorage) -> None:
        """A phone that two people name must not move one's history to the other."""
        await storage.write(lambda tx: tx.subjects.add_identifier("subj_1", "phone", b"index", at=NOW))
        await storage.write(lambda tx: tx.subjects.add_identifier("subj_2", "phone", b"index", at=NOW))
        assert await storage.read(lambda tx: tx.subjects.find_by("phone", b"index")) == "subj_1"
        assert await storage.read(lambda tx: tx.subjects.find_by("email", b"index")) is None

    async def test_a_message_is_kept_once_and_read_in_order(self, storage: SqlStorage) -> None:
        """A unit that runs again must not show the client the same words twice."""
        talk = StoredConversation(
            conversation_id="conv_1", connection_id=BOT, subject_id="subj_1", chat_index=b"chat", sealed_state=b"s"
        )

        def unit(tx: Transaction) -> None:
            for name in "abba":
                tx.conversations.add_message(
                    "conv_1",
                    message_id=name,
                    subject_id="subj_1",
                    outgoing=name == "b",
                    sealed_body=name.encode(),
                    at=NOW,
                )

        await storage.write(lambda tx: tx.conversations.add(talk, at=NOW))
        await storage.write(unit)
        await storage.write(lambda tx: tx.conversations.set_state("conv_1", b"t", at=SOON))
        kept = await storage.read(lambda tx: tx.conversations.messages("conv_1", after=0, limit=10))
        assert [(m.message_id, m.outgoing) for m in kept] == [("a", False), ("b", True)]
        rest = await storage.read(lambda tx: tx.conversations.messages("conv_1", after=kept[0].number, limit=10))
        assert [m.message_id for m in rest] == ["b"]
        assert await storage.read(lambda tx: tx.conversations.find(BOT, b"chat")) == replace(talk, sealed_state=b"t")

    # Deliveries

    async def test_open_deliveries_stand_in_their_lane_in_order(self, storage: SqlStorage) -> None:
        """The order in a lane is the order of the client's words."""
        for name in "abc":
            await storage.write(lambda tx, n=name: tx.deliveries.add(new_delivery(n)))  # type: ignore[misc]  # a default binds n now
        await storage.write(lambda tx: settle(tx, "dlv_a", DeliveryState.DONE))
        await storage.write(lambda tx: tx.deliveries.park("dlv_b"))
        assert await lane_of(storage) == ["dlv_c"]
        await storage.write(lambda tx: tx.deliveries.unpark("lead_1", at=SOON))
        assert await lane_of(storage) == ["dlv_b", "dlv_c"]

    async def test_after_a_jump_of_the_clock_what_waits_is_due_and_doubt_is_limited(self, storage: SqlStorage) -> None:
        """A clock that was put back by an hour must not make a lead an hour late; what is in doubt keeps its quiet time."""
        for name in "abc":
            await storage.write(partial(_add, replace(new_delivery(name), lead_id=f"lead_{name}", due_at=LATER)))
        await storage.write(lambda tx: settle(tx, "dlv_c", DeliveryState.UNKNOWN))
        await storage.write(lambda tx: tx.deliveries.put_off("dlv_c", until=LATER))
        await storage.write(lambda tx: tx.deliveries.put_off("dlv_b", until=LATER + timedelta(hours=1)))
        assert await work_of(storage, limit=9) == []
        await storage.write(lambda tx: tx.deliveries.bring_forward(now=NOW))
        assert await work_of(storage, limit=9) == ["dlv_a", "dlv_b"]
        await storage.write(lambda tx: tx.deliveries.limit_doubt("crm:another", until=NOW))
        assert await storage.read(lambda tx: tx.deliveries.next_due(LANE, now=NOW)) == LATER
        await storage.write(lambda tx: tx.deliveries.limit_doubt(LANE, until=SOON))
        assert await storage.read(lambda tx: tx.deliveries.next_due(LANE, now=NOW)) == SOON
        await storage.write(lambda tx: tx.deliveries.limit_doubt(LANE, until=LATER))
        assert await storage.read(lambda tx: tx.deliveries.next_due(LANE, now=NOW)) == SOON, "never longer"

    async def test_after_a_jump_of_the_clock_lanes_are_looked_at_and_endless_leases_cut(
        self, ready: SqlStorage
    ) -> None:
        """A dead holder's lease of an hour would keep its lane asleep for an hour; a living one's must stand until its renewal."""
        hour = timedelta(hours=1)
        lease = await claimed(ready)
        assert await ready.write(lambda tx: tx.lanes.renew(lease, until=LATER + hour))
        for lane in ("crm:idle", "crm:sleeps"):
            await ready.write(lambda tx, lane=lane: tx.lanes.wake(lane, connection_id=CRM, due_at=LATER))  # type: ignore[misc]  # a default binds the lane now
        (idle,) = await claim(ready, now=LATER, limit=1)
        await ready.write(lambda tx: release(tx, idle, due_at=None))
        await ready.write(lambda tx: tx.lanes.bring_forward(now=NOW, lease_limit=LATER, lease_until=SOON))
        assert await ready.write(lambda tx: tx.lanes.hold(lease)), "cut, not lost"
        due = await claim(ready, holder="b", now=SOON + timedelta(seconds=1))
        assert sorted(one.lane for one in due) == [LANE, "crm:sleeps"]

    async def test_what_waits_for_later_hides_nothing_that_is_due(self, storage: SqlStorage) -> None:
        """However many are in back-off: a lane sees what can go, and not what an earlier one of its lead holds up."""
        for n in range(30):
            later = replace(new_delivery(f"later{n}"), lead_id=f"lead_x{n}", due_at=SOON)
            await storage.write(partial(_add, later))
        early = replace(new_delivery("early"), lead_id="lead_2", due_at=SOON)
        for delivery in (early, replace(new_delivery("held"), lead_id="lead_2"), new_delivery("free")):
            await storage.write(partial(_add, delivery))
        for n in range(9):
            await storage.write(partial(_add, replace(new_delivery(f"held{n}"), lead_id="lead_2")))
        assert await work_of(storage, limit=5) == ["dlv_free"]
        assert await work_of(storage, limit=99, now=SOON) == [
            *(f"dlv_later{n}" for n in range(30)),
            *("dlv_early", "dlv_held", "dlv_free"),
            *(f"dlv_held{n}" for n in range(9)),
        ]
        assert await storage.read(lambda tx: tx.deliveries.next_due(LANE, now=NOW)) == SOON
        assert await storage.read(lambda tx: tx.deliveries.next_due("crm:empty", now=NOW)) is None

    async def test_while_many_wait_the_leads_of_fresh_ones_go_first(self, storage: SqlStorage) -> None:
        """A client who writes now still sits at the telephone; those of the outage have waited for hours already."""
        for n in range(20):
            old = replace(new_delivery(f"old{n}"), lead_id=f"lead_{n}", created_at=NOW - timedelta(hours=3))
            await storage.write(partial(_add, old))
        for name, lead_id in (("new", "lead_new"), ("again", "lead_12"), ("newest", "lead_newest")):
            await storage.write(partial(_add, replace(new_delivery(name), lead_id=lead_id)))
        work = await work_of(storage, limit=5, fresh_limit=2)
        assert work == ["dlv_old12", "dlv_again", "dlv_newest", *(f"dlv_old{n}" for n in range(5))]
        assert (await work_of(storage, limit=30))[:2] == ["dlv_old0", "dlv_old1"], "in order when all are read anyway"
        assert await work_of(storage, limit=2, fresh_since=SOON) == ["dlv_old0", "dlv_old1"]

    async def test_a_chat_is_read_from_its_first_open_message_on(self, storage: SqlStorage) -> None:
        """The first one holds up all others, due or not."""
        for name, due_at in (("a", SOON), ("b", NOW)):
            await storage.write(partial(_add, replace(new_delivery(name), lead_id=None, due_at=due_at)))
        assert await work_of(storage, limit=5) == ["dlv_a", "dlv_b"]

    async def test_an_attempt_is_on_disk_before_and_after_the_call(self, storage: SqlStorage) -> None:
        """`sending` on disk is what tells a successor that the call may have been made."""
        delivery = new_delivery("a")
        await storage.write(lambda tx: tx.deliveries.add(delivery))
        await storage.write(lambda tx: tx.deliveries.start_attempts([delivery], kind=AttemptKind.SEND, at=NOW))
        sending = await storage.read(lambda tx: tx.deliveries.find("dlv_a"))
        assert sending is not None
        assert (sending.state, sending.attempts) == (DeliveryState.SENDING, 1)
        await storage.write(lambda tx: end_attempt(tx, AttemptOutcome.UNKNOWN))
        detail = await storage.query(lambda q: q.delivery("dlv_a"))
        assert detail is not None
        assert [(a.number, a.kind, a.outcome) for a in detail.attempts] == [
            (1, AttemptKind.SEND, AttemptOutcome.UNKNOWN)
        ]

    async def test_only_the_dead_and_the_uncertain_are_sent_again(self, storage: SqlStorage) -> None:
        """Sending again what is done would double it."""
        await storage.write(lambda tx: tx.deliveries.add(new_delivery("a")))
        for state in DeliveryState:
            await storage.write(lambda tx, s=state: settle(tx, "dlv_a", s))  # type: ignore[misc]  # a default binds s now
            reopened = await storage.write(lambda tx: tx.deliveries.reopen("dlv_a", at=SOON))
            assert (reopened is not None) == (state in (DeliveryState.DEAD, DeliveryState.UNCERTAIN))

    async def test_what_is_under_way_is_not_given_up(self, storage: SqlStorage) -> None:
        """Its outcome will be written; a human's decision in between would be lost or lie."""
        await storage.write(lambda tx: tx.deliveries.add(new_delivery("a")))
        for state in (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.DONE):
            await storage.write(lambda tx, s=state: settle(tx, "dlv_a", s))  # type: ignore[misc]  # a default binds s now
            assert (
                await storage.write(lambda tx: tx.deliveries.discard("dlv_a", reason="no", by="staff_1", at=SOON))
                is None
            )

    async def test_open_deliveries_move_to_another_crm_in_order(self, storage: SqlStorage) -> None:
        """What waited for a CRM that was removed, or that was not there yet, is not lost."""
        for name in "abc":
            await storage.write(lambda tx, n=name: tx.deliveries.add(new_delivery(n)))  # type: ignore[misc]  # a default binds n now
        await storage.write(lambda tx: settle(tx, "dlv_b", DeliveryState.DONE))
        move = await storage.write(
            lambda tx: tx.deliveries.move_open(CRM, to_connection_id="conn_2", to_lane="crm:conn_2")
        )
        assert move == 2
        assert await lane_of(storage, "crm:conn_2") == ["dlv_a", "dlv_c"]

    # Connections, secrets, staff

    async def test_a_name_belongs_to_one_live_connection(self, ready: SqlStorage) -> None:
        """Two connections that people call the same cannot be told apart in an alert."""
        with pytest.raises(ConflictError, match=BOT):
            await ready.write(lambda tx: tx.connections.add(new_connection("conn_3", name=BOT)))
        await ready.write(lambda tx: tx.connections.set_state(BOT, ConnectionState.REMOVED, at=SOON))
        await ready.write(lambda tx: tx.connections.add(new_connection("conn_3", name=BOT)))
        assert await ready.read(lambda tx: [c.connection_id for c in tx.connections.all()]) == ["conn_3", CRM]

    async def test_a_retired_secret_is_live_no_more(self, ready: SqlStorage) -> None:
        """A token that leaked must stop working when it is replaced."""
        for version in (1, 2):
            secret = StoredSecret(
                connection_id=BOT, name="token", version=version, sealed_value=b"s", created_at=NOW, live_until=None
            )
            assert await ready.write(lambda tx: tx.connections.retire_secret(BOT, "token", at=NOW)) == version - 1
            await ready.write(lambda tx, s=secret: tx.connections.add_secret(s))  # type: ignore[misc]  # a default binds s now
        live = await ready.read(lambda tx: tx.connections.live_secrets(now=NOW))
        assert [secret.version for secret in live] == [2]

    async def test_the_version_follows_every_change(self, ready: SqlStorage) -> None:
        """Other nodes read connections again only when it differs; also when the changing node's clock is behind."""
        earlier = NOW - timedelta(hours=1)
        secret = StoredSecret(
            connection_id=BOT, name="token", version=1, sealed_value=b"s", created_at=earlier, live_until=None
        )
        changes = (
            lambda tx: tx.connections.set_state(BOT, ConnectionState.PAUSED, at=earlier),
            lambda tx: tx.connections.set_settings(CRM, {}, at=earlier - timedelta(hours=1)),
            lambda tx: tx.connections.add_secret(secret),
            lambda tx: tx.connections.retire_secret(BOT, "token", at=NOW),
        )
        seen = [await ready.read(lambda tx: tx.connections.version())]
        for change in changes:
            await ready.write(change)
            version = await ready.read(lambda tx: tx.connections.version())
            assert version not in seen
            seen.append(version)
        assert await ready.read(lambda tx: tx.connections.version()) == seen[-1]

    async def test_a_one_time_address_works_once_though_two_race(self, storage: SqlStorage, second: SqlStorage) -> None:
        """Whoever opens the owner's address second must not become the owner."""
        person = Staff(workspace_id="ws", staff_id="staff_1", name="", role=Role.OWNER, created_at=NOW)
        await storage.write(lambda tx: tx.staff.add(person))
        await storage.write(lambda tx: tx.staff.add_setup_token(b"hash", staff_id="staff_1", expires_at=LATER))
        uses = await asyncio.gather(
            *(node.write(lambda tx: tx.staff.use_setup_token(b"hash", now=NOW)) for node in (storage, second) * 4)
        )
        assert sorted(uses, key=str) == [None] * 7 + ["staff_1"]

    async def test_failed_sign_ins_count_up_and_are_cleared(self, storage: SqlStorage) -> None:
        """The lock counts on it."""
        for _ in range(3):
            await storage.write(lambda tx: tx.staff.count_failure("alsu", at=SOON))
        assert await storage.read(lambda tx: tx.staff.failures("alsu")) == (3, SOON)
        await storage.write(lambda tx: tx.staff.clear_failures("alsu"))
        assert await storage.read(lambda tx: tx.staff.failures("alsu")) is None

    async def test_a_sweep_goes_on_where_the_last_one_ended(self, storage: SqlStorage, stranger: SqlStorage) -> None:
        """Each portal by itself; what is forgotten would be read from the beginning again."""
        await storage.write(lambda tx: tx.note_sweep(CRM, until=NOW))
        await storage.write(lambda tx: tx.note_sweep(CRM, until=LATER))
        assert await storage.read(lambda tx: tx.find_sweep(CRM)) == LATER
        assert await storage.read(lambda tx: tx.find_sweep(BOT)) is None
        assert await stranger.read(lambda tx: tx.find_sweep(CRM)) is None

    async def test_results_of_reconciliations_are_kept_newest_first_and_not_for_ever(self, storage: SqlStorage) -> None:
        """A year of nights is enough to look back, and the table does not grow for ever."""
        kept = 400

        def unit(tx: Transaction) -> None:
            for number in range(kept + 3):
                tx.add_reconciliation(started_at=NOW + timedelta(days=number), result=str(number))

        await storage.write(unit)
        results = await storage.query(lambda q: q.reconciliations(limit=500))
        assert (len(results), results[0], results[-1]) == (kept, str(kept + 2), "3")

    async def test_dead_letters_are_found_by_cause(self, ready: SqlStorage) -> None:
        """Also those that have none."""
        causes = {"dlv_1": "crm.no_rights", "dlv_2": None, "dlv_3": "crm.no_rights"}

        def unit(tx: Transaction) -> None:
            for name, code in causes.items():
                tx.deliveries.add(new_delivery(name.removeprefix("dlv_")))
                state: dict[str, Any] = {"due_at": None, "failures": 1, "error_detail": None, "external_id": None}
                tx.deliveries.settle(name, state=DeliveryState.DEAD, error_code=code, at=NOW, **state)

        await ready.write(unit)
        found = await ready.read(lambda tx: tx.deliveries.dead(limit=9, cause="crm.no_rights"))
        assert [one.delivery_id for one in found] == ["dlv_1", "dlv_3"]
        assert [one.delivery_id for one in await ready.read(lambda tx: tx.deliveries.dead(limit=9, cause=""))] == [
            "dlv_2"
        ]
        counted = await ready.query(lambda q: q.dead_causes())
        assert [(cause.code, cause.count) for cause in counted] == [("crm.no_rights", 2), ("", 1)]

    async def test_an_event_is_read_with_its_end(self, ready: SqlStorage) -> None:
        """One read for a page of events; a wait tells why and until when."""
        await ready.receive(new_event("1"))

        def unit(tx: Transaction) -> None:
            tx.leads.add(new_lead("1"))
            tx.events.finish(
                "evt_1",
                state=EventState.LEAD,
                reason=None,
                subject_id="subj_1",
                lead_id="lead_1",
                resealed=None,
                at=NOW,
            )
            tx.deliveries.add(replace(new_delivery("1"), due_at=LATER))

        await ready.write(unit)
        page = await ready.query(
            lambda q: q.events(limit=5, cursor=None, state=None, connection_id=None, since=None, query=None)
        )
        assert [row.ending for row in page.items] == [EventEnd(state=EndState.WAITING, why="in_turn", until=LATER)]
        ledger = await ready.query(lambda q: q.ledger(since=NOW - timedelta(days=1), until=NOW + timedelta(days=1)))
        assert (ledger.received, ledger.waiting, ledger.erased) == (1, 1, 0)

    async def test_refusals_add_up_within_the_hour(self, storage: SqlStorage) -> None:
        """A flood of forgeries is one row."""
        for _ in range(2):
            await storage.write(lambda tx: tx.add_refusals({(BOT, "webhook.stale"): 3}, at=NOW))
        rows = await storage.query(lambda q: q.refusals(since=NOW))
        assert [(row.connection_id, row.code, row.count) for row in rows] == [(BOT, "webhook.stale", 6)]


async def claim(storage: SqlStorage, *, holder: str = "a", now: datetime = NOW, limit: int = 10) -> list[Lease]:
    """Claim what is due."""
    until = now + timedelta(seconds=10)
    return list(await storage.write(lambda tx: tx.lanes.claim(holder=holder, now=now, until=until, limit=limit)))


async def claimed(storage: SqlStorage) -> Lease:
    """Wake the CRM's lane and claim it."""
    await storage.write(lambda tx: tx.lanes.wake(LANE, connection_id=CRM, due_at=NOW))
    (lease,) = await claim(storage)
    return lease


def _add(delivery: StoredDelivery, tx: Transaction) -> None:
    tx.deliveries.add(delivery)


async def lane_of(storage: SqlStorage, lane: str = LANE) -> list[str]:
    """Ids of the open deliveries of a lane, in order."""
    return await storage.read(lambda tx: [d.delivery_id for d in tx.deliveries.open_in_lane(lane, limit=10)])


async def work_of(
    storage: SqlStorage, *, limit: int, now: datetime = NOW, fresh_since: datetime = NOW, fresh_limit: int = 9
) -> list[str]:
    """Ids of what the lane can work on."""

    def unit(tx: Transaction) -> list[str]:
        work = tx.deliveries.work_in_lane(LANE, now=now, limit=limit, fresh_since=fresh_since, fresh_limit=fresh_limit)
        return [delivery.delivery_id for delivery in work]

    return await storage.read(unit)


def release(tx: Transaction, lease: Lease, *, due_at: datetime | None, problem: str | None = None) -> None:
    """Give a lane back."""
    tx.lanes.release(lease, due_at=due_at, failures=0, problem=problem, problem_since=None)


def finish(tx: Transaction, state: EventState) -> bool:
    """Give `evt_1` its end, its body sealed under the person's key."""
    resealed = ("subject:1", b"resealed")
    return tx.events.finish(
        "evt_1", state=state, reason=None, subject_id="subj_1", lead_id=None, resealed=resealed, at=SOON
    )


def settle(tx: Transaction, delivery_id: str, state: DeliveryState) -> None:
    """Give a delivery a state and nothing else."""
    tx.deliveries.settle(
        delivery_id,
        state=state,
        due_at=NOW,
        failures=0,
        error_code=None,
        error_detail=None,
        external_id=None,
        at=NOW,
    )


def end_attempt(tx: Transaction, outcome: AttemptOutcome) -> None:
    """End the first attempt of `dlv_a`."""
    tx.deliveries.end_attempt("dlv_a", 1, outcome=outcome, error_code=None, at=NOW)
