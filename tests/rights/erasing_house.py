"""A whole house in one process: real database, sandbox portal, a messenger's double, and people who write to it."""

import base64
import itertools
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leadgate.app import App, open_app
from leadgate.app.initialise import initialise
from leadgate.integrations.bot.sign import sign_lead
from leadgate.model.secret import Secret
from leadgate.model.webhooks import RawWebhook
from leadgate.ports.stores import Transaction
from leadgate.sandbox.bitrix24.sandbox import Sandbox, build_sandbox
from leadgate.sandbox.bitrix24.server import serve
from leadgate.settings import Settings, read_settings
from leadgate.system import SystemClock, SystemIds
from leadgate.testing.telegram_server import TelegramServer

ALSU = {"name": "Алсу Меткина", "phone": "+79004711901", "email": "alsu4711@example.org"}
ALSU_IN_TELEGRAM = 5_900_004_711
OLEG = {"name": "Олег Другов", "phone": "+79004711902"}


@dataclass(slots=True)
class Salon:
    """«Лимон», its portal and its messenger."""

    app: App
    sandbox: Sandbox
    telegram: TelegramServer
    settings: Settings
    crm: str = ""
    bot: str = ""
    chat: str = ""
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def portal_text(self) -> str:
        """Everything that the portal holds."""
        portal = self.sandbox.portal
        records = [*portal.leads, *portal.deals, *portal.contacts]
        said = [comment.text for comment in portal.comments.values()]
        return json.dumps(
            [[str(record.values), [entry.value for entry in record.multifields]] for record in records] + [said],
            ensure_ascii=False,
        )

    async def asks(self, contact: Mapping[str, str], message: str, *, webhook_id: str | None = None) -> str:
        """A request comes from the bot builder; the event's id."""
        opened = self.app.book.find(self.bot)
        assert opened is not None
        secret = opened.secrets["signing_secret"][0].reveal()
        body, headers = sign_lead(
            {"channel": "instagram", "contact": dict(contact), "message": message},
            secret=secret,
            webhook_id=webhook_id or f"msg_{next(self.numbers)}",
            at=self.app.clock.now(),
        )
        return await self._receive(self.bot, body, headers)

    async def writes(self, text: str, *, sender: int = ALSU_IN_TELEGRAM) -> str:
        """Somebody writes to the salon's bot in Telegram; the event's id."""
        number = next(self.numbers)
        person = {"id": sender, "is_bot": False, "first_name": "Алсушка", "username": "alsu_metka"}
        message = {
            "message_id": number,
            "from": person,
            "chat": {"id": sender, "type": "private"},
            "date": int(self.app.clock.now().timestamp()),
            "text": text,
        }
        opened = self.app.book.find(self.chat)
        assert opened is not None
        secret = opened.secrets["webhook_secret"][0].reveal()
        headers = {"x-telegram-bot-api-secret-token": secret}
        return await self._receive(self.chat, json.dumps({"update_id": number, "message": message}).encode(), headers)

    async def _receive(self, connection_id: str, body: bytes, headers: Mapping[str, str]) -> str:
        opened = self.app.book.find(connection_id)
        assert opened is not None
        receiver = self.app.book.integration(opened.connection.kind).receiver
        assert receiver is not None
        receipt = await self.app.intake.receive(receiver, RawWebhook("POST", dict(headers), body), opened)
        return receipt.event_id

    async def whose(self, contact: Mapping[str, str]) -> str | None:
        """The subject that this phone belongs to."""
        index = self.app.vault.index(self.app.workspace.workspace_id, "phone", contact["phone"])
        return await self.app.storage.read(lambda tx: tx.subjects.find_by("phone", index))

    async def whose_chat(self, sender: int = ALSU_IN_TELEGRAM) -> str | None:
        """The subject that this messenger's id belongs to."""
        index = self.app.vault.index(self.app.workspace.workspace_id, "sender:telegram", str(sender))
        return await self.app.storage.read(lambda tx: tx.subjects.find_by("sender:telegram", index))

    async def alsu_comes_by_two_ways(self) -> str:
        """A form and a chat, known to be one person; the subject that stands for her."""
        await self.asks(ALSU, "Запишите на заветную-стрижку")
        await self.writes("Здравствуйте, это тайное-желание")
        await self.app.settle()
        one, other = await self.whose(ALSU), await self.whose_chat()
        assert one
        assert other
        assert one != other
        turns = self.app.turns
        identities = turns.reach._identities  # noqa: SLF001 -- the one that the house uses
        await self.app.storage.write(
            lambda tx: identities.join(tx, other, one, reason="invitation", at=self.app.clock.now())
        )
        return one

    async def wake_portal(self) -> None:
        """The portal is well again, and looked at now."""
        self.sandbox.faults.clear()

        def unit(tx: Transaction) -> None:
            now = self.app.clock.now()
            tx.lanes.bring_forward(now=now, lease_limit=now, lease_until=now)
            tx.deliveries.bring_forward(now=now)

        await self.app.storage.write(unit)
        await self.app.settle()
        await self.app.erasing.follow()


@asynccontextmanager
async def open_salon(folder: Path, database_url: str | None = None) -> AsyncIterator[Salon]:
    """A house with a portal, a bot builder and Telegram connected; nothing runs but what a test says."""
    environment = {} if database_url is None else {"LEADGATE_DATABASE_URL": database_url}
    settings = read_settings(data=folder / "data", environment=environment)
    clock, ids = SystemClock(), SystemIds()
    with initialise(settings, name="Лимон", locale="ru", time_zone="Europe/Moscow", clock=clock, ids=ids) as made:
        made.confirm_shown()
    sandbox = build_sandbox(webhook_secret="inventedsecret4711")
    async with serve(sandbox) as base, TelegramServer() as telegram, open_app(settings) as app:
        salon = Salon(app, sandbox, telegram, settings)

        async def connect(kind: str, secrets: Mapping[str, str], **more: str) -> str:
            made = await app.connections.connect(
                kind,
                name=kind,
                settings=more,
                secrets={name: Secret(value) for name, value in secrets.items()},
                check=False,
                by="command",
            )
            return made.connection_id

        url = {"webhook_url": sandbox.webhook_url(base)}
        salon.crm = await connect("bitrix24", url, quiet_time_s="1", timeout_s="2")
        salon.bot = await connect("bot", {})
        salon.chat = await connect("telegram", {"bot_token": telegram.token}, api_base=telegram.base)
        await app.book.refresh(force=True)
        yield salon


def spellings(mark: str) -> Iterator[bytes]:
    """A mark as it may lie in a file."""
    for text in {mark, mark.lower(), mark.upper()}:
        raw = text.encode()
        yield raw
        yield text.encode("utf-16-le")
        yield json.dumps(text)[1:-1].encode()
        yield raw.hex().encode()
        for cut in range(3):  # base64 of a longer text that holds the mark at any place
            coded = base64.b64encode(b"\0" * cut + raw)[4 if cut else 0 :].rstrip(b"=")
            yield coded[:-2] if len(coded) > 12 else coded


def hunt(folder: Path, marks: Mapping[str, str | bytes]) -> dict[str, list[str]]:
    """Names of the marks by file; every byte of the folder is looked at."""
    hits: dict[str, list[str]] = {}
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for name, mark in marks.items():
            written: Any = [mark] if isinstance(mark, bytes) else spellings(mark)
            if any(each in content for each in written):
                hits.setdefault(path.name, []).append(name)
    return hits
