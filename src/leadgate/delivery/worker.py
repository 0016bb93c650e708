"""Works on lanes: claims those that are due, sends or looks up, writes the outcome down. One task per lane, many lanes at once.

What is written, and in which order, is in `steps`. No call starts after the lease has run out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from leadgate.delivery.clock_watch import ClockWatch
from leadgate.delivery.payloads import Outbox
from leadgate.delivery.retry import attempt_outcome, code_of
from leadgate.delivery.steps import Called, LaneSteps, Settlement, Step, Task
from leadgate.delivery.targets import Target, Targets
from leadgate.errors import LeaseLostError, OverloadedError
from leadgate.model.deliveries import AttemptKind
from leadgate.model.outcomes import Outcome
from leadgate.observability import get_logger, metrics
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.stores import Lease, Storage, Transaction

LEASE_TIME = timedelta(seconds=10)
POLL_INTERVAL_S = 0.5
LONGEST_LEASE = timedelta(minutes=3)
"""Nobody takes a longer one of any lane: what ends later was written by a clock that went back since."""
LANES_AT_ONCE = 64
_PART = 10
"""Outcomes of one transaction: some five milliseconds."""
_CROWD_PAUSE_S = 0.2
_log = get_logger("delivery")


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
        self._clock = clock
        self._watch = ClockWatch(clock)
        self._steps = LaneSteps(outbox, settlement, self._watch)
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
        step = Step()
        while not step.is_over:
            if self._stop.is_set():
                await self._hand_back(lease)
                return
            if step.target is None or not step.tasks:
                await self._step_back()
                step = await self._plan(lease)
            else:
                called = Called(step.target, step.tasks, await self._call(step.target, step.tasks, guard))
                step = await self._write_down(lease, called)
                self._report(called)

    async def _plan(self, lease: Lease) -> Step:
        target, now = self._find_target(lease), self._watch.now()
        return await self._storage.write(lambda tx: self._steps.prepare(tx, lease, target, now))

    def _find_target(self, lease: Lease) -> Target | None:
        return self._targets.find(lease.connection_id or "")

    async def _write_down(self, lease: Lease, called: Called) -> Step:
        """The outcomes, and in the same commit what is next, unless senders or a stop come first, or it is a large batch.

        A large batch is written in parts, and what is next apart from it: whoever sends meanwhile waits for one of them and not
        for all. Should the process end between two parts, the outcomes of the later ones are unknown and looked up.
        """
        target, now, jitter = self._find_target(lease), self._watch.now(), self._ids.fraction()
        *earlier, last = called.split(_PART)
        for part in earlier:
            await self._storage.write(partial(self._steps.record, lease=lease, called=part, now=now, jitter=jitter))

        def record(tx: Transaction) -> Step:
            self._steps.record(tx, lease, last, now=now, jitter=jitter)
            return self._steps.finish(tx, lease, called.outcomes, now=now, jitter=jitter)

        def record_and_prepare(tx: Transaction) -> Step:
            step = record(tx)
            return step if step.is_over else self._steps.prepare(tx, lease, target, now)

        if earlier or self._is_crowded() or self._stop.is_set():
            return await self._storage.write(record)
        try:
            return await self._storage.write(record_and_prepare)
        except (LeaseLostError, OverloadedError):
            raise
        except Exception:
            # Whatever is wrong with what is next, the calls were made: their outcomes must not be lost with it.
            await self._storage.write(record)
            raise

    async def _hand_back(self, lease: Lease) -> None:
        """The process ends with work left: another one, or the next start, takes the lane at once."""
        due_at = self._watch.now()
        await self._storage.write(
            lambda tx: tx.lanes.release(lease, due_at=due_at, failures=0, problem=None, problem_since=None)
        )

    async def _call(self, target: Target, tasks: Sequence[Task], guard: _LeaseGuard) -> list[Outcome]:
        look_ups = [task.payload for task in tasks if task.kind is AttemptKind.LOOK_UP]
        sends = [task.payload for task in tasks if task.kind is AttemptKind.SEND]
        found = await target.look_up(look_ups) if look_ups else []
        sent = await target.send(sends, guard.check) if sends else []
        return [*found, *sent]

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
    def _report(called: Called) -> None:
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


def _kind_of(lane: str) -> str:
    return lane.partition(":")[0]
