import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

from tests.e2e.conftest import Salon
from tests.e2e.sender import lead
from tests.faults.power import Disk, put, read_record, throw_dice

PRODUCT = Path(__file__).parent / "recorded_product.py"
ROOT = Path(__file__).resolve().parents[2]
SEED = 20261122
LEADS_PER_LIFE = 12


class Town:
    """A salon in a place where the power goes again and again."""

    def __init__(self, salon: Salon, *, synchronous: str) -> None:
        self.salon = salon
        self.synchronous = synchronous
        self.dice = throw_dice(SEED)
        self.acknowledged: set[int] = set()
        self._waiting: list[int] = []
        self._sent = 0
        salon.gateway.environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])

    async def live(self) -> None:
        """The salon opens, leads come in, and at some acknowledgement the power goes."""
        data = self.salon.gateway.data
        record = data.parent / f"record-{self._sent}"
        content = {path.name: path.read_bytes() for path in data.glob("*.sqlite3*")}
        self.salon.gateway.runner = (sys.executable, str(PRODUCT), str(record), self.synchronous)
        await self.salon.restart()
        await self._receive_until(self.dice.randrange(1, LEADS_PER_LIFE))
        await self.salon.gateway.kill()
        disk = Disk(content)
        for step in read_record(record):
            disk.play(step)
        put(disk.after_a_cut(self.dice), data)

    async def recover(self) -> None:
        """The last time that the light comes on: nothing is recorded any more, and whoever got no answer sends again."""
        await self.salon.restart()
        while self._waiting:
            await self._send(self._waiting[0])
        await self.salon.idle()

    def in_crm(self) -> Counter[int]:
        """How often each lead stands in the CRM."""
        found = [str(one["phone"]).removeprefix("+7900") for one in self.salon.portal.leads()]
        return Counter(int(phone) for phone in found)

    async def _receive_until(self, count: int) -> None:
        """Several senders at once; over as soon as so many of them were told that their lead is kept."""
        self._waiting += range(self._sent + 1, self._sent + LEADS_PER_LIFE + 1)
        self._sent += LEADS_PER_LIFE
        sending = [asyncio.create_task(self._send(number)) for number in self._waiting]
        for _, done in zip(range(count), asyncio.as_completed(sending), strict=False):
            await done
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)

    async def _send(self, number: int) -> None:
        answer = await self.salon.bot.post(lead(number), webhook_id=f"msg_{number}")
        assert answer.is_success, answer.text
        self.acknowledged.add(number)
        self._waiting.remove(number)


async def test_after_many_power_cuts_every_acknowledged_lead_stands_in_the_crm_once(idle_salon: Salon) -> None:
    """The whole product and not its storage alone: what was about to be sent is on the disk before it is sent, or it goes twice."""
    town = Town(idle_salon, synchronous="FULL")
    for _ in range(6):
        await town.live()
    await town.recover()
    assert town.acknowledged == set(town.in_crm())
    assert set(town.in_crm().values()) == {1}
    balance = await town.salon.balanced()
    assert (balance["received"], balance["in_crm"]) == (len(town.acknowledged), len(town.acknowledged))


async def test_a_salon_that_does_not_flush_its_commits_loses_leads(idle_salon: Salon) -> None:
    """With `synchronous=NORMAL` the same days must end with a loss, or the test above proves nothing."""
    town = Town(idle_salon, synchronous="NORMAL")
    for _ in range(2):
        await town.live()
    await town.recover()
    assert town.acknowledged - set(town.in_crm()) != set()
