"""Every kind of secret is replaced again and again while honest senders post about fifty times a second; refusals are counted.

The gateway is a real process. Another one replaces the secrets, as a command or another node does. Each double of a vendor signs
with what it was told last, as the vendor would; the bot builder signs with what was shown last, and one in three times with the
one before. Forged requests come in between: a door that lets everything pass would refuse nobody either.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from leadgate.app import App, open_app
from leadgate.model.renewals import Renewed
from leadgate.model.secret import Secret
from leadgate.settings import read_settings
from leadgate.testing.avito_server import AvitoServer
from leadgate.testing.gateway import Gateway
from leadgate.testing.max_server import MaxServer
from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.vk_server import VkServer
from tests.e2e.messengers import Avito, Max, Messenger, Posted, Telegram, Vk
from tests.e2e.sender import BotSender, lead

SENT_PER_S = 50
FORGED_EVERY = 10
DIFFERENT = 40
"""So many different messages of each sender; the others are redeliveries, so that the bot's own work stays small."""

OVERLAP = timedelta(seconds=60)
PUBLIC_URL = "https://leads.example"
WRONG = "wrong-secret-that-nobody-was-told"

Post = Callable[[int], Awaitable[httpx.Response]]
Replace = Callable[[int], Awaitable[object]]


@dataclass(slots=True)
class Result:
    """What was seen.

    Attributes:
        replaced: how often, by kind of secret.
        answers: to honest requests, by kind and status.
        forged: likewise to forged ones.
    """

    replaced: Counter[str] = field(default_factory=Counter)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    forged: Counter[tuple[str, int]] = field(default_factory=Counter)

    @property
    def refused(self) -> dict[tuple[str, int], int]:
        """Honest requests that were not taken."""
        return {key: count for key, count in self.answers.items() if not 200 <= key[1] < 300}

    @property
    def let_in(self) -> dict[tuple[str, int], int]:
        """Forged requests that were not refused."""
        return {key: count for key, count in self.forged.items() if key[1] != 401}

    def lines(self) -> list[str]:
        """For people."""
        sent, forged = sum(self.answers.values()), sum(self.forged.values())
        kinds = ", ".join(f"{name} {count}" for name, count in sorted(self.replaced.items()))
        return [
            f"replaced: {kinds}",
            f"honest requests: {sent}, refused: {sum(self.refused.values())} {self.refused or ''}".rstrip(),
            f"forged requests: {forged}, let in: {sum(self.let_in.values())} {self.let_in or ''}".rstrip(),
        ]


@dataclass(slots=True)
class Sender:
    """Somebody honest, and somebody who pretends to be them."""

    name: str
    post: Post
    forge: Post


async def run(folder: Path, *, count: int, per_s: int = SENT_PER_S) -> Result:
    """Replace each kind of secret so many times under load.

    Args:
        folder: for the data directory.
        count: of each kind.
        per_s: honest requests a second, of all senders together.
    """
    result = Result()
    async with contextlib.AsyncExitStack() as stack:
        environment = {"LEADGATE_PUBLIC_URL": PUBLIC_URL}
        gateway = await stack.enter_async_context(Gateway(folder / "data", environment=environment))
        await gateway.ask("init")
        (folder / "data" / "leadgate.toml").write_text(f'public_url = "{PUBLIC_URL}"\n', encoding="utf-8")
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=30.0, trust_env=False))
        app = await stack.enter_async_context(open_app(read_settings(data=folder / "data")))
        field_of = Field(app, client, gateway)
        for messenger in (Telegram(), Max(), Vk(), Avito()):
            await stack.enter_async_context(messenger.server)
            await field_of.connect(messenger)
        await field_of.connect_bot()
        await gateway.start()
        stop = asyncio.Event()
        traffic = [asyncio.create_task(flow(sender, field_of, result, stop, per_s)) for sender in field_of.senders]
        try:
            for number in range(count):
                for name, replace in field_of.replacements:
                    await replace(number)
                    result.replaced[name] += 1
        finally:
            stop.set()
            await asyncio.gather(*traffic)
    return result


