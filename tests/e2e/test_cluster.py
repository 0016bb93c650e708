"""Three nodes on one PostgreSQL with the leases of the product: frozen, killed, and restarted in turn with a full queue."""

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
import psycopg
import pytest

from leadgate.testing.gateway import READY, Gateway, Running
from leadgate.testing.waiting import until
from tests.e2e.conftest import Portal, Salon
from tests.e2e.sender import BotSender
from tests.e2e.test_kill import Campaign

TAKEN_OVER_S = 15.0
"""The promise for a node that dies or freezes (the lease is ten seconds)."""
LEASE_LEFT_S = 5.0
"""A living holder renews every third of the lease: whoever takes over sooner did not have to wait for it."""
LEADS, QUEUED = 240, 80
_HOLDER = "SELECT split_part(holder, ':', 2) FROM lanes WHERE lane LIKE 'crm:%' AND holder IS NOT NULL"
_SENDING = "SELECT count(*) FROM deliveries WHERE state = 'sending'"
_OPEN = "SELECT count(*) FROM deliveries WHERE state IN ('waiting', 'sending', 'unknown')"


@dataclass
class Cluster:
    """An intake node and two workers, each with a data directory of its own."""

    salon: Salon
    nodes: list[Gateway]
    database: str

    @property
    def intake(self) -> Gateway:
        return self.nodes[0]

    @property
    def workers(self) -> list[Gateway]:
        return self.nodes[1:]

    def other(self, worker: Gateway) -> Gateway:
        """The worker beside this one."""
        return next(node for node in self.workers if node is not worker)

    def ask(self, question: str) -> int:
        """A number from the database, past the product; 0 when there is none."""
        with psycopg.connect(self.database.replace("+psycopg", "")) as connection:
            row = connection.execute(question.encode()).fetchone()
        return int(row[0]) if row else 0

    def holds(self, worker: Gateway) -> bool:
        """Whether this worker's process holds the portal's lane."""
        return self.ask(_HOLDER) == process_of(worker).process.pid

    async def caught_sending(self) -> Gateway:
        """A worker that holds the portal's lane and has a request under way."""

        def caught() -> list[Gateway]:
            return [node for node in self.workers if self.holds(node) and self.ask(_SENDING)]

        return (await until(caught, what="a worker that sends", timeout_s=30))[0]

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
        made = Cluster(Salon(first, portal, sender, crm["connection"], bot["connection"]), nodes, postgres_database)
        await made.start(first, "intake")
        for worker in made.workers:
            await made.start(worker, "worker")
        yield made
        for node in nodes:
            if not process_of(node).has_ended:
                assert await node.stop() == 0


async def strike_while_it_sends(cluster: Cluster, number: signal.Signals) -> Gateway:
    """A signal to the worker that has a request under way; the other must send within fifteen seconds, and not before time."""
    faults = cluster.salon.portal.sandbox.faults
    slow = faults.add("slow", delay_s=2.0)
    struck = await cluster.caught_sending()
    successor = cluster.other(struck)
    before = attempts(successor)
    process_of(struck).process.send_signal(number)
    started_s = time.monotonic()
    assert cluster.holds(struck), "its lease must stand in the way"
    faults.remove(slow.id)
    await until(lambda: attempts(successor) > before, what="the other worker takes over", timeout_s=TAKEN_OVER_S)
    assert LEASE_LEFT_S < time.monotonic() - started_s < TAKEN_OVER_S
    return struck


async def restart_in_turn_with_a_full_queue(cluster: Cluster, campaign: Campaign) -> None:
    """The portal is down and leads wait; every process is another one before it answers again."""
    portal = cluster.salon.portal
    portal.sandbox.faults.add("down")
    await asyncio.gather(*(campaign.send(number) for number in range(LEADS, LEADS + QUEUED)))
    await until(lambda: cluster.ask(_OPEN) >= QUEUED, what="a full queue", timeout_s=30)
    stood = len(portal.leads())
    for node, role in zip(cluster.nodes, ("intake", "worker", "worker"), strict=True):
        assert await node.stop() == 0
        await cluster.start(node, role)
    assert (len(portal.leads()), cluster.ask(_OPEN) >= QUEUED) == (stood, True)
    portal.sandbox.faults.clear()


@pytest.mark.timeout(300)
async def test_a_cluster_outlives_frozen_and_killed_nodes_and_a_rolling_restart(cluster: Cluster) -> None:
    """Whatever happens to one machine, the others go on within fifteen seconds, and nothing is lost or doubled."""
    salon = cluster.salon
    salon.portal.sandbox.faults.add("drop-answer", probability=0.2, seed=3, method="crm.item.add")
    campaign = Campaign(salon, people=60)
    sending = asyncio.create_task(campaign.send_all(LEADS, over_s=45.0))

    frozen = await strike_while_it_sends(cluster, signal.SIGSTOP)
    process_of(frozen).process.send_signal(signal.SIGCONT)
    woken = process_of(frozen)
    await woken.line(lambda: woken.log("delivery.lease_lost"), what="the woken node finds its lease gone")

    killed = await strike_while_it_sends(cluster, signal.SIGKILL)
    assert await killed.kill() == -signal.SIGKILL
    await cluster.start(killed, "worker")

    await cluster.intake.kill()
    await cluster.start(cluster.intake, "intake")
    await sending

    await restart_in_turn_with_a_full_queue(cluster, campaign)
    await campaign.arrived(timeout_s=90)
    await salon.idle(timeout_s=90)
    assert len(campaign.acknowledged) == LEADS + QUEUED
    assert campaign.doubles() == []
    balance = await salon.balanced()
    assert (balance["received"], balance["in_crm"], balance["waiting"]) == (LEADS + QUEUED, LEADS + QUEUED, 0)
