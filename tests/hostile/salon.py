"""The house under attack: a real process with every kind connected, a sandbox portal, and what its senders know to prove."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from leadgate.app import open_app
from leadgate.model.secret import Secret
from leadgate.sandbox.bitrix24 import Limits, build_sandbox, serve
from leadgate.settings import read_settings
from leadgate.testing.gateway import Gateway
from tests.e2e.messengers import MESSENGERS, Messenger
from tests.e2e.sender import BotSender
from tests.e2e.visitor import ORIGIN

NOBODY = "http://127.0.0.1:9"
"""Where the messengers' servers would be: what the bot answers to the genuine messages waits."""


@dataclass(slots=True)
class Salon:
    """What an attacker sees, and what he does not.

    Attributes:
        paths: the webhook address of each kind.
        secrets: the webhook secret of each messenger's connection; only genuine senders use it.
        accepted: how many of ours were answered with 2xx, by kind; the house's own count must say the same.
    """

    gateway: Gateway
    client: httpx.AsyncClient
    paths: dict[str, str]
    secrets: dict[str, str]
    bot: BotSender
    messengers: dict[str, Messenger]
    accepted: dict[str, int] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.gateway.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def took(self, kind: str) -> None:
        """A request of ours was taken."""
        self.accepted[kind] = self.accepted.get(kind, 0) + 1

    def rss_mib(self) -> float:
        """Memory of the gateway's process."""
        running = self.gateway.running
        assert running is not None
        return float(psutil.Process(running.process.pid).memory_info().rss) / 2**20

    async def metrics(self) -> dict[str, float]:
        """The house's own counts."""
        text = (await self.client.get(f"{self.gateway.url}/metrics")).text
        rows = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in rows}


@contextlib.asynccontextmanager
async def open_salon(folder: Path) -> AsyncIterator[Salon]:
    """`init`, every kind connected, `run`; all of it ends with the block."""
    raise_file_limit()
    sandbox = build_sandbox(limits=Limits.off())
    async with (
        serve(sandbox, "127.0.0.1", 0) as portal,
        Gateway(folder / "data") as gateway,
        httpx.AsyncClient(timeout=60.0, limits=httpx.Limits(max_connections=64)) as client,
    ):
        await gateway.ask("init", "--workspace-name", "Салон «Лимон»")
        paths, secrets = await _connect(gateway, sandbox.webhook_url(portal))
        await gateway.start()
        bot = BotSender(client, gateway.url + paths["bot"], secrets["bot"])
        yield Salon(gateway, client, paths, secrets, bot, {one.kind: one() for one in MESSENGERS})


def raise_file_limit() -> None:
    """A flood needs more open files than a program usually has."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _connect(gateway: Gateway, webhook_url: str) -> tuple[dict[str, str], dict[str, str]]:
    wishes: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "bitrix24": ({"quiet_time_s": "1"}, {"webhook_url": webhook_url}),
        "bot": ({}, {}),
        "site": ({"allowed_origins": ORIGIN}, {}),
    }
    for kind in MESSENGERS:
        one = kind()
        wishes[one.kind] = ({**one.settings(), "api_base": NOBODY}, dict(one.secrets()))
    paths, secrets = {}, {}
    async with open_app(read_settings(data=gateway.data)) as app:
        for name, (settings, given) in wishes.items():
            made = await app.connections.connect(
                name,
                name=name,
                settings=settings,
                secrets={key: Secret(value) for key, value in given.items()},
                check=False,
                by="test",
            )
            paths[name] = made.webhook_path
            secrets[name] = "" if made.webhook_secret is None else made.webhook_secret.reveal()
    return paths, secrets
