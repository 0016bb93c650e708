"""A client writes to the salon's bot in Telegram, in Russian, and the salon gets one readable lead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from leadgate.testing.telegram_server import TelegramServer
from tests.e2e.conftest import Salon

CLIENT = {"id": 5900000201, "is_bot": False, "first_name": "Алсу", "username": "alsu_demo", "language_code": "ru"}


class Client:
    """One person with one bot: what she sends goes to our webhook, what she sees is what the double was given."""

    def __init__(self, server: TelegramServer, salon: Salon, made: dict[str, str]) -> None:
        self.server = server
        self.salon = salon
        self.made = made
        self.waits_ms: list[float] = []
        self._update_id = 880000

    async def write(self, text: str, *, answers: int = 1) -> str:
        """Send a text (a press of a button of the keyboard does the same), wait for the answers, return the last one's words."""
        entities = [{"type": "bot_command", "offset": 0, "length": 6}] if text.startswith("/") else []
        return await self._exchange({"text": text, **({"entities": entities} if entities else {})}, answers=answers)

    async def share_contact(self, phone: str) -> str:
        """Press the button that shares her own number."""
        contact = {"phone_number": phone, "first_name": CLIENT["first_name"], "user_id": CLIENT["id"]}
        return await self._exchange({"contact": contact})

    async def deliver(self, update: dict[str, Any]) -> httpx.Response:
        """What Telegram does."""
        return await self.salon.bot.client.post(
            self.salon.gateway.url + self.made["webhook_path"],
            json=update,
            headers={"X-Telegram-Bot-Api-Secret-Token": self.made["webhook_secret"]},
        )

    async def _exchange(self, content: dict[str, Any], *, answers: int = 1) -> str:
        self._update_id += 1
        chat = {"id": CLIENT["id"], "first_name": CLIENT["first_name"], "type": "private"}
        message = {"message_id": self._update_id, "from": CLIENT, "chat": chat, "date": int(time.time()), **content}
        before = len(self.server.sent)
        self.server.reached.clear()
        started_s = time.perf_counter()
        answer = await self.deliver({"update_id": self._update_id, "message": message})
        assert answer.status_code == 200, answer.text
        async with asyncio.timeout(20):
            while len(self.server.sent) < before + answers:
                await self.server.reached.wait()
                self.server.reached.clear()
        self.waits_ms.append((time.perf_counter() - started_s) * 1000)
        return str(self.server.sent[-1]["text"])


@pytest.fixture
async def client(salon: Salon) -> AsyncIterator[Client]:
    """A bot is connected and the running gateway has noticed it."""
    async with TelegramServer() as server:
        secrets = {"bot_token": server.token}
        made = await salon.gateway.connect("telegram", "Бот", secrets=secrets, check=False, api_base=server.base)
        client = Client(server, salon, made)
        await salon.heard(made["webhook_path"])
        yield client


@pytest.mark.parametrize("way", ["typed", "button"])
async def test_a_client_is_led_from_hello_to_one_readable_lead(client: Client, salon: Salon, way: str) -> None:
    """The client needs five messages and no form; the manager reads one history and knows whom to call."""
    consent = await client.write("/start", answers=2)
    assert "отзываю согласие" in consent
    assert client.server.said[-1].buttons == ("Даю согласие", "Не даю")
    assert "Как к вам обращаться" in await client.write("Даю согласие")
    assert "на какой номер" in (await client.write("Алсу")).lower()
    keyboard = client.server.sent[-1]["reply_markup"]
    assert isinstance(keyboard, dict)
    assert keyboard["keyboard"][0][0]["request_contact"] is True
    shared = client.write("мой 8 900 000-02-01") if way == "typed" else client.share_contact("79000000201")
    assert "Что и когда" in await shared
    done = await client.write("Маникюр, в четверг после шести")
    assert "+7 900 000-02-01" in done
    assert "Передали" in await client.write("и если можно к Марине")

    shown = await salon.portal.with_entry("к Марине")
    (only,) = salon.portal.leads()
    assert only["id"] == shown["id"]
    assert (only["name"], only["phone"]) == ("Алсу", "+79000000201")
    assert "telegram" in (only["title"] + only["source_description"]).lower()
    written = [entry["text"] for entry in only["timeline"]]
    assert next(text for text in written if "после шести" in text).startswith("Алсу · Telegram · ")
    places = [
        next(number for number, text in enumerate(written) if words in text) for words in ("Алсу\n", "шести", "Марине")
    ]
    assert places == sorted(places)
    assert len(written) == len(set(written))
    worst, middle = max(client.waits_ms), sorted(client.waits_ms)[len(client.waits_ms) // 2]
    print(f"reply handed over after {middle:.0f} ms (median), {worst:.0f} ms (worst) of {len(client.waits_ms)}")  # noqa: T201 - a figure for people
    assert (await salon.balanced())["waiting"] == 0


async def test_a_repeated_update_is_answered_once(client: Client) -> None:
    """Telegram repeats an update whose answer it missed; a bot that greets twice looks broken."""
    await client.write("/start", answers=2)
    await client.write("Даю согласие")
    chat = {"id": CLIENT["id"], "type": "private"}
    message = {"message_id": 1, "from": CLIENT, "chat": chat, "date": int(time.time()), "text": "Алсу"}
    update = {"update_id": 990001, "message": message}
    first = await client.deliver(update)
    again = await client.deliver(update)
    assert (first.status_code, again.status_code) == (200, 200)
    await client.write("8 900 000-02-02")
    assert [one["text"] for one in client.server.sent if "На какой номер" in str(one["text"])] == [
        client.server.sent[3]["text"]
    ]
