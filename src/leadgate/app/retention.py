"""Keeps no longer than the owner says: the terms, what goes next, and the sweep of every night.

One node sweeps at a time, in parts, so that nobody who writes has to wait. A sweep that a kill cut off goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import msgspec

from leadgate.app.one_node import as_only_node, look_again_and_again
from leadgate.delivery.dead_letter import discard_delivery
from leadgate.errors import ConfigurationError, LeadgateError
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.retention import COUNT_LIMIT, TERMS, DataKind, RetentionLine, Terms, in_range, kinds
from leadgate.observability import get_logger, metrics
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Journal
from leadgate.ports.stores import Storage, Transaction

RULE = "retention"
LANE = "retention"
SYSTEM = "system"
SWEEP_EVERY = timedelta(hours=24)
RESTART_EVERY = timedelta(days=7)
"""So often a sweep begins at the beginning: what was still needed when it was passed over is met again."""

WEEK = timedelta(days=7)
LOOK_INTERVAL_S = 600.0
ROWS_AT_ONCE = 500
PEOPLE_AT_ONCE = 200
REASON = "retention"
_log = get_logger("retention")

ErasePerson = Callable[[str], Awaitable[None]]
"""Destroys everything about a person; see `app.erasing`."""


class Retention:
    """Terms and sweeps of one salon."""

    def __init__(
        self, storage: Storage, journal: Journal, erase_person: ErasePerson, *, clock: Clock, holder: str
    ) -> None:
        """Lease under this holder name, unique for the process."""
        self._storage = storage
        self._journal = journal
        self._erase_person = erase_person
        self._clock = clock
        self._holder = holder

    async def terms(self) -> Terms:
        """What holds now; a rule that cannot be read, or a term out of its range, counts as not chosen."""
        return await self._storage.read(read_terms)

    async def choose(self, kind: DataKind, days: int | None, *, by: str) -> None:
        """Keep this kind for so many days from now on; None: the default again.

        A longer term brings nothing back; a shorter one takes effect with the next sweep.

        Raises:
            ConfigurationError: the term is out of its range.
            JournalUnavailableError: the journal cannot be written; nothing was changed.
        """
        if days is not None and not in_range(kind, days):
            bounds = TERMS[kind]
            raise ConfigurationError(
                f"{kind.value} are kept between {bounds.least} and {bounds.most} days.", code="retention.out_of_range"
            )
        before = (await self.terms()).days(kind)
        details: dict[str, str | int] = {"before": before, "now": TERMS[kind].default if days is None else days}
        await self._journal.record(JournalEntry(tag=Tag.RETENTION_CHANGED, by=by, on=kind.value, details=details))
        at = self._clock.now()
        await self._storage.write(lambda tx: _choose(tx, kind, days, by=by, at=at))

    async def lines(self) -> Sequence[RetentionLine]:
        """Every kind with its term, what goes next and what went."""
        now = self._clock.now()
        return await self._storage.read(lambda tx: [_line(tx, kind, now) for kind in kinds()])

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep once a day until `stop`."""
        await look_again_and_again(self._look_safely, stop, interval_s=LOOK_INTERVAL_S)

    async def sweep(self, *, by: str = SYSTEM) -> Mapping[DataKind, int]:
        """Destroy what is over now, unless another node does it already; how many of each kind went.

        A day on which nothing is over leaves no entry in the journal, unless a person asked.

        Raises:
            JournalUnavailableError: the journal cannot be written; nothing was destroyed.
        """
        async with as_only_node(self._storage, LANE, holder=self._holder, clock=self._clock) as has_lease:
            if not has_lease:
                return {}
            terms = await self.terms()
            if by == SYSTEM and not await self._is_anything_over(terms):
                now = self._clock.now()
                await self._storage.write(lambda tx: _pass_over(tx, now))
                return dict.fromkeys(kinds(), 0)
            days: dict[str, str | int] = {f"days_{kind.value}": terms.days(kind) for kind in kinds()}
            await self._journal.record(JournalEntry(tag=Tag.RETENTION_SWEPT, by=by, on="begun", details=days))
            gone = {kind: await self._sweep(kind, terms) for kind in kinds()}
            counts: dict[str, str | int] = {kind.value: count for kind, count in gone.items()}
            await self._journal.record(JournalEntry(tag=Tag.RETENTION_SWEPT, by=by, on="ended", details=counts))
        _log.info("retention.swept", count=sum(gone.values()))
        return gone

    async def _look_safely(self) -> None:
        try:
            if await self._is_due():
                await self.sweep()
        except LeadgateError as error:
            _log.error("retention.not_swept", error_code=error.code)
        except Exception:  # noqa: BLE001 -- a loop that serves for months: it is logged, counted and tried again
            _log.exception("retention.not_swept")
            metrics.crashes.labels("retention").inc()

    async def _is_due(self) -> bool:
        now = self._clock.now()
        marks = await self._storage.read(lambda tx: [tx.retention.mark(kind) for kind in kinds()])
        return any(not mark.has_ended or mark.swept_at is None or now - mark.swept_at >= SWEEP_EVERY for mark in marks)

    async def _is_anything_over(self, terms: Terms) -> bool:
        now = self._clock.now()
        for kind in kinds():
            before, place = terms.oldest_kept(kind, now=now), ""
            if kind is not DataKind.PEOPLE:
                place = await self._storage.read(lambda tx, kind=kind: _start_of(tx, kind, now))  # type: ignore[misc]  # the default binds the kind of this turn
                find = partial(_is_any_row_over, kind=kind, before=before, place=place)
                if await self._storage.read(find):
                    return True
                continue
            while True:
                look = partial(_find_quiet, before=before, after=place)
                people, place = await self._storage.read(look)
                if people or not place:
                    break
            if people:
                return True
        return False

    async def _sweep(self, kind: DataKind, terms: Terms) -> int:
        now = self._clock.now()
        before = terms.oldest_kept(kind, now=now)
        await self._storage.write(lambda tx: _begin(tx, kind, now))
        is_last = False
        while not is_last:
            is_last = await self._sweep_part(kind, before)
        return await self._storage.write(lambda tx: _end(tx, kind, now))

    async def _sweep_part(self, kind: DataKind, before: datetime) -> bool:
        """One part; True when it was the last."""
        if kind is DataKind.PEOPLE:
            return await self._sweep_people(before)
        at = self._clock.now()
        return await self._storage.write(lambda tx: _sweep_rows(tx, kind, before, at))

    async def _sweep_people(self, before: datetime) -> bool:
        def find(tx: Transaction) -> tuple[Sequence[str], str]:
            after = tx.retention.mark(DataKind.PEOPLE).place
            return tx.retention.quiet_people(before=before, after=after, limit=PEOPLE_AT_ONCE)

        people, place = await self._storage.read(find)
        for person in people:
            await self._erase_person(person)
        await self._storage.write(lambda tx: _move_on(tx, DataKind.PEOPLE, len(people), place))
        return place == ""


