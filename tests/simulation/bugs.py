"""Planted bugs: each breaks one promise of the delivery core, in one function, as a tired person might.

A simulation that does not find them proves nothing by finding nothing else. `within` is how many seeds, from 0 on, it may take.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from unittest.mock import patch

from leadgate.crm.settlement import LeadSettlement
from leadgate.delivery import dead_letter, retry, steps, worker
from leadgate.delivery.clock_watch import ClockWatch
from leadgate.delivery.plan import Plan, plan_lane
from leadgate.delivery.retry import Decision, Situation
from leadgate.delivery.steps import LaneSteps
from leadgate.delivery.targets import Target
from leadgate.model.deliveries import AttemptKind, DeliveryKind, DeliveryState
from leadgate.model.outcomes import NotExecuted, Outcome, RetryLater, Scope
from leadgate.ports.stores import StoredDelivery, Transaction
from tests.simulation import people


@dataclass(frozen=True, slots=True)
class Bug:
    """One planted bug.

    Attributes:
        plant: breaks the core while the context lasts.
        within: seeds in which the simulation must have found it.
    """

    name: str
    plant: Callable[[], AbstractContextManager[object]]
    within: int


class _Over:
    """Something with one part replaced."""

    def __init__(self, whole: object, **parts: object) -> None:
        self._whole = whole
        self.__dict__.update(parts)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- stands for whatever it covers
        return getattr(self._whole, name)


def _with_lanes(tx: Transaction, **parts: object) -> Transaction:
    return cast("Transaction", _Over(tx, lanes=_Over(tx.lanes, **parts)))


def _with_deliveries(tx: Transaction, **parts: object) -> Transaction:
    return cast("Transaction", _Over(tx, deliveries=_Over(tx.deliveries, **parts)))


@contextmanager
def _no_look_up_before_a_repeat() -> Iterator[None]:
    """After a lost answer the command is simply sent again."""

    def on_unknown(s: Situation, code: str) -> Decision:
        return Decision(state=DeliveryState.WAITING, due_at=s.now + timedelta(seconds=5), failures=s.failures + 1)

    with patch.object(retry, "_on_unknown", on_unknown):
        yield


@contextmanager
def _no_quiet_time() -> Iterator[None]:
    """The look-up comes at once, when a late commit is still on its way."""
    real = retry._on_unknown  # noqa: SLF001 -- a planted bug goes where the code is

    def on_unknown(s: Situation, code: str) -> Decision:
        return real(replace(s, quiet_time=timedelta()), code)

    with patch.object(retry, "_on_unknown", on_unknown):
        yield


@contextmanager
def _quiet_time_by_the_wall_clock_alone() -> Iterator[None]:
    """A jump ahead ends it, when a late commit is still on its way."""
    with patch.object(ClockWatch, "end_of_quiet", lambda _self, due_at, _quiet_time: due_at):
        yield


@contextmanager
def _waits_left_to_a_clock_that_was_put_back() -> Iterator[None]:
    """What was to be tried again in a moment is tried again in an hour."""
    with patch.object(worker, "_forget_waits", lambda _tx, _now: None):
        yield


@contextmanager
def _no_fence_when_recording() -> Iterator[None]:
    """A holder that lost its lane writes down what it found out all the same."""
    real = LaneSteps.record

    def record(self: LaneSteps, tx: Transaction, *args: Any, **named: Any) -> object:  # noqa: ANN401 -- passed on
        return real(self, _with_lanes(tx, hold=lambda _lease: True), *args, **named)

    with patch.object(LaneSteps, "record", record):
        yield


@contextmanager
def _lease_guard_ignored() -> Iterator[None]:
    """A process that slept through its lease goes on calling."""
    with patch.object(worker._LeaseGuard, "check", lambda _self: None):  # noqa: SLF001 -- as above
        yield


@contextmanager
def _sending_not_written() -> Iterator[None]:
    """Nothing on disk says that a call is about to be made."""
    real = LaneSteps._start  # noqa: SLF001 -- as above

    def start(self: LaneSteps, tx: Transaction, plan: Plan, target: Target, now: Any) -> object:  # noqa: ANN401 -- passed on
        blind = _with_deliveries(tx, start_attempts=lambda _deliveries, **_named: None)
        return real(self, blind, plan, target, now)

    with patch.object(LaneSteps, "_start", start):
        yield


@contextmanager
def _outcome_written_before_the_call() -> Iterator[None]:
    """An entry is called done when it is about to be sent."""
    real = LaneSteps._start  # noqa: SLF001 -- as above

    def start(self: LaneSteps, tx: Transaction, plan: Plan, target: Target, now: Any) -> Any:  # noqa: ANN401 -- passed on
        tasks = real(self, tx, plan, target, now)
        for task in tasks:
            if task.kind is AttemptKind.SEND and task.delivery.kind is DeliveryKind.TIMELINE_ENTRY:
                _settle(tx, task.delivery, DeliveryState.DONE, at=now)
        return tasks

    with patch.object(LaneSteps, "_start", start):
        yield


def _settle(tx: Transaction, delivery: StoredDelivery, state: DeliveryState, *, at: Any) -> None:  # noqa: ANN401 -- passed on
    tx.deliveries.settle(
        delivery.delivery_id,
        state=state,
        due_at=None,
        failures=0,
        error_code=None,
        error_detail=None,
        external_id=None,
        at=at,
    )


@contextmanager
def _unpark_forgotten() -> Iterator[None]:
    """Entries that waited for their lead go on waiting when it is sent, when it is sent again and when it is there."""
    real_opened, real_retry = LeadSettlement._opened, dead_letter.retry_delivery  # noqa: SLF001 -- as above
    real_prepare = LaneSteps.prepare

    def blind(tx: Transaction) -> Transaction:
        return _with_deliveries(tx, unpark=lambda *_lead_ids, **_named: 0)

    def prepare(self: LaneSteps, tx: Transaction, *args: Any) -> object:  # noqa: ANN401 -- passed on
        return real_prepare(self, blind(tx), *args)

    def opened(tx: Transaction, *args: Any, **named: Any) -> None:  # noqa: ANN401 -- passed on
        real_opened(blind(tx), *args, **named)

    def retry_it(tx: Transaction, delivery_id: str, *, at: datetime) -> StoredDelivery:
        return real_retry(blind(tx), delivery_id, at=at)

    with (
        patch.object(LeadSettlement, "_opened", staticmethod(opened)),
        patch.object(LaneSteps, "prepare", prepare),
        patch.object(people, "retry_delivery", retry_it),
    ):
        yield


@contextmanager
def _outage_blamed_on_the_delivery() -> Iterator[None]:
    """A failure of the target as a whole counts against what was sent, until it is given up."""
    real = retry.decide

    def decide(outcome: Outcome, situation: Situation) -> Decision:
        if isinstance(outcome, RetryLater):
            outcome = replace(outcome, scope=Scope.ITEM)
        return real(outcome, situation)

    with patch.object(steps, "decide", decide):
        yield


@contextmanager
def _orphan_taken_for_waiting() -> Iterator[None]:
    """What a dead holder left in the middle of a call is sent again."""

    def make_unknown(self: Any, tx: Transaction, orphan: StoredDelivery, target: Target, now: Any) -> None:  # noqa: ANN401 -- passed on
        self._settle(tx, orphan, None, NotExecuted(), target, now=now, jitter=0.5)

    with patch.object(LaneSteps, "_make_unknown", make_unknown):
        yield


@contextmanager
def _unknown_holds_nobody_up() -> Iterator[None]:
    """While one entry of a lead is looked up, the next ones are sent."""

    def plan(deliveries: Sequence[StoredDelivery], leads_in_crm: frozenset[str], *, capacity: int, now: Any) -> Plan:  # noqa: ANN401 -- passed on
        unknown = [d for d in deliveries if d.state is DeliveryState.UNKNOWN]
        rest = [d for d in deliveries if d.state is not DeliveryState.UNKNOWN]
        found = plan_lane(rest, leads_in_crm, capacity=capacity, now=now)
        found.look_up += plan_lane(unknown, leads_in_crm, capacity=capacity, now=now).look_up
        return found

    with patch.object(steps, "plan_lane", plan):
        yield


@contextmanager
def _failed_look_up_taken_for_not_there() -> Iterator[None]:
    """The target could not be asked, so the command is sent again."""
    real = LaneSteps._settle  # noqa: SLF001 -- as above

    def settle(self: LaneSteps, tx: Transaction, delivery: StoredDelivery, *args: Any, **named: Any) -> None:  # noqa: ANN401 -- passed on
        real(self, tx, replace(delivery, state=DeliveryState.WAITING), *args, **named)

    with patch.object(LaneSteps, "_settle", settle):
        yield


@contextmanager
def _message_in_doubt_sent_again() -> Iterator[None]:
    """A messenger that cannot be asked is told twice."""
    real = retry._on_unknown  # noqa: SLF001 -- as above

    def on_unknown(s: Situation, code: str) -> Decision:
        return real(replace(s, can_repeat=True), code)

    with patch.object(retry, "_on_unknown", on_unknown):
        yield


@contextmanager
def _lane_asleep_with_work() -> Iterator[None]:
    """A lane whose work is due later is given back as if it had none."""
    real = LaneSteps.prepare

    def prepare(self: LaneSteps, tx: Transaction, *args: Any, **named: Any) -> object:  # noqa: ANN401 -- passed on
        return real(self, _with_deliveries(tx, next_due=lambda _lane, **_named: None), *args, **named)

    with patch.object(LaneSteps, "prepare", prepare):
        yield


@contextmanager
def _unknown_message_left_unknown() -> Iterator[None]:
    """A lost answer of a messenger waits for a look-up that no messenger has."""
    real = retry._on_unknown  # noqa: SLF001 -- as above

    def on_unknown(s: Situation, code: str) -> Decision:
        return real(replace(s, kind=DeliveryKind.TIMELINE_ENTRY), code)

    with patch.object(retry, "_on_unknown", on_unknown):
        yield


BUGS = (
    Bug("no look-up before a repeat", _no_look_up_before_a_repeat, 100),
    Bug("no quiet time", _no_quiet_time, 500),
    Bug("quiet time by the wall clock alone", _quiet_time_by_the_wall_clock_alone, 2000),
    Bug("waits left to a clock that was put back", _waits_left_to_a_clock_that_was_put_back, 500),
    Bug("no fence when recording", _no_fence_when_recording, 2000),
    Bug("lease guard ignored", _lease_guard_ignored, 500),
    Bug("sending not written", _sending_not_written, 100),
    Bug("outcome written before the call", _outcome_written_before_the_call, 100),
    Bug("unpark forgotten", _unpark_forgotten, 500),
    Bug("outage blamed on the delivery", _outage_blamed_on_the_delivery, 500),
    Bug("orphan taken for waiting", _orphan_taken_for_waiting, 500),
    Bug("unknown holds nobody up", _unknown_holds_nobody_up, 500),
    Bug("failed look-up taken for not there", _failed_look_up_taken_for_not_there, 500),
    Bug("message in doubt sent again", _message_in_doubt_sent_again, 500),
    Bug("lane asleep with work", _lane_asleep_with_work, 500),
    Bug("unknown message left unknown", _unknown_message_left_unknown, 500),
)
