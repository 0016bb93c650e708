"""Three nodes on one PostgreSQL with the leases of the product: one freezes and wakes, one is killed, all are restarted in turn."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from leadgate.testing.gateway import READY, Gateway, Running
from leadgate.testing.waiting import until
from tests.e2e.conftest import Portal, Salon
from tests.e2e.sender import BotSender
from tests.e2e.test_kill import Campaign

TAKEN_OVER_S = 15.0
"""The promise for a node that dies or freezes (the lease is ten seconds)."""


@dataclass
class Cluster:
    """An intake node and two workers, each with a data directory of its own."""

    salon: Salon
    nodes: list[Gateway]

    @property
    def workers(self) -> list[Gateway]:
        return self.nodes[1:]

    async def busy_worker(self) -> Gateway:
        """The worker that sends to the CRM now."""
        counts = [attempts(node) for node in self.workers]

        def busy() -> list[Gateway]:
            return [node for node, before in zip(self.workers, counts, strict=True) if attempts(node) > before]

        return (await until(busy, what="a worker that sends"))[0]

    async def start(self, node: Gateway, role: str) -> None:
        running = await node.launch("run", "--role", role, "--listen", "127.0.0.1:0", "--json")
        ready = await running.line(lambda: running.log(READY), what=READY)
        node.running, node.url = running, f"http://{ready[0]['listen']}"
        if role == "intake":
            self.salon.bot.url = node.url + "/" + self.salon.bot.url.split("/", 3)[3]


def process_of(node: Gateway) -> Running:
    """The node's process of now."""
    assert node.running is not None
    return node.running


def attempts(node: Gateway) -> int:
    """How often this node's process tried to deliver to the CRM."""
    return len(process_of(node).log("delivery.attempted"))


@pytest.fixture
async def cluster(
    tmp_path: Path, postgres_database: str, portal: Portal, http: httpx.AsyncClient
) -> AsyncIterator[Cluster]:
    """Made as `docs/howto/cluster.md` says: `init` once, then the directory is copied."""
    environment = {"LEADGATE_DATABASE_URL": postgres_database}
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(Gateway(tmp_path / "1", environment=environment))
        await first.ask("init", "--workspace-name", "Салон «Лимон»")
        nodes = [first]
        for number in (2, 3):
            shutil.copytree(first.data, tmp_path / str(number))
            nodes.append(await stack.enter_async_context(Gateway(tmp_path / str(number), environment=environment)))
        secrets = {"webhook_url": portal.webhook_url}
        crm = await first.connect("bitrix24", "CRM", secrets=secrets, quiet_time_s="1", timeout_s="5")
        bot = await first.connect("bot", "Бот")
        sender = BotSender(http, "http://127.0.0.1:1" + bot["webhook_path"], bot["webhook_secret"])
        made = Cluster(Salon(first, portal, sender, crm["connection"], bot["connection"]), nodes)
        await made.start(first, "intake")
        for worker in made.workers:
            await made.start(worker, "worker")
        yield made
        for node in nodes:
            if not process_of(node).has_ended:
                assert await node.stop() == 0


async def taken_over(cluster: Cluster, successor: Gateway) -> float:
    """Seconds until the other worker sends."""
    before, started = attempts(successor), time.monotonic()
    await until(lambda: attempts(successor) > before, what="the other worker takes over", timeout_s=TAKEN_OVER_S)
    return time.monotonic() - started


@pytest.mark.timeout(240)
async def test_a_cluster_outlives_a_frozen_and_a_killed_node_and_a_rolling_restart(cluster: Cluster) -> None:
    """Whatever happens to one machine, the others go on within fifteen seconds, and nothing is lost or doubled."""
    salon = cluster.salon
    salon.portal.sandbox.faults.add("drop-answer", probability=0.2, seed=3, method="crm.item.add")
    campaign = Campaign(salon, people=60)
    sending = asyncio.create_task(campaign.send_all(240, over_s=50.0))

    frozen = await cluster.busy_worker()
    other = next(node for node in cluster.workers if node is not frozen)
    process_of(frozen).process.send_signal(signal.SIGSTOP)
    assert await taken_over(cluster, other) < TAKEN_OVER_S
    process_of(frozen).process.send_signal(signal.SIGCONT)

    await other.kill()
    assert await taken_over(cluster, frozen) < TAKEN_OVER_S
    await cluster.start(other, "worker")

    for node, role in ((cluster.nodes[1], "worker"), (cluster.nodes[2], "worker"), (cluster.nodes[0], "intake")):
        assert await node.stop() == 0
        await cluster.start(node, role)

    await sending
    salon.portal.sandbox.faults.clear()
    await campaign.arrived(timeout_s=90)
    await salon.idle(timeout_s=90)
    assert len(campaign.acknowledged) == 240
    assert campaign.doubles() == []
    balance = await salon.balanced()
    assert (balance["received"], balance["in_crm"], balance["waiting"]) == (240, 240, 0)
