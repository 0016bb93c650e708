"""Works on lanes: claims those that are due, sends or looks up, writes the outcome down. One task per lane, many lanes at once.

The order of writes is the promise: `sending` is on disk before a call, the outcome after it; whoever finds `sending` after a crash
treats it as unknown. Every write is fenced by the lease, and no call starts after the lease has run out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from leadgate.delivery.clock_watch import ClockWatch
from leadgate.delivery.payloads import Outbox, Payload
from leadgate.delivery.plan import Plan, plan_lane
from leadgate.delivery.retry import Decision, Situation, attempt_outcome, code_of, decide, lane_wait_after
from leadgate.delivery.targets import Target, Targets
from leadgate.errors import LeaseLostError, OverloadedError, VaultError
from leadgate.model.deliveries import AttemptKind, AttemptOutcome, DeliveryState
from leadgate.model.leads import AddTimelineEntry, UpdateLead
from leadgate.model.outcomes import LeadClosed, Outcome, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.observability import get_logger, metrics
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.stores import Lease, Storage, StoredDelivery, StoredLead, Transaction

LEASE_TIME = timedelta(seconds=10)
NEW_CONNECTION_WAIT = timedelta(seconds=2)
POLL_INTERVAL_S = 0.5
LONGEST_LEASE = timedelta(minutes=3)
"""Nobody takes a longer one of any lane: what ends later was written by a clock that went back since."""
LANES_AT_ONCE = 64
FRESH_FOR = timedelta(minutes=2)
"""While a backlog drains, leads of the last minutes go before it, in at most half of each batch: their clients still wait."""
_LEAST_WINDOW = 20
_BATCHES_IN_WINDOW = 2
"""How far ahead a lane looks, so that what a batch leaves out (parked entries) does not make it small."""
_WIDER = 4
_CROWD_PAUSE_S = 0.2
_log = get_logger("delivery")


class Settlement(Protocol):
    """What the domain does when a delivery got its outcome, inside the same transaction."""

    def settled(
        self,
        tx: Transaction,
        delivery: StoredDelivery,
        payload: Payload | None,
        outcome: Outcome,
        decision: Decision,
        *,
        at: datetime,
    ) -> Decision:
        """Returns the decision, or another one instead."""
        ...


@dataclass(frozen=True, slots=True)
class _Task:
    delivery: StoredDelivery
    payload: Payload
    kind: AttemptKind
    number: int


@dataclass(frozen=True, slots=True)
class _Step:
    """What a lane does next: call the target for these tasks; without a target plan anew, or nothing any more."""

    tasks: Sequence[_Task] = ()
    target: Target | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class _Called:
    """Calls that were made, with what came of each."""

    target: Target
    tasks: Sequence[_Task]
    outcomes: Sequence[Outcome]


class DeliveryWorker:
    """Runs until it is stopped."""

    def __init__(
        self,
        storage: Storage,
        targets: Targets,
        outbox: Outbox,
        settlement: Settlement,
        *,
        clock: Clock,
        ids: IdSource,
        holder: str,
        is_crowded: Callable[[], bool] = lambda: False,
    ) -> None:
        """Work under this holder name, unique for the process; step back while `is_crowded`."""
        self._is_crowded = is_crowded
        self._crowd_turn = asyncio.Lock()
        self._storage = storage
        self._targets = targets
        self._outbox = outbox
        self._settlement = settlement
        self._clock = clock
        self._watch = ClockWatch(clock)
        self._breaks_seen_to = 0
        self._ids = ids
        self._holder = holder
        self._wake = asyncio.Event()
        self._lanes: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()

    def wake(self) -> None:
        """There may be something to do now."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Claim and work until `stop` is set; then finish the calls in hand and give the lanes back."""
        self._stop = stop
        while not stop.is_set():
            self._wake.clear()
            if await self._claim() >= LANES_AT_ONCE:
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_INTERVAL_S)
        try:
            if self._lanes:
                await asyncio.wait(self._lanes)
        except asyncio.CancelledError:
            await self._break_off()
            raise

    async def _break_off(self) -> None:
        """No time is left for calls in hand: their outcome is unknown, and their lanes go back."""
        lanes = list(self._lanes)
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)

    async def drain(self) -> None:
        """Work until no lane is due; for tests and commands."""
        while await self._claim() or self._lanes:
            if self._lanes:
                await asyncio.wait(self._lanes, return_when=asyncio.FIRST_COMPLETED)

    async def _claim(self) -> int:
        """Start on lanes that are due; how many."""
        free = LANES_AT_ONCE - len(self._lanes)
        if free <= 0:
            return 0
        now, now_s = self._watch.now(), self._clock.monotonic_s()
        breaks = self._watch.breaks

        def claim(tx: Transaction) -> Sequence[Lease]:
            if breaks > self._breaks_seen_to:
                _forget_waits(tx, now)
            return tx.lanes.claim(holder=self._holder, now=now, until=now + LEASE_TIME, limit=free)

        try:
            leases = await self._storage.write(claim)
        except OverloadedError as error:
            _log.error("delivery.claim_failed", error_code=error.code)
            return 0
        self._breaks_seen_to = breaks
        for lease in leases:
            task = asyncio.create_task(self._work(lease, _LeaseGuard(self._clock, now_s)), name=f"lane {lease.lane}")
            self._lanes.add(task)
            task.add_done_callback(self._finished)
        return len(leases)

    def _finished(self, task: asyncio.Task[None]) -> None:
        if len(self._lanes) >= LANES_AT_ONCE:
            self._wake.set()  # others may have waited for a free place
        self._lanes.discard(task)

    async def _work(self, lease: Lease, guard: _LeaseGuard) -> None:
        try:
            async with self._heartbeat(lease, guard):
                await self._work_through(lease, guard)
        except asyncio.CancelledError:
            with contextlib.suppress(OverloadedError):
                await self._hand_back(lease)
            raise
        except LeaseLostError:
            _log.warning("delivery.lease_lost", lane_kind=_kind_of(lease.lane), error_code=LeaseLostError.code)
        except OverloadedError as error:
            _log.error("delivery.not_written", lane_kind=_kind_of(lease.lane), error_code=error.code)
        except Exception:  # noqa: BLE001 -- see below
            # One of the two places that may catch everything: the lease runs out and the lane is tried again.
            _log.exception("delivery.crashed", lane_kind=_kind_of(lease.lane))
            metrics.crashes.labels("delivery").inc()

    async def _step_back(self) -> None:
        """In a flood the senders come first: one step of one lane every fifth of a second."""
        if self._is_crowded():
            async with self._crowd_turn:
                await asyncio.sleep(_CROWD_PAUSE_S)

    async def _work_through(self, lease: Lease, guard: _LeaseGuard) -> None:
        """Call, write down, call … until the lane is given back."""
        step = _Step()
        while not step.is_over:
            if self._stop.is_set():
                await self._hand_back(lease)
                return
            if step.target is None or not step.tasks:
                await self._step_back()
                step = await self._plan(lease)
            else:
                called = _Called(step.target, step.tasks, await self._call(step.target, step.tasks, guard))
                step = await self._write_down(lease, called)
                self._report(called)

    async def _plan(self, lease: Lease) -> _Step:
        target, now = self._find_target(lease), self._watch.now()
        return await self._storage.write(lambda tx: self._prepare(tx, lease, target, now))

    def _find_target(self, lease: Lease) -> Target | None:
        return self._targets.find(lease.connection_id or "")

    async def _write_down(self, lease: Lease, called: _Called) -> _Step:
        """The outcomes, and in the same commit what is next, unless senders or a stop come first."""
        target, now, jitter = self._find_target(lease), self._watch.now(), self._ids.fraction()

        def record(tx: Transaction) -> _Step:
            return self._record(tx, lease, called, now=now, jitter=jitter)

        def record_and_prepare(tx: Transaction) -> _Step:
            step = record(tx)
            return step if step.is_over else self._prepare(tx, lease, target, now)

        if self._is_crowded() or self._stop.is_set():
            return await self._storage.write(record)
        try:
            return await self._storage.write(record_and_prepare)
        except (LeaseLostError, OverloadedError):
            raise
        except Exception:
            # Whatever is wrong with what is next, the calls were made: their outcomes must not be lost with it.
            await self._storage.write(record)
            raise

    def _prepare(self, tx: Transaction, lease: Lease, target: Target | None, now: datetime) -> _Step:
        if not tx.lanes.hold(lease):
            raise LeaseLostError("the lane has another holder")
        if target is None:
            # The connection was changed a moment ago and this process does not know it yet: look again soon.
            tx.lanes.release(lease, due_at=now + NEW_CONNECTION_WAIT, failures=0, problem=None, problem_since=None)
            return _Step(is_over=True)
        window = max(_LEAST_WINDOW, _BATCHES_IN_WINDOW * target.capacity())
        fresh_since, fresh_limit = now - FRESH_FOR, max(1, target.capacity() // 2)
        while True:
            deliveries = tx.deliveries.work_in_lane(
                lease.lane, now=now, limit=window, fresh_since=fresh_since, fresh_limit=fresh_limit
            )
            leads = _leads_of(tx, deliveries)
            if self._move_strangers(tx, deliveries, leads, target=target, now=now):
                return _Step()
            deliveries = self._keep_quiet(tx, deliveries, target, now)
            in_crm = frozenset(lead.lead_id for lead in leads.values() if lead.ref is not None)
            plan = plan_lane(deliveries, in_crm, capacity=target.capacity(), now=now)
            woken = tx.deliveries.unpark(*plan.leads_to_create, at=now)
            if woken:
                # Parked when the creation was out of sight, they go along with it: all of them must be in sight now.
                window += woken
            elif plan.is_done and len(deliveries) >= window:
                window *= _WIDER  # all that was read is held up; what could go may stand behind it
            else:
                break
        for orphan in plan.orphans:
            self._make_unknown(tx, orphan, target, now)
        for delivery in plan.park:
            tx.deliveries.park(delivery.delivery_id)
        if plan.is_done:
            # What is in doubt holds up a client's words: a clock that was put back must not make that longer.
            tx.deliveries.limit_doubt(lease.lane, until=now + target.quiet_time())
            next_look = tx.deliveries.next_due(lease.lane, now=now)
            tx.lanes.release(lease, due_at=next_look, failures=0, problem=None, problem_since=None)
            return _Step(is_over=True)
        return _Step(self._start(tx, plan, target, now), target)

    def _keep_quiet(
        self, tx: Transaction, deliveries: Sequence[StoredDelivery], target: Target, now: datetime
    ) -> list[StoredDelivery]:
        """Put off the look-ups whose quiet time is over by the wall clock alone."""
        kept: list[StoredDelivery] = []
        for delivery in deliveries:
            until = delivery.due_at
            if delivery.state is DeliveryState.UNKNOWN and until is not None and until <= now:
                until = self._watch.end_of_quiet(until, target.quiet_time())
            if until is not None and until != delivery.due_at and until > now:
                tx.deliveries.put_off(delivery.delivery_id, until=until)
                kept.append(replace(delivery, due_at=until))
            else:
                kept.append(delivery)
        return kept

    def _move_strangers(
        self,
        tx: Transaction,
        deliveries: Sequence[StoredDelivery],
        leads: Mapping[str | None, StoredLead],
        *,
        target: Target,
        now: datetime,
    ) -> bool:
        """Entries of leads that stand in a CRM of the past go to a new lead; True when there were any."""
        strangers = [d for d in deliveries if _is_elsewhere(leads.get(d.lead_id), d)]
        for stranger in strangers:
            payload = self._open(tx, stranger, target, now)
            if payload is not None:
                self._settle(tx, stranger, payload, LeadClosed("crm.lead_elsewhere"), target, now=now, jitter=0.5)
        return bool(strangers)

    def _start(self, tx: Transaction, plan: Plan, target: Target, now: datetime) -> list[_Task]:
        """Write down what is about to be called; nothing when something could not be read, so that the rest is planned anew."""
        wanted = [(d, AttemptKind.LOOK_UP) for d in plan.look_up] + [(d, AttemptKind.SEND) for d in plan.send]
        opened = [(d, kind, self._open(tx, d, target, now)) for d, kind in wanted]
        tasks = [_Task(d, payload, kind, d.attempts + 1) for d, kind, payload in opened if payload is not None]
        if len(tasks) < len(opened):
            return []
        for task in tasks:
            tx.deliveries.start_attempt(task.delivery, kind=task.kind, at=now)
        return tasks

    async def _hand_back(self, lease: Lease) -> None:
        """The process ends with work left: another one, or the next start, takes the lane at once."""
        due_at = self._watch.now()
        await self._storage.write(
            lambda tx: tx.lanes.release(lease, due_at=due_at, failures=0, problem=None, problem_since=None)
        )

    def _make_unknown(self, tx: Transaction, orphan: StoredDelivery, target: Target, now: datetime) -> None:
        """Nobody knows how far a dead holder came; the quiet time counts from now, as a frozen one may have sent late."""
        outcome = OutcomeUnknown("delivery.holder_died")
        tx.deliveries.end_attempt(
            orphan.delivery_id, orphan.attempts, outcome=AttemptOutcome.UNKNOWN, error_code=outcome.code, at=now
        )
        self._settle(tx, orphan, None, outcome, target, now=now, jitter=0.5)

    def _open(self, tx: Transaction, delivery: StoredDelivery, target: Target, now: datetime) -> Payload | None:
        """The payload; one that cannot be read gives up at once, so that it does not stop the lane for ever."""
        try:
            return self._outbox.open(tx, delivery)
        except VaultError as error:
            self._settle(tx, delivery, None, Refused(error.code), target, now=now, jitter=0.5)
            return None

    async def _call(self, target: Target, tasks: Sequence[_Task], guard: _LeaseGuard) -> list[Outcome]:
        look_ups = [task.payload for task in tasks if task.kind is AttemptKind.LOOK_UP]
        sends = [task.payload for task in tasks if task.kind is AttemptKind.SEND]
        found = await target.look_up(look_ups) if look_ups else []
        sent = await target.send(sends, guard.check) if sends else []
        return [*found, *sent]

    def _record(self, tx: Transaction, lease: Lease, called: _Called, *, now: datetime, jitter: float) -> _Step:
        """Write every outcome; the lane is given back when its target as a whole has a problem."""
        if not tx.lanes.hold(lease):
            raise LeaseLostError("the lane has another holder")
        for task, outcome in zip(called.tasks, called.outcomes, strict=True):
            end = attempt_outcome(outcome)
            tx.deliveries.end_attempt(
                task.delivery.delivery_id, task.number, outcome=end, error_code=code_of(outcome), at=now
            )
            self._settle(tx, task.delivery, task.payload, outcome, called.target, now=now, jitter=jitter)
        problem = _find_problem(called.outcomes)
        if problem is None:
            return _Step()
        failures = lease.failures + 1
        wait = lane_wait_after(failures, jitter, at_least=problem.after)
        since = lease.problem_since or now
        tx.lanes.release(lease, due_at=now + wait, failures=failures, problem=problem.code, problem_since=since)
        return _Step(is_over=True)

    def _settle(
        self,
        tx: Transaction,
        delivery: StoredDelivery,
        payload: Payload | None,
        outcome: Outcome,
        target: Target,
        *,
        now: datetime,
        jitter: float,
    ) -> None:
        decision = decide(
            _without_blame(outcome, payload),
            Situation(
                kind=delivery.kind,
                created_at=delivery.created_at,
                now=now,
                failures=delivery.failures,
                can_repeat=target.can_repeat(),
                quiet_time=target.quiet_time(),
                jitter=jitter,
            ),
        )
        if delivery.state is DeliveryState.UNKNOWN and isinstance(outcome, RetryLater):
            # The look-up could not be made: the delivery stays unknown, it must not be sent.
            decision = Decision(
                state=DeliveryState.UNKNOWN,
                due_at=max(decision.due_at or now, now + (outcome.after or timedelta(seconds=1))),
                failures=delivery.failures,
                error_code=outcome.code,
            )
        decision = self._settlement.settled(tx, delivery, payload, outcome, decision, at=now)
        tx.deliveries.settle(
            delivery.delivery_id,
            state=decision.state,
            due_at=decision.due_at,
            failures=decision.failures,
            error_code=decision.error_code,
            error_detail=decision.error_detail,
            external_id=decision.external_id,
            at=now,
        )

    @contextlib.asynccontextmanager
    async def _heartbeat(self, lease: Lease, guard: _LeaseGuard) -> AsyncIterator[None]:
        beat = asyncio.create_task(self._beat(lease, guard))
        try:
            yield
        finally:
            beat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beat

    async def _beat(self, lease: Lease, guard: _LeaseGuard) -> None:
        while True:
            await asyncio.sleep(LEASE_TIME.total_seconds() / 3)
            started_s, now = self._clock.monotonic_s(), self._watch.now()
            try:
                kept = await self._storage.write(partial(_renew, lease=lease, until=now + LEASE_TIME))
            except OverloadedError:
                continue
            if not kept:
                guard.lose()
                return
            guard.extend(started_s)

    @staticmethod
    def _report(called: _Called) -> None:
        for task, outcome in zip(called.tasks, called.outcomes, strict=True):
            end = attempt_outcome(outcome)
            metrics.attempts.labels(task.delivery.kind.value, end.value).inc()
            _log.info(
                "delivery.attempted",
                delivery_id=task.delivery.delivery_id,
                event_id=task.delivery.event_id,
                kind=task.delivery.kind.value,
                attempt=task.number,
                action=task.kind.value,
                outcome=end.value,
                error_code=code_of(outcome),
            )


class _LeaseGuard:
    """Knows without a look into the database whether the lease can still stand; asked right before each call."""

    def __init__(self, clock: Clock, claimed_at_s: float) -> None:
        """Count from before the claim was written: the disk may have been slow."""
        self._clock = clock
        self._lease_s = LEASE_TIME.total_seconds()
        self._until_s = claimed_at_s + self._lease_s
        self._is_lost = False

    def check(self) -> None:
        if self._is_lost or self._clock.monotonic_s() >= self._until_s:
            raise LeaseLostError("the lease ran out before the call")

    def extend(self, renewed_at_s: float) -> None:
        self._until_s = renewed_at_s + self._lease_s

    def lose(self) -> None:
        self._is_lost = True


def _forget_waits(tx: Transaction, now: datetime) -> None:
    """The clock may have been put back, here or while nobody was watching: look at everything now, rather than an hour late.

    A pause or a retry that comes early costs one request; look-ups have a quiet time of their own (`_keep_quiet`).
    """
    tx.deliveries.bring_forward(now=now)
    tx.lanes.bring_forward(now=now, lease_limit=now + LONGEST_LEASE, lease_until=now + LEASE_TIME)


def _renew(tx: Transaction, *, lease: Lease, until: datetime) -> bool:
    return tx.lanes.renew(lease, until=until)


def _leads_of(tx: Transaction, deliveries: Sequence[StoredDelivery]) -> dict[str | None, StoredLead]:
    lead_ids = {d.lead_id for d in deliveries if d.lead_id is not None}
    return {lead.lead_id: lead for lead in tx.leads.find_all(lead_ids)} if lead_ids else {}


def _is_elsewhere(lead: StoredLead | None, delivery: StoredDelivery) -> bool:
    """True when the lead stands in a CRM that was removed meanwhile: its number means somebody else in this one."""
    return lead is not None and lead.ref is not None and lead.crm_connection_id != delivery.connection_id


def _without_blame(outcome: Outcome, payload: Payload | None) -> Outcome:
    """An entry whose lead could not be made is not at fault: it waits for its lead, however long that takes."""
    is_orphan = isinstance(payload, AddTimelineEntry | UpdateLead) and payload.ref is None
    return replace(outcome, scope=Scope.TARGET) if is_orphan and isinstance(outcome, RetryLater) else outcome


def _find_problem(outcomes: Sequence[Outcome]) -> RetryLater | None:
    problems = [o for o in outcomes if isinstance(o, RetryLater) and o.scope is Scope.TARGET]
    return max(problems, key=lambda p: p.after or timedelta(), default=None)


def _kind_of(lane: str) -> str:
    return lane.partition(":")[0]
