"""Several nodes share one PostgreSQL: one takes requests, others work, one of them dies."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import httpx

from leadgate.testing.gateway import READY, Gateway
from leadgate.testing.waiting import until
from tests.e2e.conftest import Portal, Salon
from tests.e2e.sender import BotSender, lead
from tests.e2e.test_kill import LEASE_S, RUNNER, Campaign


async def test_two_workers_share_a_database_and_one_is_killed(
    tmp_path: Path, postgres_database: str, portal: Portal, http: httpx.AsyncClient
) -> None:
    """A cluster must be no worse than one process: no lead twice because two nodes work, none lost because one dies."""
    environment = {"LEADGATE_DATABASE_URL": postgres_database}
    runner = (*RUNNER, "--lease", LEASE_S)
    first = Gateway(tmp_path / "first", environment=environment, runner=runner)
    async with first:
        await first.ask("init", "--workspace-name", "Салон «Лимон»")
        shutil.copytree(first.data, tmp_path / "second")
        async with Gateway(tmp_path / "second", environment=environment, runner=runner) as second:
            secrets = {"webhook_url": portal.webhook_url}
            crm = await first.connect("bitrix24", "CRM", secrets=secrets, quiet_time_s="1", timeout_s="5")
            bot = await first.connect("bot", "Бот")
            await first.start("--role", "intake")
            worker = await first.launch("run", "--role", "worker", "--listen", "127.0.0.1:0", "--json")
            await second.start("--role", "worker")
            await worker.line(lambda: worker.log(READY), what=READY)
            sender = BotSender(http, first.url + bot["webhook_path"], bot["webhook_secret"])
            salon = Salon(first, portal, sender, crm["connection"], bot["connection"])
            assert (await http.post(second.url + bot["webhook_path"], content=b"{}")).status_code in {401, 404}
            portal.sandbox.faults.add("drop-answer", probability=0.3, seed=1, method="crm.item.add")

            campaign = Campaign(salon, people=12)
            await campaign.send_all(12, over_s=1.0)
            await until(lambda: worker.log("delivery.attempted") or second.running, what="work")
            await worker.end(signal.SIGKILL)
            await campaign.send_all(24, over_s=1.0)
            await campaign.arrived(timeout_s=60)
            await salon.idle()

            assert len(campaign.acknowledged) == 24
            assert campaign.doubles() == []
            duplicate = await sender.post(lead(1), webhook_id="msg_same")
            again = await sender.post(lead(1), webhook_id="msg_same")
            assert (duplicate.json()["status"], again.json()["status"]) == ("accepted", "duplicate")
            await salon.portal.having(13)
            await salon.idle()
            portal.sandbox.faults.clear()
            balance = await salon.balanced()
            assert (balance["received"], balance["in_crm"], balance["waiting"]) == (25, 25, 0)
            assert await second.stop() == 0
            assert await first.stop() == 0
