"""What the sandbox's tests drive it with: a client that speaks HTTP to it, and a clock held by the test."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

Json = Any  # answers are taken apart by the tests themselves


class ManualClock:
    """Time stands still until the test moves it; sleepers wake when their moment is reached."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
        self._sleepers: list[tuple[datetime, asyncio.Event]] = []
        self.someone_sleeps = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._now.timestamp()

    async def sleep(self, delay_s: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self._now + timedelta(seconds=delay_s), woken))
        self.someone_sleeps.set()
        await woken.wait()

    def advance(self, seconds: float) -> None:
        """Moves the time on and wakes those whose moment has come."""
        self._now += timedelta(seconds=seconds)
        for due, woken in self._sleepers:
            if due <= self._now:
                woken.set()


@dataclass(frozen=True)
class PortalClient:
    """Calls methods through the webhook, as an integration would."""

    http: httpx.AsyncClient
    base_url: str
    webhook_url: str

    async def ask(self, method: str, params: Mapping[str, object] | None = None) -> httpx.Response:
        """The bare answer of a call."""
        return await self.http.post(self.webhook_url + method, json=params or {})

    async def call(self, method: str, **params: object) -> Json:
        """The whole answer of a call that must succeed."""
        response = await self.ask(method, params)
        assert response.status_code == 200, response.text
        return response.json()

    async def result(self, method: str, **params: object) -> Json:
        """The `result` of a call that must succeed."""
        return (await self.call(method, **params))["result"]

    async def refusal(self, method: str, **params: object) -> tuple[int, str, str]:
        """Status, code and description of a call that must be refused."""
        response = await self.ask(method, params)
        body = response.json()
        assert "result" not in body
        return response.status_code, body["error"], body["error_description"]

    async def batch(self, commands: object, **params: object) -> Json:
        """The `result` of a batch."""
        return await self.result("batch", cmd=commands, **params)

    async def add_lead(self, **fields: object) -> int:
        """The id of a new lead."""
        item = await self.result("crm.item.add", entityTypeId=1, fields=fields)
        return int(item["item"]["id"])

    async def add_contact(self, phone: str, **fields: object) -> int:
        """The id of a new contact with this phone."""
        given = {**fields, "fm": [{"typeId": "PHONE", "valueType": "MOBILE", "value": phone}]}
        item = await self.result("crm.item.add", entityTypeId=3, fields=given)
        return int(item["item"]["id"])
