"""The demo keeps its data between starts, so its portal must be kept too: our ledger points at leads by their ids."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from leadgate.integrations.bot.sign import sign_lead

START_S = 30.0
LOOK_S = 20.0
PERSON = {"name": "Лейла Сафина", "phone": "+79000000031", "channel_user_id": "900031"}


@asynccontextmanager
async def demo(data: Path) -> AsyncIterator[dict[str, str]]:
    """The real demo on free ports; gives what it prints when it is ready and ends it as Ctrl-C does."""
    command = (sys.executable, "-m", "leadgate", "demo", "--json", "--data", str(data), "--listen", "127.0.0.1:0")
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_S)
        yield json.loads(line)
    finally:
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), START_S) == 0


async def say(http: httpx.AsyncClient, addresses: dict[str, str], words: str, *, number: int) -> None:
    """A bot builder sends what the person wrote."""
    body, headers = sign_lead(
        {"channel": "telegram", "contact": PERSON, "message": words},
        secret=addresses["signing_secret"],
        webhook_id=f"msg_twice_{number}",
        at=datetime.now(UTC),
    )
    answer = await http.post(addresses["bot_webhook"], content=body, headers=headers)
    assert answer.status_code == 202, answer.text


async def leads_with(http: httpx.AsyncClient, addresses: dict[str, str], words: str) -> list[dict[str, Any]]:
    """All leads of the sandbox, once these words stand in a timeline."""
    async with asyncio.timeout(LOOK_S):
        while True:
            items: list[dict[str, Any]] = (await http.get(addresses["sandbox"] + "/leads.json")).json()["items"]
            if any(words in entry["text"] for item in items for entry in item["timeline"]):
                return items
            await http.get(addresses["web"] + "/health/live")  # the wait is a round trip, not a pause of the clock


async def test_the_second_start_writes_on_in_the_same_lead(tmp_path: Path) -> None:
    """With a forgetful portal the second message would go to a lead that is not there, or to somebody else's."""
    data = tmp_path / "demo"
    async with httpx.AsyncClient(timeout=10) as http:
        async with demo(data) as first:
            await say(http, first, "Хочу на маникюр в четверг", number=1)
            [lead] = await leads_with(http, first, "в четверг")
        async with demo(data) as second:
            await say(http, second, "А можно в пятницу?", number=2)
            [same] = await leads_with(http, second, "в пятницу")
    assert same["id"] == lead["id"]
    assert [entry["id"] for entry in same["timeline"]][: len(lead["timeline"])] == [e["id"] for e in lead["timeline"]]
    assert len(same["timeline"]) == len(lead["timeline"]) + 1
    assert second["signing_secret"] == first["signing_secret"]
