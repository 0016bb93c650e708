"""The Bitrix24 sandbox as a process of its own, without rate limits: `python -m proof.portal PORT SECRET`.

The limits have tests of their own; here they would only make the kills rarer per minute.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

from leadgate.sandbox.bitrix24 import Limits, build_sandbox, serve


async def _serve(port: int, secret: str) -> None:
    sandbox = build_sandbox(limits=Limits.off(), webhook_secret=secret)
    async with serve(sandbox, "127.0.0.1", port):
        print("portal.ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2]))
