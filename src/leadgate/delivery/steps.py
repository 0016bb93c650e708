"""The two steps of a lane that write: what is called next, and what came of the calls. Each runs inside one transaction.

The order of writes is the promise: `sending` is on disk before a call, the outcome after it; whoever finds `sending` after a crash
treats it as unknown. Every write is fenced by the lease.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from leadgate.delivery.clock_watch import ClockWatch
from leadgate.delivery.payloads import Outbox, Payload
from leadgate.delivery.plan import Plan, plan_lane
from leadgate.delivery.retry import Decision, Situation, attempt_outcome, code_of, decide, lane_wait_after
from leadgate.delivery.targets import Target
from leadgate.errors import LeaseLostError, PrivacyError, VaultError
from leadgate.model.deliveries import AttemptKind, AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.model.leads import AddTimelineEntry, UpdateLead
from leadgate.model.outcomes import LeadClosed, Outcome, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.model.subjects import BLOCKED
from leadgate.ports.stores import Lease, StoredDelivery, StoredLead, Transaction

NEW_CONNECTION_WAIT = timedelta(seconds=2)
FRESH_FOR = timedelta(minutes=2)
"""While a backlog drains, leads of the last minutes go before it, in at most half of each batch: their clients still wait."""
_LEAST_WINDOW = 20
_BATCHES_IN_WINDOW = 2
"""How far ahead a lane looks, so that what a batch leaves out (parked entries) does not make it small."""
_WIDER = 4


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

    def settled_without_words(
        self, tx: Transaction, delivery: StoredDelivery, decision: Decision, *, at: datetime
    ) -> Decision:
        """The person was erased while this was under way: nothing of it is sent again. Returns the decision, or another one."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """One delivery that is about to be sent or looked up."""

    delivery: StoredDelivery
    payload: Payload
    kind: AttemptKind
    number: int


@dataclass(frozen=True, slots=True)
class Step:
    """What a lane does next: call the target for these tasks; without a target plan anew, or nothing any more."""

    tasks: Sequence[Task] = ()
    target: Target | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """Calls that were made, with what came of each."""

    target: Target
    tasks: Sequence[Task]
    outcomes: Sequence[Outcome]

    def split(self, size: int) -> list[Called]:
        """The same in parts of at most this many; at least one part."""
        starts = range(0, max(1, len(self.tasks)), size)
        return [Called(self.target, self.tasks[at : at + size], self.outcomes[at : at + size]) for at in starts]


class LaneSteps:
    """Plans and records for a worker."""

    def __init__(self, outbox: Outbox, settlement: Settlement, watch: ClockWatch) -> None:
        """Open payloads with `outbox`; `watch` knows when the clock was moved."""
        self._outbox = outbox
        self._settlement = settlement
        self._watch = watch

    def prepare(self, tx: Transaction, lease: Lease, target: Target | None, now: datetime) -> Step:
        """What is called next, already written down as being sent; the lane is given back when nothing is due.

        Raises:
            LeaseLostError: the lane has another holder; nothing is kept.
        """
        if not tx.lanes.hold(lease):
            raise LeaseLostError("the lane has another holder")
        if target is None or tx.lanes.is_frozen(lease.connection_id):
            return _put_off(tx, lease, due_at=now if target is not None else now + NEW_CONNECTION_WAIT)
        window = max(_LEAST_WINDOW, _BATCHES_IN_WINDOW * target.capacity())
        fresh_since, fresh_limit = now - FRESH_FOR, max(1, target.capacity() // 2)
        while True:
            deliveries = _see_work(
                tx, lease.lane, now=now, limit=window, fresh_since=fresh_since, fresh_limit=fresh_limit
            )
            leads = _leads_of(tx, deliveries)
            if self._move_strangers(tx, deliveries, leads, target=target, now=now):
                return Step()
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
            return Step(is_over=True)
        return Step(self._start(tx, plan, target, now), target)

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

    def _start(self, tx: Transaction, plan: Plan, target: Target, now: datetime) -> list[Task]:
        """Write down what is about to be called; nothing when something could not be read, so that the rest is planned anew."""
        wanted = [(d, AttemptKind.LOOK_UP) for d in plan.look_up] + [(d, AttemptKind.SEND) for d in plan.send]
        opened = [(d, kind, self._open(tx, d, target, now)) for d, kind in wanted]
        tasks = [Task(d, payload, kind, d.attempts + 1) for d, kind, payload in opened if payload is not None]
        if len(tasks) < len(opened):
            return []
        for kind in AttemptKind:
            tx.deliveries.start_attempts([task.delivery for task in tasks if task.kind is kind], kind=kind, at=now)
        return tasks

    def _make_unknown(self, tx: Transaction, orphan: StoredDelivery, target: Target, now: datetime) -> None:
        """Nobody knows how far a dead holder came; the quiet time counts from now, as a frozen one may have sent late."""
        outcome = OutcomeUnknown("delivery.holder_died")
        tx.deliveries.end_attempt(
            orphan.delivery_id, orphan.attempts, outcome=AttemptOutcome.UNKNOWN, error_code=outcome.code, at=now
        )
        self._settle(tx, orphan, None, outcome, target, now=now, jitter=0.5)

    def _open(self, tx: Transaction, delivery: StoredDelivery, target: Target, now: datetime) -> Payload | None:
        """The payload; one that cannot be read, or may not go, gives up at once: it does not stop the lane for ever."""
        try:
            return self._outbox.open_to_send(tx, delivery)
        except (VaultError, PrivacyError) as error:
            self._settle(tx, delivery, None, Refused(error.code), target, now=now, jitter=0.5)
            return None

    def record(self, tx: Transaction, lease: Lease, called: Called, *, now: datetime, jitter: float) -> None:
        """Write every outcome; `finish` comes in the same transaction as the last of them.

        Raises:
            LeaseLostError: the lane has another holder; nothing is kept.
        """
        if not tx.lanes.hold(lease):
            raise LeaseLostError("the lane has another holder")
        # While the calls were made somebody may have been erased: what we hold of them in memory goes nowhere any more.
        erased = tx.subjects.erased_among({task.delivery.subject_id for task in called.tasks})
        for task, outcome in zip(called.tasks, called.outcomes, strict=True):
            end = attempt_outcome(outcome)
            tx.deliveries.end_attempt(
                task.delivery.delivery_id, task.number, outcome=end, error_code=code_of(outcome), at=now
            )
            wordless = task.delivery.subject_id in erased
            payload = None if wordless else task.payload
            self._settle(
                tx, task.delivery, payload, outcome, called.target, now=now, jitter=jitter, is_wordless=wordless
            )

    @staticmethod
    def finish(tx: Transaction, lease: Lease, outcomes: Sequence[Outcome], *, now: datetime, jitter: float) -> Step:
        """All outcomes are written; the lane is given back when its target as a whole has a problem."""
        problem = _find_problem(outcomes)
        if problem is None:
            return Step()
        failures = lease.failures + 1
        wait = lane_wait_after(failures, jitter, at_least=problem.after)
        since = lease.problem_since or now
        tx.lanes.release(lease, due_at=now + wait, failures=failures, problem=problem.code, problem_since=since)
        return Step(is_over=True)

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
        is_wordless: bool | None = None,
    ) -> None:
        if is_wordless is None:
            is_wordless = bool(tx.subjects.erased_among({delivery.subject_id}))
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
        if delivery.kind is DeliveryKind.ERASE_LEAD:
            pass  # no lead and no chat follows from it; the erasure is followed by reading where it stands
        elif is_wordless:
            decision = self._settlement.settled_without_words(tx, delivery, decision, at=now)
        else:
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


def _see_work(
    tx: Transaction, lane: str, *, now: datetime, limit: int, fresh_since: datetime, fresh_limit: int
) -> Sequence[StoredDelivery]:
    """What may go in a lane; what is about a blocked person is put out of sight first."""
    while True:
        found = tx.deliveries.work_in_lane(lane, now=now, limit=limit, fresh_since=fresh_since, fresh_limit=fresh_limit)
        if not _hold_blocked_back(tx, found):
            return found


def _hold_blocked_back(tx: Transaction, deliveries: Sequence[StoredDelivery]) -> bool:
    """What is about a blocked person only lies here: nothing new is sent, and nothing is asked. True when there was any.

    Looked at right before `sending` is written, so that no way into a lane leads past it. A call that had begun is left to end.
    """
    blocked = tx.persons.blocked({delivery.subject_id for delivery in deliveries})
    held = [d for d in deliveries if d.subject_id in blocked and d.state is not DeliveryState.SENDING]
    if held:
        tx.persons.hold_back([delivery.delivery_id for delivery in held], code=BLOCKED)
    return bool(held)


def _put_off(tx: Transaction, lease: Lease, *, due_at: datetime) -> Step:
    """Nothing is begun, the lane is given back.

    Either an incident froze the connection: then the lane stays due, and is claimed when that is over. Or the connection was
    changed a moment ago and this process does not know it yet: look again soon.
    """
    tx.lanes.release(lease, due_at=due_at, failures=0, problem=None, problem_since=None)
    return Step(is_over=True)


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
