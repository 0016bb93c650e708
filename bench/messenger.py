"""The Telegram double as a process of its own: `python -m bench.messenger`. A messenger that answers, as messengers do."""

from __future__ import annotations

import asyncio
import json

import uvloop

from leadgate.testing.telegram_server import TelegramServer


async def _serve() -> None:
    async with TelegramServer() as telegram:
        print(json.dumps({"event": "messenger.ready", "base": telegram.base}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve())
