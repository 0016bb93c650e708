"""The sweep over fault points: one small day of a salon, struck at the n-th pass of every point, until no pass is left.

A day is three signed leads and two messages of a client. A struck life dies or fails; the next one, whole or struck elsewhere,
goes on with what it finds. After each day the books are compared as after a campaign.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from leadgate.sandbox.bitrix24 import Limits, build_sandbox, serve
from leadgate.sandbox.bitrix24.views import contacts, leads
from leadgate.testing.fault_points import DEEDS
from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.waiting import NeverHappenedError, until
from proof.balance import Seen, repeated_replies, reply_faults, strike_balance
from proof.lives import Life, open_lives
from proof.salon import PORTAL_SECRET, Salon, deliveries, is_idle, make_salon
from proof.traffic import Traffic

ROOMS = 4
"""Days side by side."""

QUIET_TIME_S = 0.2
_NEVER_S = 3600.0
"""The day itself has a shorter limit."""
_LIVES = 6
"""So many lives a day may have; a life that was not struck and still ended is a bug of its own."""


MISSES = 3
"""So many days without a strike end a series."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Where, what, and at which pass."""

    point: str
    deed: str
    passing: int

    def __str__(self) -> str:
        """As a line of a report."""
        return f"{self.point} {self.deed} {self.passing}"


@dataclass(frozen=True, slots=True)
class Series:
    """One point and deed, for passes 1, 1 + stride, … until none is left, or `most` were tried."""

    point: str
    deed: str
    stride: int = 1
    most: int | None = None


_AROUND = ("arrival", "commit", "call", "answer")
"""Points that a process passes a few times a day, with something done before and after each."""

SOME = (
    *(Series(point, deed, most=8) for point in _AROUND for deed in DEEDS),
    Series("statement", "fail-before", stride=23),
    Series("read", "fail-before", stride=11, most=4),
    Series("log", "kill-before", stride=5, most=4),
    Series("log", "fail-before", stride=4, most=5),
    Series("file", "kill-before"),
    Series("file", "fail-before"),
)
"""A sample of everything that fits beside other tests."""

ALL = (
    *(Series(point, deed) for point in _AROUND for deed in DEEDS),
    Series("statement", "fail-before"),
    Series("read", "fail-before"),
    Series("log", "kill-before"),
    Series("log", "fail-before"),
    Series("file", "kill-before"),
    Series("file", "fail-before"),
)
"""Every pass of every point. A statement that fails after its work is one whose follower fails before it."""

_PASSES = {"arrival": (1,), "commit": (1, 2, 3), "call": (1, 2, 3), "answer": (1,)}
PAIRED = tuple(
    (point, deed, passing)
    for point, passes in _PASSES.items()
    for deed in ("kill-before", "kill-after")
    for passing in passes
)
"""Deaths that are tried in pairs."""


@dataclass(slots=True)
class SweepResult:
    """What came of a sweep.

    Attributes:
        days: how many were played; `strikes` faults happened in them.
        passes: how many passes of each point were struck.
        wrong: what was lost, doubled or broken, with the faults that led to it.
    """

    days: int = 0
    strikes: int = 0
    passes: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Day:
    """How a day ended.

    Attributes:
        struck: for each fault, whether the process came so far.
    """

    struck: tuple[bool, ...]
    wrong: tuple[str, ...]


Look = Callable[[], Seen]
"""What stands in the portal now."""


