"""A bot builder of the salon, who knows nothing of the attack: a process of its own, so that what it measures is the gateway's.

Its settings come as one line of JSON on standard input; when standard input ends it ends too and prints what it met.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import httpx

from tests.e2e.sender import BotSender, lead

PER_S = 20
TAKEN = 202


async def main() -> None:
    """Post until nobody listens any more; the next lead does not wait for the last one."""
    settings = json.loads(sys.stdin.readline())
    took_s: list[float] = []
    wrong: list[str] = []
    async with httpx.AsyncClient(timeout=60.0) as client:
        bot = BotSender(client, settings["url"], settings["secret"])

        async def one(number: int) -> None:
            began_s = time.perf_counter()
            webhook_id, status = f"msg_honest_{number}", ""
            for _ in range(2):  # an idle connection may be closed at any moment: senders try again, under the same id
                try:
                    status = str((await bot.post(lead(number % 8000), webhook_id=webhook_id)).status_code)
                    break
                except httpx.TransportError as error:
                    status = type(error).__name__
            took_s.append(time.perf_counter() - began_s)
            if status != str(TAKEN):
                wrong.append(status)

        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        under_way: list[asyncio.Task[None]] = []
        while not ended.done():
            under_way.append(asyncio.create_task(one(len(under_way) + 1)))
            await asyncio.wait([ended], timeout=1 / PER_S)
        await asyncio.gather(*under_way)
    sys.stdout.write(json.dumps({"took_s": took_s, "wrong": wrong}))


if __name__ == "__main__":
    asyncio.run(main())
