"""A bot builder: signs leads with the official Standard Webhooks library and posts them over HTTP."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook

Body = dict[str, Any]


def lead(number: int = 1, **changes: object) -> Body:
    """A whole lead of an invented person; `number` gives everybody a phone of their own."""
    body: Body = {
        "channel": "telegram",
        "contact": {"name": "Алсу Гарипова", "phone": f"8 900 000-{number // 100:02d}-{number % 100:02d}"},
        "message": "Здравствуйте! Хочу на маникюр в четверг.",
        "service": "Маникюр с покрытием",
        "preferred_time": "2026-11-26T18:00:00+03:00",
        "consent": {"given_at": "2026-11-22T12:00:00+03:00", "policy_version": "2026-11-01"},
        "utm": {"source": "instagram", "medium": "cpc", "campaign": "osen", "content": "video", "term": "маникюр"},
    }
    return {**body, **changes}


class BotSender:
    """Posts to one `bot` connection.

    Attributes:
        url: the whole webhook address; change it after a restart on another port.
    """

    def __init__(self, client: httpx.AsyncClient, url: str, secret: str) -> None:
        self.client = client
        self.url = url
        self.secret = secret

    def signed(self, content: bytes, *, webhook_id: str, at: datetime | None = None) -> dict[str, str]:
        """The headers of one attempt."""
        moment = at or datetime.now(UTC)
        signature = Webhook(self.secret).sign(webhook_id, moment, content.decode())
        return {
            "content-type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": signature,
        }

    async def post(self, body: object, *, webhook_id: str | None = None, at: datetime | None = None) -> httpx.Response:
        """Sign and post once; `body` is bytes or becomes JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        headers = self.signed(content, webhook_id=webhook_id or f"msg_{uuid.uuid4().hex}", at=at)
        return await self.client.post(self.url, content=content, headers=headers)

    async def accept(self, body: object, *, webhook_id: str | None = None) -> str:
        """Post a lead that must be taken; returns the event's id."""
        answer = await self.post(body, webhook_id=webhook_id)
        assert answer.status_code == 202, answer.text
        assert answer.json()["status"] == "accepted", answer.text
        return str(answer.json()["event"])
