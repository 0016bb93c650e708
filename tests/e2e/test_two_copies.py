"""Two copies of `leadgate run` on one data directory, as after a restart that was started twice."""

from __future__ import annotations

from functools import partial

import pytest

from leadgate.testing.gateway import READY, Gateway
from leadgate.testing.waiting import until
from tests.e2e.conftest import Prepared, Salon
from tests.e2e.sender import BotSender, lead
from tests.e2e.test_kill import Campaign

LEADS = 40


async def test_both_work_and_every_lead_arrives_once(salon: Salon, prepared: Prepared) -> None:
    """Lanes are leased, so a second copy is a second node: it may take requests, send, and outlive the first one."""
    first = salon.gateway
    async with Gateway(first.data) as second:
        await second.start()
        bot = BotSender(salon.bot.client, f"{second.url}/webhooks/bot/{salon.bot_connection}", salon.bot.secret)
        there = Salon(second, salon.portal, bot, salon.crm, salon.bot_connection)
        faults = salon.portal.sandbox.faults
        faults.add("drop-answer", probability=0.3, seed=1, method="crm.item.add")
        faults.add("drop-answer", probability=0.3, seed=2, method="crm.timeline.comment.add")
        campaigns = [Campaign(one, people=LEADS) for one in (salon, there)]
        for number in range(LEADS):
            await campaigns[number % 2].send(number)
            if number == LEADS // 2:
                assert await first.kill() != 0  # the other one has its work from here on
                campaigns[0].salon.bot.url = bot.url
        acknowledged = set(campaigns[0].acknowledged) | set(campaigns[1].acknowledged)
        assert len(acknowledged) == LEADS
        await until(
            lambda: acknowledged <= set(campaigns[0].entries()),
            what="every acknowledged event in the CRM",
            timeout_s=60,
        )
        await there.idle()
        assert campaigns[0].doubles() == []
        faults.clear()
        balance = await there.balanced()
        assert (balance["received"], balance["in_crm"], balance["waiting"], balance["dead"]) == (LEADS, LEADS, 0, 0)
        assert await second.stop() == 0


async def test_a_second_copy_on_the_same_address_is_refused_in_one_sentence(salon: Salon) -> None:
    """The usual case: the service runs, and somebody types the command once more."""
    address = salon.gateway.url.removeprefix("http://")
    finished = await salon.gateway.command("run", "--listen", address)
    assert finished.code == 2
    assert address in finished.err
    assert "Traceback" not in finished.err
    await salon.bot.accept(lead(610))
    await salon.portal.having(1)


@pytest.mark.parametrize("starts", [3])
async def test_copies_that_start_in_the_same_moment_do_not_stumble(gateway: Gateway, starts: int) -> None:
    """A supervisor that restarts too eagerly: all come up, and all end when they are told to."""
    runs = [await gateway.launch("run", "--listen", "127.0.0.1:0", "--json") for _ in range(starts)]
    for running in runs:
        await until(partial(running.log, READY), what=READY, timeout_s=60)
    assert not any(running.has_ended for running in runs)
