"""The kill campaign: salons under load, a CRM that misbehaves, and SIGKILL at random moments, again and again.

Salons work side by side. Each gets its share of the kills; what it must keep, `proof.balance` judges.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.waiting import until
from proof.balance import Balance, Seen, repeated_replies, reply_faults, strike_balance
from proof.lives import ROOT, Life, open_lives
from proof.salon import PORTAL_SECRET, Salon, count_orphans, deliveries, is_idle, make_salon
from proof.traffic import Traffic

SALONS = 4
"""Side by side. More than cores, because a life spends half of its time waiting for the portal."""

QUIET_TIME_S = 0.4
LATE_COMMIT_S = 0.2
"""Shorter than the quiet time: whoever looks before a portal has finished finds nothing, and no client can know better."""

_LEADS_PER_LIFE, _MESSAGES_PER_LIFE = 3, 2
_MEAN_LIFE_S = 0.6
_LONG_LIFE, _MEAN_LONG_LIFE_S = 0.1, 4.0
"""A tenth of the lives lasts long enough to look up what the ones before left in doubt, and to be struck while it does."""
_EARLY, _LONGEST_START_S = 0.1, 0.3
"""A tenth of the lives may be killed before they are ready."""
_COLD_EVERY = 10
_DRAIN_TIMEOUT_S = 600.0
_FAULTS: tuple[tuple[str, float, str], ...] = (
    ("drop-answer", 0.25, "crm.item.add"),
    ("drop-answer", 0.25, "crm.timeline.comment.add"),
    ("error-500-after", 0.05, "crm.item.add"),
    ("late-commit", 0.05, "crm.item.add"),
    ("late-commit", 0.05, "crm.timeline.comment.add"),
    ("limit-503", 0.05, ""),
    ("html-502", 0.05, ""),
)


@dataclass(slots=True)
class Result:
    """What a salon went through, and what was left of it in the end.

    Attributes:
        kills: SIGKILLs that hit a living process; `early` of them before it was ready, `cold` in a fresh interpreter.
        faults: how often each fault of the portal struck.
        orphans: deliveries that were under way when their process died.
        arrived_meanwhile: entries that stood in the CRM when the last kill was over.
        reconcile: exit code of `leadgate reconcile`.
        wrong: what else should not be.
    """

    events: int = 0
    posts: int = 0
    kills: int = 0
    early: int = 0
    cold: int = 0
    outages: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    leads: int = 0
    entries: int = 0
    arrived_meanwhile: int = 0
    replies: int = 0
    replies_uncertain: int = 0
    dead: int = 0
    orphans: int = 0
    reconcile: int = -1
    seconds: float = 0.0
    killing_seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """True when nothing was lost or doubled and the product's own ledger agrees."""
        return not (self.lost or self.doubled or self.wrong or self.dead or self.reconcile)


