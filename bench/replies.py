"""From a client's message to the reply at the messenger, while leads are delivered to the sandbox Bitrix24."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from pathlib import Path

from bench.house import LEADGATE, House, Server, make_house, run_gateway, run_server
from bench.load import Round, pace
from bench.report import Figure
from bench.webhooks import leads, update
from leadgate.testing.telegram_server import TelegramServer

PER_SECOND = 20
_LEADS_PER_SECOND = 5
_CHATS = 60
_WORDS = ("Здравствуйте!", "Даю согласие", "Алсу", "8 900 000-02-02", "На маникюр в четверг", "Можно вечером?")
_PATIENCE_S = 30


class _Arrivals(list[Mapping[str, object]]):
    """What the messenger was asked to send, with the moment it was asked; stands in for `TelegramServer.sent`."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = asyncio.Event()
        self._moments: dict[object, list[float]] = {}

    def append(self, payload: Mapping[str, object]) -> None:
        super().append(payload)
        self._moments.setdefault(payload["chat_id"], []).append(time.perf_counter())
        self.heard.set()

    def after(self, chat_id: int, said: float) -> float | None:
        """The first reply in a chat after a moment, or None."""
        return next((moment for moment in self._moments.get(chat_id, ()) if moment > said), None)


def measure_replies(folder: Path, *, seconds: int) -> list[Figure]:
    """Twenty messages and five signed leads a second; every message is answered."""
    sandbox = (*LEADGATE, "sandbox", "bitrix24", "--listen", "127.0.0.1:0", "--json")
    with run_server(sandbox, announced_by="webhook_url", log=folder / "sandbox.log") as crm:
        return asyncio.run(_measure(folder, crm, seconds))


async def _measure(folder: Path, crm: Server, seconds: int) -> list[Figure]:
    async with TelegramServer() as telegram:
        telegram.sent = arrivals = _Arrivals()
        options = {"telegram_base": telegram.base, "crm_url": crm.ready["webhook_url"]}
        house = await asyncio.to_thread(lambda: make_house(folder / "replies", **options))
        with run_gateway(house) as gateway:
            sent, refused = await _converse(gateway, house, seconds)
            result = await _match(sent, arrivals)
            memory_mb = gateway.resident_mb()
    return [
        Figure("message to reply: p50", result.quantile_ms(0.5), "ms"),
        Figure("message to reply: p99", result.quantile_ms(0.99), "ms", at_most=300),
        Figure("message to reply: without a reply or refused", result.refused + refused, "", at_most=0),
        Figure("message to reply: resident memory", memory_mb, "MB", at_most=200),
    ]


async def _converse(gateway: Server, house: House, seconds: int) -> tuple[list[tuple[int, float]], int]:
    """Each chat says its next words in its turn; returns when which chat spoke, and how many webhooks were refused."""
    chats = [7_000_000_000 + number % _CHATS for number in range(PER_SECOND * seconds)]
    words = [_WORDS[number // _CHATS % len(_WORDS)] for number in range(len(chats))]
    messages = [update(house, chat_id=chat, text=text) for chat, text in zip(chats, words, strict=True)]
    forms = asyncio.create_task(
        pace(gateway.address, leads(house, _LEADS_PER_SECOND * seconds), per_second=_LEADS_PER_SECOND)
    )
    started = time.perf_counter()
    said = await pace(gateway.address, messages, per_second=PER_SECOND)
    moments = [(chat, started + number / PER_SECOND) for number, chat in enumerate(chats)]
    return moments, said.refused + (await forms).refused


async def _match(sent: list[tuple[int, float]], arrivals: _Arrivals) -> Round:
    """The first reply in the chat after each message; a message without one within half a minute counts as refused."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_S):
            while any(arrivals.after(chat, said) is None for chat, said in sent):
                arrivals.heard.clear()
                await arrivals.heard.wait()
    result = Round()
    for chat, said in sent:
        replied = arrivals.after(chat, said)
        if replied is None:
            result.refused += 1
        else:
            result.latencies_s.append(replied - said)
    return result
