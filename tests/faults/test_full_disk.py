"""No room on the disk: nothing is acknowledged that is not kept, nothing crashes, and it goes on when there is room."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from leadgate.testing.waiting import until
from tests.e2e.conftest import Portal, Prepared, Salon, find_port
from tests.e2e.sender import BotSender, lead
from tests.faults.disks import Disk, HousedGateway, open_limited_files, open_small_disk

RECOVERY_S = 10.0
"""The contract: so soon after there is room again, leads are taken again."""


@pytest.fixture(params=[open_small_disk, open_limited_files], ids=["tmpfs", "rlimit"])
async def disk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Disk]:
    """A disk for the data directory that can be filled."""
    async with request.param(tmp_path / "disk") as opened:
        yield opened


@pytest.fixture
async def small_disk(tmp_path: Path) -> AsyncIterator[Disk]:
    """A disk for the log alone."""
    async with open_small_disk(tmp_path / "log-disk") as opened:
        yield opened


class Stream:
    """Leads that keep coming, each sent again under its id until it is acknowledged."""

    def __init__(self, bot: BotSender) -> None:
        self.bot = bot
        self.acknowledged: set[int] = set()
        self.refused: list[int] = []
        self._number = 0

    async def flow_until_refused(self, *, at_once: int) -> None:
        """Send, several at a time, until there is no room for one."""
        before = len(self.refused)

        async def is_refused() -> bool:
            await self.send(*self._next(at_once))
            return len(self.refused) > before

        await until(is_refused, what="a refusal for want of room", timeout_s=60)

    async def send(self, *numbers: int) -> None:
        """One attempt for each."""
        answers = await asyncio.gather(*(self._post(number) for number in numbers))
        for number, answer in zip(numbers, answers, strict=True):
            if answer.is_success:
                self.acknowledged.add(number)
            else:
                assert (answer.status_code, answer.json()["code"]) == (503, "storage.unavailable"), answer.text
                assert int(answer.headers["retry-after"]) > 0
                self.refused.append(number)

    async def one_is_accepted(self) -> bool:
        """Send the first refused lead again."""
        answer = await self._post(self.refused[0])
        if answer.is_success:
            self.acknowledged.add(self.refused.pop(0))
        return answer.is_success

    async def _post(self, number: int) -> httpx.Response:
        return await self.bot.post(lead(number, message="Ж" * 8000), webhook_id=f"msg_{number}")

    def _next(self, count: int) -> range:
        first = self._number
        self._number += count
        return range(first, self._number)


def times_in_crm(portal: Portal) -> Counter[int]:
    """How often each lead stands in the CRM, by its phone."""
    return Counter(int(str(one["phone"]).removeprefix("+7900")) for one in portal.leads())


@pytest.mark.timeout(240)
async def test_leads_flow_until_the_disk_is_full_and_again_within_ten_seconds_of_room(
    disk: Disk, prepared: Prepared, portal: Portal, http: httpx.AsyncClient
) -> None:
    """A 202 for a lead that is on no disk is a lead lost; the sender must know that it has to come again, and when."""
    shutil.copytree(prepared.data, disk.outside / "data")
    async with HousedGateway(disk.folder / "data", disk) as gateway:
        bot = BotSender(http, "", prepared.bot["webhook_secret"])
        salon = Salon(gateway, portal, bot, prepared.crm["connection"], prepared.bot["connection"])
        await salon.restart()
        running, stream = gateway.running, Stream(bot)
        assert running is not None
        disk.narrow(running.process.pid)
        await stream.flow_until_refused(at_once=6)
        assert len(stream.acknowledged) > 6

        disk.fill(running.process.pid)
        await stream.flow_until_refused(at_once=1)

        async def is_unready() -> bool:
            ready = await http.get(f"{gateway.url}/health/ready")
            return (ready.status_code, "retry-after" in ready.headers) == (503, True)

        await until(is_unready, what="not ready")
        assert (await http.get(f"{gateway.url}/health/live")).status_code == 200
        assert not running.has_ended

        assert await gateway.stop() == 0
        await salon.restart()
        running = gateway.running
        assert running is not None
        disk.fill(running.process.pid)
        await stream.flow_until_refused(at_once=1)

        disk.clear(running.process.pid)
        await until(stream.one_is_accepted, what="a lead taken again", timeout_s=RECOVERY_S)
        waiting, stream.refused = stream.refused, []
        await stream.send(*waiting)
        assert stream.refused == []
        await portal.having(len(stream.acknowledged))  # what lies in the inbox is no delivery yet
        await salon.idle()
        assert times_in_crm(portal) == Counter(dict.fromkeys(stream.acknowledged, 1))
        balance = await salon.balanced()
        assert balance["received"] == balance["in_crm"] == len(stream.acknowledged)
        assert await gateway.stop() == 0
        assert not any("Traceback" in line for line in running.err)


async def test_a_log_that_takes_nothing_does_not_keep_leads_out(
    small_disk: Disk, prepared: Prepared, portal: Portal, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Logs and data often lie on different disks; that of the logs fills first, and clients are no less important for it."""
    data, port, log = tmp_path / "data", find_port(), small_disk.folder / "log"
    shutil.copytree(prepared.data, data)
    small_disk.fill(0)
    async with HousedGateway(data, small_disk, environment={"LOG": str(log)}) as gateway:
        gateway.runner = ("sh", "-c", 'exec "$@" >>"$LOG" 2>&1', "sh", *gateway.runner)
        running = await gateway.launch("run", "--listen", f"127.0.0.1:{port}", "--json")
        url = f"http://127.0.0.1:{port}"
        bot = BotSender(http, f"{url}/webhooks/bot/{prepared.bot['connection']}", prepared.bot["webhook_secret"])

        async def is_ready() -> bool:
            assert not running.has_ended
            try:
                return (await http.get(f"{url}/health/ready")).is_success
            except httpx.TransportError:
                return False

        await until(is_ready, what="ready")
        for number in range(3):
            await bot.accept(lead(number))
        assert (await bot.post(b"{")).status_code == 400
        await portal.having(3)
        assert (small_disk.outside / "log").read_bytes() == b""

        small_disk.clear(0)
        await bot.accept(lead(3))
        await portal.having(4)
        await until(
            lambda: b'"webhook.accepted"' in (small_disk.outside / "log").read_bytes(), what="a line in the log"
        )
        gateway.running = running
        assert await gateway.stop() == 0
