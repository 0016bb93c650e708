"""A visitor of the salon's page: the widget's part, spoken over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

ORIGIN = "https://salon.example"


class Visitor:
    """One browser with the widget open."""

    def __init__(self, client: httpx.AsyncClient, base: str, connection: str, *, origin: str = ORIGIN) -> None:
        self.client = client
        self.base = base
        self.connection = connection
        self.headers = {"origin": origin}
        self.visitor = ""
        self.seen = 0

    async def enter(self) -> dict[str, Any]:
        """Open the widget; returns the first words."""
        url = f"{self.base}/site/{self.connection}/visits"
        answer = await self.client.post(url, json={"language": "ru"}, headers=self.headers)
        assert answer.status_code == 200, answer.text
        self.visitor = answer.json()["visitor"]
        self.headers["authorization"] = f"Bearer {answer.json()['token']}"
        return dict(answer.json())

    async def write(self, text: str) -> httpx.Response:
        """Send a message."""
        body = {"visitor": self.visitor, "id": uuid.uuid4().hex, "text": text, "language": "ru"}
        return await self.client.post(f"{self.base}/webhooks/site/{self.connection}", json=body, headers=self.headers)

    async def read(self, *, wait_s: int = 10) -> list[str]:
        """What the bot said meanwhile, waiting for it."""
        url = f"{self.base}/site/{self.connection}/messages"
        params = {"after": self.seen, "wait": wait_s}
        answer = await self.client.get(url, params=params, headers=self.headers, timeout=wait_s + 10)
        assert answer.status_code == 200, answer.text
        found = answer.json()["messages"]
        self.seen = max([self.seen, *(message["number"] for message in found)])
        return [message["text"] for message in found if message["outgoing"]]

    async def ask(self, text: str) -> str:
        """Send a message and wait for the bot's answer."""
        assert (await self.write(text)).is_success
        while not (said := await self.read()):
            pass
        return said[-1]
