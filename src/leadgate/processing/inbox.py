"""Works through received events: parts of the inbox are leased, the events of a part are worked on in order of arrival."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from leadgate.errors import ConflictError, CustodianUnavailableError, LeaseLostError, OverloadedError
from leadgate.model.events import EventState
from leadgate.observability import get_logger, metrics
from leadgate.ports.clock import Clock
from leadgate.ports.stores import Lease, Storage, StoredEvent, Transaction
from leadgate.processing.ending import Ending
from leadgate.processing.source import FindSource
from leadgate.processing.turn import Turns

LEASE_TIME = timedelta(seconds=10)
POLL_INTERVAL_S = 0.5
_LOOK_SPACING_S = 0.01
_CROWD_LOOK_SPACING_S = 0.2
_CROWD_PAUSE_S = 0.1
_AT_ONCE = 50
_FAILURES_BEFORE_GIVING_UP = 5
_log = get_logger("inbox")


class InboxWorker:
    """Runs until it is stopped."""

    def __init__(
        self,
        storage: Storage,
        turns: Turns,
        find_source: FindSource,
        *,
        clock: Clock,
        holder: str,
        on_done: Callable[[], None],
        is_crowded: Callable[[], bool] = lambda: False,
        after_turn: Callable[[Transaction, StoredEvent, datetime], None] = lambda _tx, _event, _at: None,
    ) -> None:
        """Call `on_done` after each event, so that its deliveries start at once; step back while `is_crowded`.

        Args:
            after_turn: called in the same transaction when an event was worked on; see `app.reopening`.
        """
        self._after_turn = after_turn
        self._storage = storage
        self._turns = turns
        self._find_source = find_source
        self._clock = clock
        self._holder = holder
        self._on_done = on_done
        self._is_crowded = is_crowded
        self._crowd_turn = asyncio.Lock()
        self._asked_again: set[int] = set()
        self._wake = asyncio.Event()
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._leases: dict[int, Lease] = {}
        self._stop = asyncio.Event()

    def wake(self) -> None:
        """An event arrived."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then finish what is in hand and give the parts back."""
        self._stop = stop
        while not stop.is_set():
            self._wake.clear()
            await self._start_parts()
            # A crowd of arrivals is one look, not a look for each.
            await asyncio.sleep(_CROWD_LOOK_SPACING_S if self._is_crowded() else _LOOK_SPACING_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_INTERVAL_S)
        if self._busy:
            await asyncio.wait(self._busy.values())
        await self._give_back()

    async def drain(self) -> None:
        """Work until nothing waits; for tests and commands."""
        while await self._start_parts() or self._busy:
            if self._busy:
                await asyncio.wait(self._busy.values(), return_when=asyncio.FIRST_COMPLETED)

    async def _start_parts(self) -> bool:
        try:
            parts = await self._storage.read(lambda tx: tx.events.pending_parts())
        except OverloadedError as error:
            _log.error("inbox.not_read", error_code=error.code)
            return False
        started = False
        for part in parts:
            if part in self._busy:
                self._asked_again.add(part)
            else:
                self._busy[part] = task = asyncio.create_task(self._work(part), name=f"inbox {part}")
                task.add_done_callback(partial(self._part_done, part))
                started = True
        return started

    def _part_done(self, part: int, _task: asyncio.Task[None]) -> None:
        """Something may have come for the part while its task was at its end."""
        self._busy.pop(part, None)
        if part in self._asked_again:
            self._asked_again.discard(part)
            self._wake.set()

    async def _work(self, part: int) -> None:
        try:
            while not self._stop.is_set() and await self._work_batch(part):
                pass
        except OverloadedError as error:
            _log.error("inbox.stopped", error_code=error.code)
        except LeaseLostError as error:
            self._leases.pop(part, None)
            _log.error("inbox.stopped", error_code=error.code)
        except Exception:  # noqa: BLE001 -- see below
            # The worker loop is one of the two places that may catch everything: the part is tried again at the next poll.
            _log.exception("inbox.crashed")
            metrics.crashes.labels("inbox").inc()

    async def _work_batch(self, part: int) -> bool:
        lease = await self._lease(part)
        if lease is None:
            return False
        pending = await self._storage.read(lambda tx: tx.events.pending(part, limit=_AT_ONCE))
        progress = False
        for event in pending:
            await self._step_back()
            progress = await self._work_event(event, await self._lease(part)) or progress
        # What came meanwhile has set `_wake` and is seen by the next look, so only a full batch says that there is more.
        return progress and len(pending) == _AT_ONCE

    async def _step_back(self) -> None:
        """In a flood the senders come first: one event every tenth of a second, so that work goes on but takes little."""
        if self._is_crowded():
            async with self._crowd_turn:
                await asyncio.sleep(_CROWD_PAUSE_S)

    async def _work_event(self, event: StoredEvent, lease: Lease | None) -> bool:
        if lease is None:
            raise LeaseLostError("the part has another holder")
        source = self._find_source(event.connection_id)
        if source is None:
            return False
        now = self._clock.now()

        def unit(tx: Transaction) -> Ending:
            if not tx.lanes.hold(lease):
                raise LeaseLostError("the part has another holder")
            ending = self._turns.work(tx, event, source, at=now)
            self._after_turn(tx, event, now)
            return ending

        try:
            ending = await self._storage.write(unit)
        except CustodianUnavailableError as error:
            # Of this person only: the others, whose keys are open, go on.
            _log.warning("event.waits", event_id=event.event_id, error_code=error.code)
            return False
        except (OverloadedError, LeaseLostError):
            raise
        except ConflictError as error:
            _log.info("event.overtaken", event_id=event.event_id, error_code=error.code)
            return False
        except Exception:  # noqa: BLE001 -- see below
            # One event that breaks our code must not stop the others; after five tries it waits for a human.
            _log.exception("event.crashed", event_id=event.event_id, connection_id=event.connection_id)
            metrics.crashes.labels("event").inc()
            return await self._note_failure(event, now)
        self._on_done()
        metrics.events.labels(ending.state.value).inc()
        metrics.event_seconds.observe(max(0.0, (self._clock.now() - event.received_at).total_seconds()))
        _log.info(
            "event.processed",
            event_id=event.event_id,
            connection_id=event.connection_id,
            outcome=ending.state.value,
            lead_id=ending.lead_id,
            error_code=ending.reason,
        )
        return True

    async def _note_failure(self, event: StoredEvent, now: datetime) -> bool:
        def unit(tx: Transaction) -> bool:
            if tx.events.count_failure(event.event_id) < _FAILURES_BEFORE_GIVING_UP:
                return False
            return tx.events.finish(
                event.event_id,
                state=EventState.FAILED,
                reason="event.crashed",
                subject_id=event.subject_id,
                lead_id=event.lead_id,
                resealed=None,
                at=now,
            )

        return await self._storage.write(unit)

    async def _lease(self, part: int) -> Lease | None:
        now = self._clock.now()
        lease = self._leases.get(part)
        if lease is not None and lease.until - now > LEASE_TIME / 2:
            return lease
        until = now + LEASE_TIME
        lease = await self._storage.write(partial(self._renew_or_claim, part=part, lease=lease, now=now, until=until))
        if lease is None:
            self._leases.pop(part, None)
        else:
            self._leases[part] = lease
        return lease

    def _renew_or_claim(
        self, tx: Transaction, *, part: int, lease: Lease | None, now: datetime, until: datetime
    ) -> Lease | None:
        if lease is not None and tx.lanes.renew(lease, until=until):
            return replace(lease, until=until)
        return tx.lanes.claim_one(f"inbox:{part:02d}", holder=self._holder, now=now, until=until)

    async def _give_back(self) -> None:
        leases, self._leases = list(self._leases.values()), {}

        def unit(tx: Transaction) -> None:
            for lease in leases:
                tx.lanes.release(lease, due_at=None, failures=0, problem=None, problem_since=None)

        with contextlib.suppress(OverloadedError):
            await self._storage.write(unit)
