"""The promise itself: kill the process whenever you like, let the CRM swallow its answers; each lead arrives exactly once.

`KILLS=200 pytest tests/e2e/test_kill.py` makes a longer campaign, `SEED=7` another one,
`LEASE=10` one with the lease of the product.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from leadgate.testing.waiting import until
from tests.e2e.conftest import Salon
from tests.e2e.sender import lead

KILLS = int(os.environ.get("KILLS", "15"))
SEED = int(os.environ.get("SEED", "20261122"))
RUNNER = (sys.executable, str(Path(__file__).with_name("runner.py")))
LEASE_S = os.environ.get("LEASE", "1.5")
_ENTRY_ID = re.compile(r"evt_[0-9A-Z]{26}")


@dataclass
class Campaign:
    """Leads on their way: who was acknowledged, and what must stand in the portal for it."""

    salon: Salon
    people: int
    dice: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - a campaign that repeats
    acknowledged: dict[str, int] = field(default_factory=dict)
    attempts: int = 0

    async def send(self, number: int) -> None:
        """One lead, repeated under the same webhook-id until the gateway says that it has it."""
        person = number % self.people
        body = lead(
            1000 + person, message=f"Заявка {number}", contact={"name": f"Клиент {person}", "phone": phone(person)}
        )
        wait = asyncio.Event()
        while True:
            self.attempts += 1
            try:
                answer = await self.salon.bot.post(body, webhook_id=f"msg_{number}")
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                self.acknowledged[answer.json()["event"]] = person
                return
            try:  # a bot builder's own pause between two attempts
                await asyncio.wait_for(wait.wait(), self.dice.uniform(0.05, 0.4))
            except TimeoutError:
                continue

    async def send_all(self, count: int, *, over_s: float) -> None:
        """Send so many leads, spread over a time."""
        never = asyncio.Event()

        async def later(number: int) -> None:
            try:
                await asyncio.wait_for(never.wait(), self.dice.uniform(0, over_s))
            except TimeoutError:
                await self.send(number)

        await asyncio.gather(*(later(number) for number in range(count)))

    def entries(self) -> Counter[str]:
        """How often each event stands in a timeline."""
        written = [entry["text"] for one in self.salon.portal.leads() for entry in one["timeline"]]
        return Counter(found for text in written for found in _ENTRY_ID.findall(text))

    def doubles(self) -> list[str]:
        """Whatever stands in the portal twice: leads by origin id, leads by person, entries, contacts."""
        leads = self.salon.portal.leads()
        counts = Counter(str(one["origin_id"]) for one in leads)
        counts += Counter(str(one["phone"]) for one in leads)
        counts += self.entries()
        return [what for what, count in counts.items() if count > 1]

    async def arrived(self, *, timeout_s: float) -> None:
        """Wait until every acknowledged event stands in a timeline."""
        await until(
            lambda: set(self.acknowledged) <= set(self.entries()),
            what="every acknowledged event in the CRM",
            timeout_s=timeout_s,
        )


def phone(person: int) -> str:
    """Everybody has a number of their own."""
    return f"+7900001{person:04d}"


def strew_faults(salon: Salon) -> None:
    """The portal swallows answers after its work is done, and now and then it is busy or somebody stands in between."""
    faults = salon.portal.sandbox.faults
    faults.add("drop-answer", probability=0.3, seed=SEED, method="crm.item.add")
    faults.add("drop-answer", probability=0.3, seed=SEED + 1, method="crm.timeline.comment.add")
    faults.add("error-500-after", probability=0.05, seed=SEED + 2, method="crm.item.add")
    faults.add("limit-503", probability=0.03, seed=SEED + 3)
    faults.add("html-502", probability=0.03, seed=SEED + 4)


async def kill_again_and_again(salon: Salon, dice: random.Random, *, kills: int, sending: asyncio.Task[None]) -> None:
    """SIGKILL at a random moment of a life, `kills` times; each life is long enough for some work."""
    port = salon.gateway.url.rpartition(":")[2]
    never = asyncio.Event()
    for _ in range(kills):
        try:
            await asyncio.wait_for(never.wait(), dice.expovariate(1.0))
        except TimeoutError:
            await salon.gateway.kill()
        await salon.gateway.start(listen=f"127.0.0.1:{port}")
    await sending


@pytest.mark.timeout(120 + KILLS * 10)
async def test_killed_at_random_moments_every_acknowledged_lead_stands_in_the_crm_exactly_once(
    idle_salon: Salon,
) -> None:
    """Power cuts, out-of-memory kills and lost answers happen together; a lead lost or doubled costs a client."""
    salon = idle_salon
    salon.gateway.runner = (*RUNNER, "--lease", LEASE_S)
    await salon.restart()
    strew_faults(salon)
    campaign = Campaign(salon, people=max(20, KILLS * 2))
    started_s = time.monotonic()
    leads = KILLS * 4
    sending = asyncio.create_task(campaign.send_all(leads, over_s=KILLS * 2.0))
    await kill_again_and_again(salon, campaign.dice, kills=KILLS, sending=sending)
    killed_s = time.monotonic() - started_s
    await campaign.arrived(timeout_s=60)
    await salon.idle()

    assert len(campaign.acknowledged) == leads
    assert campaign.doubles() == []
    assert set(campaign.entries()) == set(campaign.acknowledged)
    salon.portal.sandbox.faults.clear()
    balance = await salon.balanced()
    assert (balance["received"], balance["in_crm"], balance["waiting"], balance["dead"]) == (leads, leads, 0, 0)
    counters = salon.portal.sandbox.portal.counters
    assert counters.faults["drop-answer"] > 0
    print(  # noqa: T201 - figures for people
        f"{KILLS} kills in {killed_s:.0f} s, {leads} leads in {campaign.attempts} posts, all there after"
        f" {time.monotonic() - started_s:.0f} s; faults {dict(counters.faults)}"
    )


async def test_without_the_look_up_the_same_campaign_finds_doubles(idle_salon: Salon) -> None:
    """A test that cannot go red proves nothing: sending again at once what has an unknown outcome must be caught."""
    salon = idle_salon
    salon.gateway.runner = (*RUNNER, "--lease", LEASE_S, "--forget-look-up")
    await salon.restart()
    salon.portal.sandbox.faults.add("drop-answer", probability=0.8, seed=SEED, method="crm.item.add")
    campaign = Campaign(salon, people=10)
    await campaign.send_all(10, over_s=0.5)

    assert await until(campaign.doubles, what="a double")


async def test_a_portal_that_commits_after_the_connection_is_lost_gets_no_doubles(salon: Salon) -> None:
    """Bitrix24 may finish writing after we gave up; looking too early would find nothing and send again."""
    faults = salon.portal.sandbox.faults
    faults.add("late-commit", count=2, method="crm.item.add", delay_s=0.5)
    faults.add("late-commit", count=1, method="crm.timeline.comment.add", delay_s=0.5)
    campaign = Campaign(salon, people=6)
    await campaign.send_all(12, over_s=0.5)
    await campaign.arrived(timeout_s=40)
    await salon.portal.sandbox.settle()
    await salon.idle()

    assert len(faults) == 0
    assert campaign.doubles() == []
    assert (await salon.balanced())["in_crm"] == 12