async def flow(sender: Sender, field_of: Field, result: Result, stop: asyncio.Event, per_s: int) -> None:
    """Post in an even pace until `stop`, and forge now and then."""
    pause_s = len(field_of.senders) / per_s
    for number in itertools.count():
        answer = await sender.post(number)
        result.answers[sender.name, answer.status_code] += 1
        if number % FORGED_EVERY == 0:
            answer = await sender.forge(number)
            result.forged[sender.name, answer.status_code] += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause_s)
        if stop.is_set():
            return


class Field:
    """Connections, who posts to them, and what is replaced."""

    def __init__(self, app: App, client: httpx.AsyncClient, gateway: Gateway) -> None:
        self.app = app
        self.client = client
        self.gateway = gateway
        self.senders: list[Sender] = []
        self.replacements: list[tuple[str, Replace]] = []

    async def connect(self, messenger: Messenger) -> None:
        """A messenger whose webhook secret is replaced; Telegram's token as well."""
        connected = await self.app.connections.connect(
            messenger.kind,
            name=messenger.title,
            settings={**messenger.settings(), "api_base": messenger.server.base},
            secrets={name: Secret(value) for name, value in messenger.secrets().items()},
            check=True,
            by="campaign",
            foreign_reason="a test",
        )
        path = connected.webhook_path

        def posted(number: int, secret: str) -> Posted:
            return messenger.posted("Здравствуйте", number % DIFFERENT, secret)

        async def post(number: int) -> httpx.Response:
            return await self._send(path, *posted(number, told_to(messenger)))

        async def forge(number: int) -> httpx.Response:
            return await self._send(path, *posted(number, WRONG))

        async def rotate(_number: int) -> Renewed:
            return await self.app.secrets.rotate(
                f"{connected.connection_id}.webhook_secret", overlap=OVERLAP, by="campaign"
            )

        self.senders.append(Sender(messenger.kind, post, forge))
        self.replacements.append((f"{messenger.kind}.webhook_secret", rotate))
        if isinstance(messenger.server, TelegramServer):
            server = messenger.server

            async def reissue(number: int) -> object:
                server.token = f"7000000001:REISSUED-{number}"
                name = f"{connected.connection_id}.bot_token"
                return await self.app.secrets.set(name, {"value": Secret(server.token)}, overlap=OVERLAP, by="campaign")

            self.replacements.append(("telegram.bot_token", reissue))

    async def connect_bot(self) -> None:
        """A bot builder; whoever changes its key takes it over at once, but one in three requests was signed before."""
        connected = await self.app.connections.connect(
            "bot", name="Конструктор", settings={}, secrets={}, check=True, by="campaign"
        )
        made = connected.webhook_secret
        assert made is not None
        known = [made.reveal()] * 2
        name = f"{connected.connection_id}.signing_secret"

        async def post_signed(number: int, secret: str) -> httpx.Response:
            sender = BotSender(self.client, self.gateway.url + connected.webhook_path, secret)
            return await sender.post(lead(number % DIFFERENT), webhook_id=f"msg_{number % DIFFERENT}")

        async def post(number: int) -> httpx.Response:
            return await post_signed(number, known[-2 if number % 3 == 0 else -1])

        async def forge(number: int) -> httpx.Response:
            return await post_signed(number, "whsec_Zm9yZ2VkIGJ5IHNvbWVib2R5IHdobyBrbm93cyBub25lIQ==")

        async def rotate(_number: int) -> None:
            renewed = await self.app.secrets.rotate(name, overlap=OVERLAP, by="campaign")
            assert renewed.made is not None
            known.append(renewed.made.reveal())

        self.senders.append(Sender("bot", post, forge))
        self.replacements.append(("bot.signing_secret", rotate))

    async def _send(self, path: str, body: bytes, headers: dict[str, str], query: dict[str, str]) -> httpx.Response:
        return await self.client.post(self.gateway.url + path, content=body, headers=headers, params=query)


def told_to(messenger: Messenger) -> str:
    """What the vendor signs with: the secret that it was told last."""
    server: Any = messenger.server
    match server:
        case TelegramServer():
            return str(server.registration["secret_token"])
        case AvitoServer():
            (key,) = parse_qs(urlsplit(server.webhook).query).values()
            return key[0]
        case MaxServer() | VkServer():
            return server.secret
    raise TypeError(messenger.kind)
