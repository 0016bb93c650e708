"""Requests made beforehand: signed leads and updates of Telegram, every one different. People and numbers are invented."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from bench.house import House
from leadgate.intake.signatures import sign_standard

_numbers = itertools.count(1)


def leads(house: House, count: int) -> list[bytes]:
    """Signed leads of different people; good for five minutes, as every signature."""
    made = []
    now = datetime.now(UTC)
    for number in itertools.islice(_numbers, count):
        body = json.dumps(_lead(number), ensure_ascii=False).encode()
        signed = sign_standard(body, secret=house.bot_secret, webhook_id=f"bench_{number}", at=now)
        made.append(_post(f"/webhooks/bot/{house.bot}", body, signed))
    return made


def updates(house: House, count: int) -> list[bytes]:
    """Texts of different chats in Telegram."""
    return [update(house, chat_id=5_000_000_000 + n, text="Здравствуйте!") for n in itertools.islice(_numbers, count)]


def update(house: House, *, chat_id: int, text: str) -> bytes:
    """One text of one chat."""
    number = next(_numbers)
    person = {"id": chat_id, "first_name": "Алсу", "username": f"demo_{chat_id}", "language_code": "ru"}
    message = {
        "message_id": number,
        "from": {**person, "is_bot": False},
        "chat": {**person, "type": "private"},
        "date": 1_782_900_000,
        "text": text,
    }
    body = json.dumps({"update_id": number, "message": message}, ensure_ascii=False).encode()
    return _post(
        f"/webhooks/telegram/{house.telegram}", body, {"x-telegram-bot-api-secret-token": house.telegram_secret}
    )


def _lead(number: int) -> dict[str, object]:
    return {
        "channel": "telegram",
        "contact": {"name": "Алсу Гарипова", "phone": f"8 900 {number % 10_000_000:07d}"},
        "message": "Здравствуйте! Хочу на маникюр в четверг после шести.",
        "service": "Маникюр с покрытием",
        "utm": {"source": "instagram", "campaign": "osen"},
    }


def _post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "host: 127.0.0.1",
        "user-agent: bench",
        "accept: */*",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