class Room:
    """A place where one day after the other is played, each on a fresh copy of the same data directory.

    Attributes:
        patience_s: longest day.
        spoilt: play with a product that is spoilt so (`fault_points.spoil`), to see the sweep find it.
    """

    def __init__(self, salon: Salon, folder: Path) -> None:
        """Keep the salon's data directory as the pattern."""
        self.spoilt: str | None = None
        self.patience_s = 60.0
        self._salon = salon
        self._folder = folder
        self._pattern = folder / "pattern"
        shutil.copytree(salon.lives.data, self._pattern)
        self._days = 0

    async def play(self, *faults: Fault) -> Day:
        """One day; the first life meets the first fault, the second life the second, later ones none."""
        self._days += 1
        self._salon.lives.data = data = self._folder / f"day-{self._days}"
        shutil.copytree(self._pattern, data)
        self._salon.messenger.sent.clear()
        sandbox = build_sandbox(limits=Limits.off(), webhook_secret=PORTAL_SECRET)

        def look() -> Seen:
            return Seen(leads(sandbox.portal), contacts(sandbox.portal))

        try:
            async with serve(sandbox, "127.0.0.1", self._salon.portal_port):
                traffic = Traffic(self._salon, random.Random(0))  # noqa: S311 - pauses of senders
                try:
                    return await self._live_through(traffic, faults, look)
                finally:
                    await traffic.close()
        finally:
            shutil.rmtree(data)

    async def _live_through(self, traffic: Traffic, faults: Sequence[Fault], look: Look) -> Day:
        data, wrong = self._salon.lives.data, []
        witnesses = [data / f"struck-{number}" for number in range(len(faults))]
        sending = asyncio.create_task(_write_day(traffic))

        def is_over() -> bool:
            return sending.done() and is_idle(data) and not strike_balance(traffic.acknowledged, look()).lost

        log, lived = self._salon.lives.log, []
        log_starts_at = log.stat().st_size
        try:
            async with asyncio.timeout(self.patience_s):
                async for life in self._lives(faults, witnesses):
                    lived.append(life)
                    code = await _end_of(life, is_over)
                    is_struck = len(lived) <= len(faults) and witnesses[len(lived) - 1].exists()
                    if code != 0 and not is_struck:
                        wrong.append(f"a life that nothing struck ended with {code}")
                    if code == 0 and is_over():
                        break
                else:
                    wrong.append(f"the day did not end in {_LIVES} lives")
        except (TimeoutError, NeverHappenedError):
            wrong.append("the day did not end")
        for life in lived:
            await life.end(signal.SIGKILL)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        wrong += [*self._judge(traffic, look), *await self._morning_after(look), *crashes(log, log_starts_at)]
        return Day(tuple(witness.exists() for witness in witnesses), tuple(wrong))

    async def _lives(self, faults: Sequence[Fault], witnesses: Sequence[Path]) -> AsyncIterator[Life]:
        for number in range(_LIVES):
            strike: dict[str, object] | None = None
            if number < len(faults):
                fault = faults[number]
                strike = {"point": fault.point, "deed": fault.deed, "passing": fault.passing}
                strike["witness"] = str(witnesses[number])
            yield await self._salon.run(strike=strike, spoilt=self.spoilt)

    async def _morning_after(self, look: Look) -> list[str]:
        """Our ledger and the CRM agree, and asking for it changes nothing."""
        before = look()
        code, document = await self._salon.lives.command("reconcile")
        wrong = [f"reconcile ended with {code}: {document}"] if code != 0 else []
        return wrong + (["reconcile changed the CRM"] if look() != before else [])

    def _judge(self, traffic: Traffic, look: Look) -> list[str]:
        states, sent = deliveries(self._salon.lives.data), self._salon.messenger.sent
        balance = strike_balance(traffic.acknowledged, look())
        wrong = [*(f"lost {one}" for one in balance.lost), *(f"doubled {one}" for one in balance.doubled)]
        wrong += [*balance.misordered, *repeated_replies(sent)]
        wrong += reply_faults(len(sent), states, answers=traffic.acknowledged.replies)
        wrong += [f"dead: {kind}" for kind, state in states if state == "dead"]
        return wrong


async def _write_day(traffic: Traffic) -> None:
    """Two leads of one person at the same time, one of another, and a client who says what she wants, who she is, and a number."""
    await asyncio.gather(
        traffic.send_lead(1, person=1),
        traffic.send_lead(2, person=1),
        traffic.send_lead(3, person=2),
        traffic.converse(3, ["Хочу записаться на четверг.", "Алсу", "+79000000003"]),
    )


