"""The memory storage of the simulation beside the real one: the same units of work give the same answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest

from leadgate.model.connections import ConnectionState
from leadgate.model.deliveries import AttemptKind, AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.model.leads import CrmEntity, LeadRef, LeadState
from leadgate.ports.stores import Lease, StoredDelivery, StoredLead, Transaction
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import NOW
from leadgate.testing.databases import open_storage, sqlite_url
from leadgate.testing.storage_suite import BOT, CRM, new_connection
from tests.simulation.memory_storage import MemoryStorage

T = TypeVar("T")
_CHAT = f"chat:{BOT}:1"
_LANES = (f"crm:{CRM}", f"crm:{CRM}", _CHAT)
_UNITS, _STEPS = 40, 4


class GivenUpError(Exception):
    """A unit changed its mind at the end."""


@dataclass(slots=True)
class Walk:
    """Random steps that a delivery core could take; the same on every storage, as far as the storages answer the same.

    Attributes:
        leases: every lease that was ever given, lost ones too.
    """

    rng: Random
    leases: list[Lease]
    ids: int = 0

    def step(self) -> Callable[[Transaction], object]:
        """The next one: works on a transaction, answers something that can be compared."""
        makers = (
            *(self._add,) * 4,
            *(self._claim, self._work, self._settle, self._attempt) * 2,
            *(self._wake, self._lease_step, self._release, self._park, self._change, self._read, self._lane_admin),
            *(self._forget_waits, self._lead, self._claim_one),
        )
        return self.rng.choice(makers)()

    def _time(self) -> datetime:
        return NOW + timedelta(seconds=self.rng.randint(0, 40))

    def _id(self) -> str:
        return f"dlv_{self.rng.randint(1, max(1, self.ids))}"

    def _lead_id(self) -> str:
        return f"lead_{self.rng.randint(1, 4)}"

    def _add(self) -> Callable[[Transaction], object]:
        self.ids += 1
        lane = self.rng.choice(_LANES)
        delivery = StoredDelivery(
            delivery_id=f"dlv_{self.ids}",
            lane=lane,
            kind=self.rng.choice((DeliveryKind.CREATE_LEAD, DeliveryKind.TIMELINE_ENTRY, DeliveryKind.TIMELINE_ENTRY)),
            connection_id=BOT if lane == _CHAT else CRM,
            event_id=None,
            lead_id=None if lane == _CHAT else self._lead_id(),
            subject_id="subj_1",
            state=DeliveryState.WAITING,
            due_at=self._time(),
            attempts=0,
            failures=0,
            sealed_payload=b"sealed",
            created_at=self._time(),
            external_id=None,
        )
        return lambda tx: tx.deliveries.add(delivery)

    def _wake(self) -> Callable[[Transaction], object]:
        lane, due_at = self.rng.choice(_LANES), self._time()
        return lambda tx: tx.lanes.wake(lane, connection_id=BOT if lane == _CHAT else CRM, due_at=due_at)

    def _claim(self) -> Callable[[Transaction], object]:
        holder, now = self.rng.choice("ab"), self._time()

        def claim(tx: Transaction) -> object:
            leases = tx.lanes.claim(holder=holder, now=now, until=now + timedelta(seconds=10), limit=9)
            return sorted(leases, key=lambda lease: lease.lane)

        return claim

    def _claim_one(self) -> Callable[[Transaction], object]:
        lane, holder, now = self.rng.choice((*_LANES, "inbox:01")), self.rng.choice("ab"), self._time()
        return lambda tx: tx.lanes.claim_one(lane, holder=holder, now=now, until=now + timedelta(seconds=10))

    def _lease_step(self) -> Callable[[Transaction], object]:
        if not self.leases:
            return self._claim()
        lease, until, renews = self.rng.choice(self.leases), self._time(), self.rng.random() < 0.5
        return lambda tx: tx.lanes.renew(lease, until=until) if renews else tx.lanes.hold(lease)

    def _release(self) -> Callable[[Transaction], object]:
        if not self.leases:
            return self._claim()
        lease, due_at = self.rng.choice(self.leases), self.rng.choice((None, self._time()))
        problem = self.rng.choice((None, "portal.down"))
        return lambda tx: tx.lanes.release(lease, due_at=due_at, failures=3, problem=problem, problem_since=None)

    def _lane_admin(self) -> Callable[[Transaction], object]:
        now, kind = self._time(), self.rng.randint(0, 3)
        if kind == 0:
            return lambda tx: tx.lanes.resume(CRM, now=now)
        if kind == 1:
            return lambda tx: tx.lanes.free("a")
        if kind == 2:
            return lambda tx: sorted(tx.lanes.holders())
        return lambda tx: tx.deliveries.move_open(CRM, to_connection_id=CRM, to_lane=f"crm:{CRM}")

    def _work(self) -> Callable[[Transaction], object]:
        lane, now, limit, fresh = self.rng.choice(_LANES), self._time(), self.rng.randint(1, 8), self._time()
        return lambda tx: (
            tx.deliveries.work_in_lane(lane, now=now, limit=limit, fresh_since=fresh, fresh_limit=2),
            tx.deliveries.next_due(lane, now=now),
        )

    def _settle(self) -> Callable[[Transaction], object]:
        delivery_id, state, at = self._id(), self.rng.choice(list(DeliveryState)), self._time()
        due_at = self.rng.choice((None, at))

        def settle(tx: Transaction) -> object:
            if tx.deliveries.find(delivery_id) is None:
                return None
            tx.deliveries.settle(
                delivery_id,
                state=state,
                due_at=due_at,
                failures=2,
                error_code="portal.busy" if due_at else None,
                error_detail=None,
                external_id="lead:1",
                at=at,
            )
            return tx.deliveries.find(delivery_id)

        return settle

    def _attempt(self) -> Callable[[Transaction], object]:
        delivery_id, kind, at = self._id(), self.rng.choice(list(AttemptKind)), self._time()

        def attempt(tx: Transaction) -> object:
            delivery = tx.deliveries.find(delivery_id)
            if delivery is None:
                return None
            tx.deliveries.start_attempts([delivery], kind=kind, at=at)
            number, outcome = delivery.attempts + 1, AttemptOutcome.DELIVERED
            tx.deliveries.end_attempt(delivery_id, number, outcome=outcome, error_code=None, at=at)
            return tx.deliveries.find(delivery_id)

        return attempt

    def _park(self) -> Callable[[Transaction], object]:
        delivery_id, lead_id, at, kind = self._id(), self._lead_id(), self._time(), self.rng.randint(0, 3)
        if kind == 0:
            return lambda tx: tx.deliveries.put_off(delivery_id, until=at)
        if kind == 1:
            return lambda tx: tx.deliveries.unpark(lead_id, "lead_1", at=at)
        return lambda tx: tx.deliveries.park(delivery_id) if tx.deliveries.find(delivery_id) else None

    def _change(self) -> Callable[[Transaction], object]:
        delivery_id, lead_id, at, kind = self._id(), self._lead_id(), self._time(), self.rng.randint(0, 3)
        if kind == 0:
            return lambda tx: tx.deliveries.reopen(delivery_id, at=at)
        if kind == 1:
            return lambda tx: tx.deliveries.discard(delivery_id, reason="no", by="staff_1", at=at)
        if kind == 2:
            return lambda tx: tx.deliveries.confirm(delivery_id, at=at)

        def move(tx: Transaction) -> object:
            found = tx.deliveries.find(delivery_id)
            if found is None:
                return None
            tx.deliveries.replace(delivery_id, kind=found.kind, lead_id=lead_id, sealed_payload=b"new", due_at=at)
            return tx.deliveries.find(delivery_id)

        return move

    def _forget_waits(self) -> Callable[[Transaction], object]:
        lane, now, until = self.rng.choice(_LANES), self._time(), self._time()

        def forget(tx: Transaction) -> object:
            tx.deliveries.limit_doubt(lane, until=until)
            tx.deliveries.bring_forward(now=now)
            tx.lanes.bring_forward(now=now, lease_limit=until, lease_until=now)
            return tx.deliveries.next_due(lane, now=now)

        return forget

    def _read(self) -> Callable[[Transaction], object]:
        lane, lead_id, cause = self.rng.choice(_LANES), self._lead_id(), self.rng.choice((None, "", "portal.busy"))
        return lambda tx: (
            tx.deliveries.open_in_lane(lane, limit=5),
            tx.deliveries.of_lead(lead_id),
            tx.deliveries.dead(limit=3, cause=cause),
        )

    def _lead(self) -> Callable[[Transaction], object]:
        lead_id, at, state = self._lead_id(), self._time(), self.rng.choice((LeadState.OPEN, LeadState.CLOSED))
        ref = self.rng.choice((None, LeadRef(CrmEntity.LEAD, 7)))
        lead = StoredLead(
            lead_id=lead_id,
            subject_id=f"subj_{lead_id}",
            crm_connection_id=None,
            origin_id=lead_id,
            state=LeadState.PENDING,
            ref=None,
            created_at=at,
        )

        def change(tx: Transaction) -> object:
            if tx.leads.find(lead_id) is None:
                tx.leads.add(lead)
            else:
                tx.leads.settle(lead_id, state=state, ref=ref, at=at, crm_connection_id=CRM if ref else None)
            return tx.leads.find_current(lead.subject_id), tx.leads.find_all([lead_id, "lead_x"])

        return change


@pytest.mark.parametrize("seed", range(20))
async def test_the_memory_storage_answers_as_the_real_one(tmp_path: Path, seed: int) -> None:
    """What the simulation finds out holds for the product only if its storage keeps the same promises."""
    real, memory = open_storage(sqlite_url(tmp_path)), MemoryStorage()
    await real.write(_connect)
    memory.tables.connections.update({BOT: ConnectionState.ACTIVE, CRM: ConnectionState.ACTIVE})
    walk = Walk(Random(seed), leases=[])  # noqa: S311 -- chance that replays, nothing secret
    for _ in range(_UNITS):
        steps = [walk.step() for _ in range(_STEPS)]
        is_given_up = walk.rng.random() < 0.1

        def unit(
            tx: Transaction, steps: list[Callable[[Transaction], object]] = steps, is_given_up: bool = is_given_up
        ) -> list[object]:
            answers = [step(tx) for step in steps]
            if is_given_up:
                raise GivenUpError
            return answers

        answers = await _try(real, unit)
        assert _try_memory(memory, unit) == answers
        walk.leases += [lease for answer in answers or () for lease in _leases(answer)]
        if walk.rng.random() < 0.1:
            await _pause_or_resume(real, memory, walk.rng.choice(list(ConnectionState)[:2]))
    real.close()


def _connect(tx: Transaction) -> None:
    for connection_id in (BOT, CRM):
        tx.connections.add(new_connection(connection_id))


async def _pause_or_resume(real: SqlStorage, memory: MemoryStorage, state: ConnectionState) -> None:
    await real.write(lambda tx: tx.connections.set_state(CRM, state, at=NOW))
    memory.tables.connections[CRM] = state


async def _try(real: SqlStorage, unit: Callable[[Transaction], list[object]]) -> list[object] | None:
    try:
        return await real.write(unit)
    except GivenUpError:
        return None


def _try_memory(memory: MemoryStorage, unit: Callable[[Transaction], list[object]]) -> list[object] | None:
    try:
        return memory.run(unit)
    except GivenUpError:
        return None


def _leases(answer: object) -> list[Lease]:
    if isinstance(answer, Lease):
        return [answer]
    return [lease for lease in answer if isinstance(lease, Lease)] if isinstance(answer, list) else []