def _sweep_rows(tx: Transaction, kind: DataKind, before: datetime, at: datetime) -> bool:
    part = tx.retention.sweep(kind, before=before, after=tx.retention.mark(kind).place, limit=ROWS_AT_ONCE)
    stuck = tx.retention.stuck(before=before, limit=ROWS_AT_ONCE) if kind is DataKind.STUCK else ()
    for delivery_id in stuck:
        delivery = tx.deliveries.find(delivery_id)
        if delivery is not None and delivery.state.value in {"dead", "uncertain"}:  # not given up with an earlier one
            discard_delivery(tx, delivery_id, reason=REASON, by=SYSTEM, at=at)
        tx.deliveries.reseal(delivery_id, b"")
    _move_on(tx, kind, part.gone + len(stuck), part.place)
    return part.is_last and len(stuck) < ROWS_AT_ONCE


def _move_on(tx: Transaction, kind: DataKind, gone: int, place: str) -> None:
    mark = tx.retention.mark(kind)
    tx.retention.set_mark(replace(mark, place=place, gone_now=mark.gone_now + gone, gone_ever=mark.gone_ever + gone))


def _is_any_row_over(tx: Transaction, *, kind: DataKind, before: datetime, place: str) -> bool:
    return tx.retention.count(kind, before=before, after=place, limit=0) > 0