async def run_campaign(folder: Path, *, kills: int, seed: int, salons: int = SALONS) -> list[Result]:
    """Kill so often, in so many salons side by side; one result for each."""
    shares = [kills // salons + (number < kills % salons) for number in range(salons)]
    trials = [
        _try_salon(folder / f"salon-{number}", kills=share, seed=seed + number) for number, share in enumerate(shares)
    ]
    return list(await asyncio.gather(*trials))


async def _try_salon(folder: Path, *, kills: int, seed: int) -> Result:
    folder.mkdir(parents=True)  # noqa: ASYNC240 - nothing else runs yet
    dice = random.Random(seed)  # noqa: S311 - a campaign that repeats
    async with TelegramServer() as messenger, open_lives(folder / "data") as lives:
        salon = await make_salon(lives, messenger, quiet_time_s=QUIET_TIME_S)
        async with _open_portal(salon.portal_port) as portal:
            trial = _Trial(salon, portal, dice, Result())
            try:
                await trial.run(kills, seed)
            finally:
                await trial.traffic.close()
            return trial.result


class _Portal:
    """The sandbox from outside."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def look(self) -> Seen:
        leads, contacts = await self._items("/leads.json"), await self._items("/contacts.json")
        return Seen(leads, contacts)

    async def _items(self, address: str) -> list[dict[str, Any]]:
        answer = await self._http.get(address)
        return list(answer.raise_for_status().json()["items"])

    async def break_with(self, name: str, **options: object) -> int:
        answer = await self._http.post("/sandbox/faults", json={"name": name, **options})
        return int(answer.raise_for_status().json()["id"])

    async def mend(self, fault: int | None = None) -> None:
        await self._http.delete("/sandbox/faults" if fault is None else f"/sandbox/faults/{fault}")

    async def faults(self) -> dict[str, int]:
        answer = await self._http.post("/sandbox/portal", json={})
        return dict(answer.json()["faults"])


@contextlib.asynccontextmanager
async def _open_portal(port: int) -> AsyncIterator[_Portal]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "proof.portal", str(port), PORTAL_SECRET),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        if process.stdout is None or not await process.stdout.readline():
            raise RuntimeError("the portal did not start")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30.0, trust_env=False) as http:
            yield _Portal(http)
    finally:
        process.kill()
        await process.wait()


class _Trial:
    """One salon's share."""

    def __init__(self, salon: Salon, portal: _Portal, dice: random.Random, result: Result) -> None:
        self.salon = salon
        self.portal = portal
        self.dice = dice
        self.result = result
        self.traffic = Traffic(salon, dice)
        self._lead_tickets, self._chat_tickets = asyncio.Semaphore(0), asyncio.Semaphore(0)
        self._lead_number = self._client = 0
        self._is_over = False

    async def run(self, kills: int, seed: int) -> None:
        started_s = time.monotonic()
        for number, (name, probability, method) in enumerate(_FAULTS):
            options = {"method": method} if method else {}
            await self.portal.break_with(
                name, probability=probability, seed=seed * 100 + number, delay_s=LATE_COMMIT_S, **options
            )
        senders = [asyncio.create_task(self._send_leads()) for _ in range(6)]
        senders += [asyncio.create_task(self._chat()) for _ in range(3)]
        weather = asyncio.create_task(self._outages())
        await self._kill_again_and_again(kills)
        self.result.killing_seconds = time.monotonic() - started_s
        weather.cancel()
        await asyncio.gather(weather, return_exceptions=True)
        self.result.arrived_meanwhile = sum(len(lead["timeline"]) for lead in (await self.portal.look()).leads)
        await self._recover(senders)
        self.result.seconds = time.monotonic() - started_s

    async def _kill_again_and_again(self, kills: int) -> None:
        while self.result.kills < kills:
            is_cold = self.result.kills % _COLD_EVERY == 0
            life = await self.salon.run(cold=is_cold)
            for tickets, count in ((self._lead_tickets, _LEADS_PER_LIFE), (self._chat_tickets, _MESSAGES_PER_LIFE)):
                for _ in range(count):
                    tickets.release()
            if self.dice.random() < _EARLY:
                longest_s = _LONGEST_START_S * (4 if is_cold else 1)
                await asyncio.sleep(self.dice.uniform(0, longest_s))
            elif await life.ready_or_ended():
                mean_s = _MEAN_LONG_LIFE_S if self.dice.random() < _LONG_LIFE else _MEAN_LIFE_S
                await asyncio.sleep(self.dice.expovariate(1 / mean_s))
            if life.ended.done():
                self.result.wrong.append(f"a life ended by itself with {life.ended.result()}")
                raise RuntimeError(self.salon.lives.last_words())
            self.result.early += not life.ready.is_set()
            self.result.cold += is_cold
            await life.end(signal.SIGKILL)
            self.result.kills += 1

    async def _recover(self, senders: list[asyncio.Task[None]]) -> None:
        """No more faults and kills: whoever is waiting gets an answer, what waits drains, and the books are compared."""
        self.result.faults = await self.portal.faults()
        await self.portal.mend()
        life = await self.salon.run()
        self._is_over = True
        for _ in senders:  # those who wait for a ticket find the day over
            self._lead_tickets.release()
            self._chat_tickets.release()
        await asyncio.gather(*senders)
        with contextlib.suppress(AssertionError):  # what has not drained is found lost, by name
            await until(self._has_drained, what="drained", timeout_s=_DRAIN_TIMEOUT_S)
        await self._compare(life)

    async def _has_drained(self) -> bool:
        if not is_idle(self.salon.lives.data):
            return False
        return not self._balance(await self.portal.look()).lost

    def _balance(self, seen: Seen) -> Balance:
        return strike_balance(self.traffic.acknowledged, seen)

    async def _compare(self, life: Life) -> None:
        result, data = self.result, self.salon.lives.data
        if (code := await life.end(signal.SIGTERM)) != 0:
            result.wrong.append(f"the last life ended with {code}")
        await self._look_again_after_one_more_start()
        balance, states = self._balance(await self.portal.look()), deliveries(data)
        sent, acknowledged = self.salon.messenger.sent, self.traffic.acknowledged
        result.lost, result.doubled = list(balance.lost), [*balance.doubled, *repeated_replies(sent)]
        result.wrong += [*balance.misordered, *reply_faults(len(sent), states, answers=acknowledged.replies)]
        result.leads, result.entries = balance.leads, balance.entries
        result.events, result.posts = acknowledged.events, acknowledged.posts
        result.replies, result.replies_uncertain = len(sent), states["message.send", "uncertain"]
        result.dead = sum(count for (_, state), count in states.items() if state == "dead")
        result.orphans = count_orphans(data)
        if not is_idle(data):
            result.wrong.append("work was left")
        result.reconcile, document = await self.salon.lives.command("reconcile")
        if result.reconcile != 0:
            result.wrong.append(f"reconcile: {document}")

    async def _look_again_after_one_more_start(self) -> None:
        """Whoever starts with nothing left to do sends nothing: what is done stays done."""
        before = await self.portal.look()
        life = await self.salon.run()
        if not await life.ready_or_ended() or await life.end(signal.SIGTERM) != 0:
            self.result.wrong.append("one more life did not start and end")
        if await self.portal.look() != before:
            self.result.wrong.append("one more life changed what stood in the CRM")

    async def _send_leads(self) -> None:
        while await self._take(self._lead_tickets):
            self._lead_number += 1
            await self.traffic.send_lead(self._lead_number, person=self._person())

    def _person(self) -> int:
        """Half of the leads come from people who wrote before, some of them a moment ago."""
        if self._lead_number < 2 or self.dice.random() < 0.5:
            return self._lead_number
        return self.dice.randint(max(1, self._lead_number - 20), self._lead_number - 1)

    async def _chat(self) -> None:
        while not self._is_over:
            self._client += 1
            client = 1_000_000 + self._client
            for text in self.traffic.talk(client):
                if not await self._take(self._chat_tickets) and text != "/start":
                    pass  # a conversation that has begun is led to its end
                await self.traffic.write(client, text)

    async def _take(self, tickets: asyncio.Semaphore) -> bool:
        """Wait for a turn to send; False when the day is over."""
        if not self._is_over:
            await tickets.acquire()
        return not self._is_over

    async def _outages(self) -> None:
        """Now and then the portal is away for a moment."""
        while True:
            await asyncio.sleep(self.dice.uniform(4, 10))
            fault = await self.portal.break_with("down")
            self.result.outages += 1
            try:
                await asyncio.sleep(self.dice.uniform(0.5, 2))
            finally:
                await asyncio.shield(_as_task(self.portal.mend(fault)))


def _as_task(work: Awaitable[None]) -> asyncio.Future[None]:
    return asyncio.ensure_future(work)
