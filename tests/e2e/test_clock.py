"""A real process whose wall clock is put forward and back while a lead is in doubt or waits."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from leadgate.testing.gateway import Gateway, Running
from leadgate.testing.waiting import until
from tests.e2e.conftest import Portal, Salon
from tests.e2e.sender import BotSender, lead

RUNNER = (sys.executable, str(Path(__file__).with_name("clock_runner.py")))
QUIET_TIME_S = 8
COMMITTED_AFTER_S = 5.0
"""Later than a look-up that comes too early, even after a slow start, and the repeat after it; well before the quiet time ends."""
HOUR_S = 3600


@dataclass
class Clock:
    """The wall clock of the process."""

    file: Path
    running: Running | None = None

    async def jump(self, by_s: int) -> None:
        """Put it wrong by so much, and wait until the process has noticed."""
        new = self.file.with_suffix(".new")
        new.write_text(str(by_s))
        new.replace(self.file)
        running = self.running
        if running is not None:
            await running.line(lambda: running.log("clock.jumped"), what="a jump that was noticed", timeout_s=10)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """One that is right."""
    file = tmp_path / "wrong-by"
    file.write_text("0")
    return Clock(file)


@pytest.fixture
async def salon(tmp_path: Path, clock: Clock, portal: Portal, http: httpx.AsyncClient) -> AsyncIterator[Salon]:
    """A salon under that clock, with a quiet time that can be told from no quiet time."""
    async with Gateway(tmp_path / "data", runner=(*RUNNER, str(clock.file))) as gateway:
        await gateway.ask("init", "--workspace-name", "Салон «Лимон»")
        secrets = {"webhook_url": portal.webhook_url}
        crm = await gateway.connect("bitrix24", "CRM", secrets=secrets, check=False, quiet_time_s=str(QUIET_TIME_S))
        bot = await gateway.connect("bot", "Бот")
        salon = Salon(gateway, portal, BotSender(http, "", bot["webhook_secret"]), crm["connection"], bot["connection"])
        await salon.restart()
        clock.running = gateway.running
        yield salon


async def lose_an_answer(salon: Salon) -> None:
    """The portal takes a lead, breaks the connection and commits later."""
    salon.portal.sandbox.faults.add("late-commit", count=1, method="crm.item.add", delay_s=COMMITTED_AFTER_S)
    await salon.bot.accept(lead(601))
    running = salon.gateway.running
    assert running is not None
    await running.line(lambda: running.log("delivery.attempted", outcome="unknown"), what="a lead in doubt")


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
async def test_a_lead_in_doubt_is_there_once_and_soon_when_the_clock_jumps(
    salon: Salon, clock: Clock, by_s: int
) -> None:
    """Put forward, the look-up would come before the commit and the lead twice; put back, it would come an hour late."""
    await lose_an_answer(salon)
    await clock.jump(by_s)
    await salon.idle(timeout_s=QUIET_TIME_S + 11)
    await salon.portal.sandbox.settle()
    assert len(await salon.portal.having(1)) == 1
    assert (await salon.balanced())["in_crm"] == 1


async def test_a_lead_in_doubt_is_there_once_when_the_clock_jumps_while_nothing_runs(
    salon: Salon, clock: Clock
) -> None:
    """The machine goes down with a lead in doubt and comes up in another hour."""
    await lose_an_answer(salon)
    await salon.gateway.kill()
    clock.running = None
    await clock.jump(HOUR_S)
    await salon.restart()
    await salon.idle(timeout_s=QUIET_TIME_S + 11)
    await salon.portal.sandbox.settle()
    assert len(await salon.portal.having(1)) == 1


async def test_a_pause_ends_in_time_when_the_clock_is_put_back(salon: Salon, clock: Clock) -> None:
    """The portal was down and is back; the clock says that the next try is an hour away."""
    salon.portal.sandbox.faults.add("down")
    await salon.bot.accept(lead(602))
    running = salon.gateway.running
    assert running is not None
    await running.line(lambda: running.log("delivery.attempted", outcome="retry_later"), what="a refusal")
    await clock.jump(-HOUR_S)
    salon.portal.sandbox.faults.clear()
    await until(salon.portal.leads, what="the lead in the portal", timeout_s=35)
    await salon.idle()
