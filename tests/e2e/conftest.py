"""A salon that runs: a real process, a sandbox portal on a real socket, a bot builder that signs."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadgate.sandbox.bitrix24 import Limits, Sandbox, build_sandbox, serve
from leadgate.testing.gateway import COMMAND, Gateway
from leadgate.testing.waiting import until
from tests.e2e.sender import BotSender
from tests.e2e.visitor import ORIGIN

QUIET_TIME_S = "1"
PORTAL_SECRET = "markedportalsecret4711"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A data directory made once by the real commands; every test works on a copy of its own.

    Attributes:
        port: where the CRM will be; no number that the system gives to others by itself.
    """

    data: Path
    port: int
    crm: dict[str, str]
    bot: dict[str, str]
    site: dict[str, str]
    made: dict[str, Any]


@dataclass(slots=True)
class Portal:
    """The sandbox, as a test sees and breaks it."""

    sandbox: Sandbox
    url: str

    @property
    def webhook_url(self) -> str:
        """The address that a connection takes; a secret."""
        return self.sandbox.webhook_url(self.url)

    def leads(self) -> list[dict[str, Any]]:
        """Leads and deals, oldest first."""
        from leadgate.sandbox.bitrix24.views import leads  # noqa: PLC0415 - the views are the sandbox's own business

        return [dict(lead) for lead in reversed(leads(self.sandbox.portal))]

    async def having(self, count: int, *, timeout_s: float = 30.0) -> list[dict[str, Any]]:
        """Wait for so many leads."""

        def enough() -> list[dict[str, Any]]:
            found = self.leads()
            return found if len(found) >= count else []

        return await until(enough, what=f"{count} leads in the portal", timeout_s=timeout_s)

    async def with_entry(self, words: str, *, timeout_s: float = 30.0) -> dict[str, Any]:
        """Wait until these words stand in the timeline of a lead; returns the lead."""

        def find() -> dict[str, Any]:
            found = [one for one in self.leads() if any(words in entry["text"] for entry in one["timeline"])]
            return found[0] if found else {}

        return await until(find, what=f"an entry with {words!r}", timeout_s=timeout_s)

    async def call(self, http: httpx.AsyncClient, method: str, params: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """What an employee or another program does in the portal."""
        answer = await http.post(f"{self.webhook_url}{method}", json=params)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    async def close(self, http: httpx.AsyncClient, lead: dict[str, Any]) -> None:
        """An employee closes the lead."""
        fields = {"stageId": "JUNK"}
        await self.call(http, "crm.item.update", {"entityTypeId": 1, "id": lead["id"], "fields": fields})


@dataclass(slots=True)
class Salon:
    """A running salon with a CRM and a bot builder."""

    gateway: Gateway
    portal: Portal
    bot: BotSender
    crm: str
    bot_connection: str

    async def restart(self) -> None:
        """Start the gateway again on whatever port is free."""
        await self.gateway.start()
        self.bot.url = f"{self.gateway.url}/webhooks/bot/{self.bot_connection}"

    async def heard(self, path: str) -> None:
        """Wait until the running gateway knows a connection that a command made (the contract allows 15 s)."""

        async def is_known() -> bool:
            return (await self.bot.client.post(self.gateway.url + path, content=b"{}")).status_code != 404

        await until(is_known, what=f"{path} is served", timeout_s=15)

    async def unfinished(self) -> list[dict[str, Any]]:
        """Deliveries among the newest on which work goes on."""
        items = (await self.gateway.ask("deliveries", "list", "--limit", "500"))["items"]
        return [item for item in items if item["state"] not in {"done", "discarded", "dead", "uncertain"}]

    async def idle(self, *, timeout_s: float = 40.0) -> None:
        """Wait until nothing is left to deliver."""

        async def nothing_left() -> bool:
            return not await self.unfinished()

        await until(nothing_left, what="nothing left to deliver", timeout_s=timeout_s)

    async def crm_view(self) -> dict[str, Any]:
        """The CRM's connection as `connections show` tells it."""
        return dict(await self.gateway.ask("connections", "show", self.crm))

    async def balanced(self) -> dict[str, Any]:
        """`reconcile`, which must find nothing wrong."""
        finished = await self.gateway.command("reconcile", "--json")
        assert finished.code == 0, finished.out + finished.err
        return dict(finished.json())


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """`init` and `connect`, once for all tests: they cost a second each."""
    data, port = tmp_path_factory.mktemp("prepared") / "data", find_port()
    environment = {**os.environ, "LEADGATE_DATA": str(data)}

    def ask(*arguments: str, secrets: dict[str, str] | None = None) -> dict[str, Any]:
        options = ("--json",) if secrets is None else ("--json", "--secrets-file", "-")
        content = json.dumps(secrets or {}).encode()
        command = [*COMMAND, *arguments, *options]
        done = subprocess.run(command, env=environment, input=content, capture_output=True, check=True)
        return dict(json.loads(done.stdout))

    made = ask("init", "--workspace-name", "Салон «Лимон»")
    pairs = ("--setting", f"quiet_time_s={QUIET_TIME_S}", "--no-check")
    address = {"webhook_url": f"http://127.0.0.1:{port}/rest/1/{PORTAL_SECRET}/"}
    crm = ask("connect", "bitrix24", "--name", "CRM", *pairs, secrets=address)
    bot = ask("connect", "bot", "--name", "Конструктор")
    site = ask("connect", "site", "--name", "Сайт", "--setting", f"allowed_origins={ORIGIN}")
    return Prepared(data, port, crm, bot, site, made)


def find_port() -> int:
    """A free port below those that the system hands out (32768 and up), so that it stays free between tests.

    Runs of tests beside each other look in ranges of their own: a port is free until its server starts.
    """
    first = 20000 + 1000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10)
    for port in random.SystemRandom().sample(range(first, first + 1000), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError(f"no free port between {first} and {first + 1000}")


@pytest.fixture
async def gateway(prepared: Prepared, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A copy of the prepared house; nothing runs yet."""
    data = tmp_path / "data"
    shutil.copytree(prepared.data, data)
    async with Gateway(data) as made:
        yield made
    print(made.printed()[-20000:])  # noqa: T201 - pytest shows it beside a failure


@pytest.fixture
async def portal(prepared: Prepared) -> AsyncIterator[Portal]:
    """A sandbox portal without limits, where the prepared house looks for its CRM."""
    sandbox = build_sandbox(limits=Limits.off(), webhook_secret=PORTAL_SECRET)
    async with serve(sandbox, "127.0.0.1", prepared.port) as url:
        yield Portal(sandbox, url)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client for everything."""
    async with httpx.AsyncClient(timeout=30.0) as client:
        yield client


@pytest.fixture
async def idle_salon(gateway: Gateway, portal: Portal, prepared: Prepared, http: httpx.AsyncClient) -> Salon:
    """CRM, bot and site are connected; the gateway is not started yet."""
    bot = BotSender(http, "", prepared.bot["webhook_secret"])
    return Salon(gateway, portal, bot, prepared.crm["connection"], prepared.bot["connection"])


@pytest.fixture
async def salon(idle_salon: Salon) -> Salon:
    """The same, started."""
    await idle_salon.restart()
    return idle_salon
