"""Who writes to the salon: a bot builder that signs leads, and clients in the messenger. Each notes what was acknowledged.

Both behave as real senders do: without an answer, or with one that is no success, they send the same again under the same id.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook

from proof.salon import TELEGRAM_SECRET, Salon

_CONSENT = "Даю согласие"
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 0.4


@dataclass(frozen=True, slots=True)
class Sent:
    """Whose lead it was, and in which words."""

    phone: str
    words: str


@dataclass(slots=True)
class Acknowledged:
    """What the gateway said that it has.

    Attributes:
        leads: by the event id that the sender got.
        words: mark in the text of each chat message that belongs into a timeline, with its client's phone, in order.
        chat_entries: how many chat messages belong there, with and without a mark.
        clients: phones of the people of whom the salon must have one lead each.
        answers: how many chat messages the bot answers; `replies` with how many messages.
        posts: attempts of all senders.
    """

    leads: dict[str, Sent] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    chat_entries: int = 0
    clients: set[str] = field(default_factory=set)
    answers: int = 0
    replies: int = 0
    posts: int = 0

    @property
    def events(self) -> int:
        """All that was acknowledged, greetings included."""
        return len(self.leads) + self.answers


class Traffic:
    """Sends to one salon."""

    def __init__(self, salon: Salon, dice: random.Random) -> None:
        """Nothing is sent yet."""
        self.acknowledged = Acknowledged()
        self._salon = salon
        self._dice = dice
        self._http = httpx.AsyncClient(timeout=10.0, limits=httpx.Limits(max_connections=40), trust_env=False)
        self._update_id = 1000

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()

    async def send_lead(self, number: int, *, person: int) -> None:
        """One signed lead, repeated under the same id until it is acknowledged."""
        content = json.dumps(_lead(number, person), ensure_ascii=False)
        while True:
            moment = datetime.now(UTC)
            headers = {
                "content-type": "application/json",
                "webhook-id": f"msg_{number}",
                "webhook-timestamp": str(int(moment.timestamp())),
                "webhook-signature": Webhook(self._salon.bot_secret).sign(f"msg_{number}", moment, content),
            }
            answer = await self._post(self._salon.bot, content.encode(), headers)
            if answer is not None:
                self.acknowledged.leads[answer.json()["event"]] = Sent(_phone(person), _words(number))
                self.acknowledged.clients.add(_phone(person))
                return

    async def converse(self, client: int, texts: list[str]) -> None:
        """One client writes these texts one after the other; each is repeated as the same update until it is acknowledged."""
        for text in texts:
            await self.write(client, text)

    async def write(self, client: int, text: str) -> None:
        """One update of the messenger."""
        self._update_id += 1
        update = json.dumps(_update(self._update_id, client, text), ensure_ascii=False).encode()
        headers = {"content-type": "application/json", "x-telegram-bot-api-secret-token": TELEGRAM_SECRET}
        while await self._post(self._salon.telegram, update, headers) is None:
            pass
        self.acknowledged.answers += 1
        self.acknowledged.replies += (
            2 if text == "/start" else 1
        )  # the consent is a message of its own behind the greeting
        if text not in ("/start", _CONSENT):
            self.acknowledged.chat_entries += 1
        if text.startswith("Хочу"):
            self.acknowledged.words[text] = _phone(client)
        if text == _phone(client):
            self.acknowledged.clients.add(text)

    def talk(self, client: int) -> list[str]:
        """What a client writes, from hello to an afterthought; her number becomes known on the way."""
        wishes = [f"Хочу записаться, просьба {client}-{number}." for number in range(1, 4)]
        return ["/start", _CONSENT, "Алсу", _phone(client), *wishes]

    async def _post(self, path: str, content: bytes, headers: dict[str, str]) -> httpx.Response | None:
        """One attempt; None, after a pause, when the gateway did not say that it has it."""
        self.acknowledged.posts += 1
        try:
            answer = await self._http.post(self._salon.url + path, content=content, headers=headers)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.is_success:
            return answer
        if answer is not None and answer.is_client_error:
            raise RuntimeError(f"refused with {answer.status_code}: {answer.text}")
        await asyncio.sleep(self._dice.uniform(_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S))
        return None


def _phone(person: int) -> str:
    return f"+7900{person:07d}"


def _words(number: int) -> str:
    return f"Здравствуйте! Заявка {number}."


def _lead(number: int, person: int) -> dict[str, object]:
    return {
        "channel": "telegram",
        "contact": {"name": "Алсу Гарипова", "phone": _phone(person)},
        "message": _words(number),
        "service": "Маникюр с покрытием",
        "consent": {"given_at": "2026-11-22T12:00:00+03:00", "policy_version": "2026-11-01"},
    }


def _update(update_id: int, client: int, text: str) -> dict[str, object]:
    person = {"id": 5_900_000_000 + client, "is_bot": False, "first_name": "Алсу", "language_code": "ru"}
    chat = {"id": person["id"], "first_name": "Алсу", "type": "private"}
    message: dict[str, object] = {
        "message_id": update_id,
        "from": person,
        "chat": chat,
        "date": int(time.time()),
        "text": text,
    }
    if text.startswith("/"):
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text)}]
    return {"update_id": update_id, "message": message}