async def _end_of(life: Life, is_over: Callable[[], bool]) -> int:
    """How a life ended: by itself, or at SIGTERM when the day was over."""
    await until(lambda: life.ended.done() or is_over(), what="the day's end", timeout_s=_NEVER_S)
    # Only a process that serves has its signals in hand; the day may be over before it is ready.
    return await life.end(signal.SIGTERM) if await life.ready_or_ended() else await life.ended


def crashes(log: Path, starts_at: int) -> list[str]:
    """Commands that ended in a mistake of ours, which is what we call an exception that nobody foresaw."""
    with log.open("rb") as file:
        file.seek(starts_at)
        return [line.decode(errors="replace").strip() for line in file if b"Leadgate made a mistake" in line]


@contextlib.asynccontextmanager
async def open_rooms(folder: Path, count: int = ROOMS) -> AsyncIterator[list[Room]]:
    """So many rooms, each with a nursery, a messenger and a salon of its own."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_room(number: int) -> Room:
            place = folder / f"room-{number}"
            place.mkdir(parents=True)
            messenger = await stack.enter_async_context(TelegramServer())
            lives = await stack.enter_async_context(open_lives(place / "data"))
            return Room(await make_salon(lives, messenger, quiet_time_s=QUIET_TIME_S), place)

        yield [await open_room(number) for number in range(count)]


@dataclass(slots=True, eq=False)
class _Open:
    """A series under way; several rooms work on it at once."""

    series: Series
    taken: int = 0
    struck: int = 0
    missed: int = 0

    @property
    def is_all_taken(self) -> bool:
        return self.series.most is not None and self.taken >= self.series.most

    def take(self) -> Fault:
        """The next fault."""
        passing = 1 + self.taken * self.series.stride
        self.taken += 1
        return Fault(self.series.point, self.series.deed, passing)


async def sweep_series(rooms: Sequence[Room], series: Sequence[Series]) -> SweepResult:
    """Strike each point at its first, second, … pass, alone, until days end without a strike."""
    all_series = [_Open(one) for one in series]
    result, open_series = SweepResult(), list(all_series)
    started_s = time.monotonic()

    async def work(room: Room) -> None:
        while open_series:
            one = open_series[0]
            fault = one.take()
            if one.is_all_taken:
                open_series.remove(one)
            if await _play(room, result, fault):
                one.struck += 1
                continue
            one.missed += 1  # days differ by a few passes, so one that did not come so far is not the end
            if one.missed == MISSES and one in open_series:  # days of other rooms may still be on their way
                open_series.remove(one)

    await asyncio.gather(*(work(room) for room in rooms))
    result.passes = {f"{one.series.point} {one.series.deed}": one.struck for one in all_series}
    result.seconds = time.monotonic() - started_s
    return result


async def sweep_pairs(rooms: Sequence[Room], *, most: int | None = None) -> SweepResult:
    """The first life dies at one point, the second at another: every pair of `PAIRED`, or `most` of them, evenly chosen."""
    faults = [Fault(*place) for place in PAIRED]
    pairs = list(product(faults, faults))
    if most is not None and most < len(pairs):
        pairs = [pairs[number * len(pairs) // most] for number in range(most)]
    result, waiting = SweepResult(), pairs
    started_s = time.monotonic()

    async def work(room: Room) -> None:
        while waiting:
            await _play(room, result, *waiting.pop())

    await asyncio.gather(*(work(room) for room in rooms))
    result.seconds = time.monotonic() - started_s
    return result


async def _play(room: Room, result: SweepResult, *faults: Fault) -> bool:
    """One day for the result; whether any fault struck."""
    day = await room.play(*faults)
    result.days += 1
    result.strikes += sum(day.struck)
    named = ", then ".join(str(fault) for fault in faults)
    result.wrong += [f"{named}: {one}" for one in day.wrong]
    return any(day.struck)
