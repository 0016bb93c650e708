"""A whole house in this process: a sandbox portal and a bot of Telegram on real sockets, a bot builder that signs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from standardwebhooks import Webhook

from leadgate.app import App, open_app
from leadgate.app.initialise import initialise
from leadgate.model.connections import OpenConnection
from leadgate.model.secret import Secret
from leadgate.model.webhooks import RawWebhook
from leadgate.sandbox.bitrix24 import Limits, Sandbox, build_sandbox, serve
from leadgate.settings import read_settings
from leadgate.system import SystemClock, SystemIds
from leadgate.testing.telegram_server import TelegramServer

BOT_TOKEN = "7000000077:DEMO-token"
TELEGRAM_ID = 5_900_000_301


@dataclass(slots=True)
class House:
    """«Лимон», with everything that it is connected to."""

    app: App
    sandbox: Sandbox
    portal_url: str
    telegram: TelegramServer
    connections: dict[str, str]
    numbers: count[int] = field(default_factory=lambda: count(1))

    def opened(self, kind: str) -> OpenConnection:
        """A connection with its secrets."""
        found = self.app.book.find(self.connections[kind])
        assert found is not None
        return found

    async def form(self, *, message: str = "Хочу на маникюр", channel: str = "site", **contact: str) -> str:
        """A bot builder posts a request, and everything that follows is done; returns the event's id."""
        event_id = await self.knock_form(message=message, channel=channel, **contact)
        await self.app.settle()
        return event_id

    async def knock_form(self, *, message: str, channel: str = "site", **contact: str) -> str:
        """A bot builder posts a request; nobody works on it yet."""
        body = {"channel": channel, "contact": contact, "message": message}
        body["consent"] = {"given_at": "2026-11-20T12:00:00+03:00", "policy_version": "2026-11-01"}
        content = json.dumps(body, ensure_ascii=False)
        opened = self.opened("bot")
        secret = opened.secret("signing_secret")
        assert secret is not None
        webhook_id, now = f"msg_{next(self.numbers)}", self.app.clock.now()
        signature = Webhook(secret.reveal()).sign(webhook_id, now, content)
        headers = {
            "content-type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }
        return await self._receive("bot", headers, content.encode())

    async def write(self, text: str, *, who: int = TELEGRAM_ID, name: str = "Алсу", **more: object) -> str:
        """A client writes in Telegram, and everything that follows is done; returns the event's id."""
        event_id = await self.knock(text, who=who, name=name, **more)
        await self.app.settle()
        return event_id

    async def knock(self, text: str, *, who: int = TELEGRAM_ID, name: str = "Алсу", **more: object) -> str:
        """A client writes in Telegram; nobody works on it yet."""
        number = next(self.numbers)
        person = {"id": who, "is_bot": False, "first_name": name, "language_code": "ru", **more}
        message = {"message_id": number, "from": person, "chat": {"id": who, "type": "private"}, "text": text}
        update = {"update_id": number, "message": {**message, "date": int(self.app.clock.now().timestamp())}}
        secret = self.opened("telegram").secret("webhook_secret")
        assert secret is not None
        headers = {"x-telegram-bot-api-secret-token": secret.reveal()}
        return await self._receive("telegram", headers, json.dumps(update).encode())

    async def _receive(self, kind: str, headers: dict[str, str], body: bytes) -> str:
        opened = self.opened(kind)
        receiver = self.app.book.integration(kind).receiver
        assert receiver is not None
        request = RawWebhook(method="POST", headers=headers, body=body)
        return (await self.app.intake.receive(receiver, request, opened)).event_id

    async def call(self, method: str, **params: object) -> Any:  # noqa: ANN401 - JSON
        """What an employee does, or sees, in the portal."""
        async with httpx.AsyncClient() as http:
            answer = await http.post(f"{self.sandbox.webhook_url(self.portal_url)}{method}", json=params)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    async def records(self, type_id: int) -> list[dict[str, Any]]:
        """Leads (1) or contacts (3) with all their fields."""
        found = await self.call("crm.item.list", entityTypeId=type_id, select=["*"], order={"id": "ASC"})
        return list(found["items"])

    async def join(self, one: str, into: str) -> None:
        """Two subjects are one person."""
        at = self.app.clock.now()
        identities = self.app.subjects._identities  # noqa: SLF001 - there is no page for it
        await self.app.storage.write(lambda tx: identities.join(tx, one, into, reason="test", at=at))

    async def subject(self, event_id: str) -> str:
        """Whose event it is."""
        event = await self.app.storage.read(lambda tx: tx.events.find(event_id))
        assert event is not None
        assert event.subject_id is not None
        return event.subject_id


def phones_of(record: dict[str, Any]) -> list[str]:
    """Phones of a record of the portal."""
    return [entry["value"] for entry in record["fm"] if entry["typeId"] == "PHONE"]


@asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[House]:
    """A fresh house."""
    settings = read_settings(data=folder / "data", environment={})
    clock, ids = SystemClock(), SystemIds()
    with initialise(settings, name="Лимон", locale="ru", time_zone="Europe/Moscow", clock=clock, ids=ids) as made:
        made.confirm_shown()
    sandbox = build_sandbox(limits=Limits.off())
    async with serve(sandbox, "127.0.0.1", 0) as url, TelegramServer(BOT_TOKEN) as telegram, open_app(settings) as app:
        secrets = {
            "bitrix24": ({"quiet_time_s": "1"}, {"webhook_url": Secret(sandbox.webhook_url(url))}),
            "telegram": ({"api_base": telegram.base}, {"bot_token": Secret(BOT_TOKEN)}),
            "bot": ({}, {}),
        }
        connections = {}
        for kind, (given, secret) in secrets.items():
            connected = await app.connections.connect(
                kind, name=kind, settings=given, secrets=secret, check=False, by="test"
            )
            connections[kind] = connected.connection_id
        await app.follow()
        yield House(app, sandbox, url, telegram, connections)