def _find_quiet(tx: Transaction, *, before: datetime, after: str) -> tuple[Sequence[str], str]:
    return tx.retention.quiet_people(before=before, after=after, limit=PEOPLE_AT_ONCE)


def _start_of(tx: Transaction, kind: DataKind, now: datetime) -> str:
    """Where a sweep would begin."""
    mark = tx.retention.mark(kind)
    return "" if mark.restarted_at is None or now - mark.restarted_at >= RESTART_EVERY else mark.place


def _pass_over(tx: Transaction, now: datetime) -> None:
    """Looked at, and nothing was over."""
    for kind in kinds():
        tx.retention.set_mark(replace(tx.retention.mark(kind), has_ended=True, swept_at=now, gone_last=0, gone_now=0))


def _begin(tx: Transaction, kind: DataKind, now: datetime) -> None:
    """Where the last sweep ended, or at the beginning when that was too long ago."""
    mark = tx.retention.mark(kind)
    if mark.has_ended:
        mark = replace(mark, has_ended=False, gone_now=0)
    if mark.restarted_at is None or now - mark.restarted_at >= RESTART_EVERY:
        mark = replace(mark, place="", restarted_at=now)
    tx.retention.set_mark(mark)


def _end(tx: Transaction, kind: DataKind, now: datetime) -> int:
    mark = tx.retention.mark(kind)
    tx.retention.set_mark(replace(mark, has_ended=True, swept_at=now, gone_last=mark.gone_now, gone_now=0))
    return mark.gone_now


def _line(tx: Transaction, kind: DataKind, now: datetime) -> RetentionLine:
    terms, mark = read_terms(tx), tx.retention.mark(kind)
    before = terms.oldest_kept(kind, now=now)

    def count(until: datetime) -> int:
        if kind is DataKind.PEOPLE:
            return _count_people(tx, until)
        return tx.retention.count(kind, before=until, after=mark.place, limit=COUNT_LIMIT)

    return RetentionLine(
        kind=kind,
        days=terms.days(kind),
        is_own=kind in terms.own,
        due=count(before),
        due_in_week=count(before + WEEK),
        swept_at=mark.swept_at,
        gone_last=mark.gone_last,
        gone_ever=mark.gone_ever,
    )


def _count_people(tx: Transaction, before: datetime) -> int:
    """Only the first thousands of subjects are looked at: the oldest ones, which go first."""
    people, _ = tx.retention.quiet_people(before=before, after="", limit=COUNT_LIMIT)
    return len(people)


def read_terms(tx: Transaction) -> Terms:
    """The owner's terms; what cannot be read or is out of its range counts as not chosen."""
    rule = tx.rules.find(RULE)
    if rule is None:
        return Terms({})
    try:
        chosen = msgspec.json.decode(rule.body, type=dict[str, int])
    except msgspec.MsgspecError:
        _log.error("retention.rule_damaged", error_code="retention.rule_damaged")
        return Terms({})
    known = {kind.value: kind for kind in kinds()}
    return Terms({known[name]: days for name, days in chosen.items() if name in known and in_range(known[name], days)})


def _choose(tx: Transaction, kind: DataKind, days: int | None, *, by: str, at: datetime) -> None:
    own = {one.value: term for one, term in read_terms(tx).own.items() if one is not kind}
    if days is not None:
        own[kind.value] = days
    tx.rules.set(RULE, msgspec.json.encode(own, order="deterministic"), by=by, at=at)
