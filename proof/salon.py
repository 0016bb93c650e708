"""A salon on trial: a data directory made by the product's own commands, a messenger, and where its CRM and its doors are."""

from __future__ import annotations

import json
import random
import socket
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from leadgate.testing.telegram_server import TelegramServer
from proof.lives import Life, Lives

PORTAL_SECRET = "proofportalsecret"
TELEGRAM_SECRET = "proof-webhook-secret"
_LOW, _HIGH = 10_000, 20_000
"""Ports below those that the system hands out by itself: ours stay free between two lives."""


@dataclass(slots=True)
class Salon:
    """What everybody who works on it must know.

    Attributes:
        port: of the gateway; the same in every life, as a proxy in front of it would have it.
        portal_port: where the CRM is expected.
        bot: address behind `http://host:port` where signed leads go.
        telegram: the same for updates of the messenger.
    """

    lives: Lives
    messenger: TelegramServer
    port: int
    portal_port: int
    bot: str
    bot_secret: str
    telegram: str

    @property
    def url(self) -> str:
        """The gateway's base address."""
        return f"http://127.0.0.1:{self.port}"

    async def run(
        self, *, cold: bool = False, strike: dict[str, object] | None = None, spoilt: str | None = None
    ) -> Life:
        """Start `leadgate run`; the options are those of `Lives.start`."""
        arguments = ("run", "--listen", f"127.0.0.1:{self.port}", "--json")
        return await self.lives.start(*arguments, cold=cold, strike=strike, spoilt=spoilt)


async def make_salon(lives: Lives, messenger: TelegramServer, *, quiet_time_s: float) -> Salon:
    """`init` and `connect`, with a CRM that is expected on a free port; no vendor is asked."""
    port, portal_port = free_ports(2)
    await lives.ask("init", "--workspace-name", "Салон «Лимон»")
    webhook_url = f"http://127.0.0.1:{portal_port}/rest/1/{PORTAL_SECRET}/"
    await _connect(lives, "bitrix24", {"webhook_url": webhook_url}, f"quiet_time_s={quiet_time_s}")
    bot = await _connect(lives, "bot", {})
    secrets = {"bot_token": messenger.token, "webhook_secret": TELEGRAM_SECRET}
    telegram = await _connect(lives, "telegram", secrets, f"api_base={messenger.base}")
    return Salon(
        lives=lives,
        messenger=messenger,
        port=port,
        portal_port=portal_port,
        bot=f"/webhooks/bot/{bot['connection']}",
        bot_secret=bot["webhook_secret"],
        telegram=telegram["webhook_path"],
    )


async def _connect(lives: Lives, kind: str, secrets: dict[str, str], *settings: str) -> dict[str, str]:
    file = lives.data.parent / f"{kind}.secrets"
    file.write_text(json.dumps(secrets), encoding="utf-8")
    pairs = [part for setting in settings for part in ("--setting", setting)]
    made: dict[str, str] = await lives.ask(
        "connect", kind, "--name", kind, "--no-check", "--secrets-file", str(file), *pairs
    )
    return made


def free_ports(count: int) -> list[int]:
    """Ports where nobody listens."""
    found: list[int] = []
    for port in random.SystemRandom().sample(range(_LOW, _HIGH), 200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no free port")


def deliveries(data: Path) -> Counter[tuple[str, str]]:
    """How many deliveries of each kind are in each state, by the database itself."""
    return _counts(data, "SELECT kind, state, count(*) FROM deliveries GROUP BY 1, 2")


def count_orphans(data: Path) -> int:
    """How many deliveries were under way when a process died."""
    counts = _counts(
        data,
        "SELECT error_code, outcome, count(*) FROM attempts WHERE error_code = 'delivery.holder_died' GROUP BY 1, 2",
    )
    return counts.total()


def is_idle(data: Path) -> bool:
    """Whether nothing is left to do."""
    events = _counts(data, "SELECT state, state, count(*) FROM events GROUP BY 1")
    open_states = {"waiting", "sending", "unknown", "received"}
    return not any(state in open_states for _, state in (*deliveries(data), *events))


def _counts(data: Path, statement: str) -> Counter[tuple[str, str]]:
    connection = sqlite3.connect(f"file:{data / 'leadgate.sqlite3'}?mode=ro", uri=True, timeout=10)
    try:
        return Counter({(kind, state): count for kind, state, count in connection.execute(statement)})
    finally:
        connection.close()
