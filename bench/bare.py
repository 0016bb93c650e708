"""The measure of all things here: the least that a webhook can cost in ASGI, on the same server with the same settings.

Reads the body, computes one HMAC, parses the JSON, answers. Run as a process: `python -m bench.bare`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
import uvloop

from leadgate.settings import Address
from leadgate.web.server import address_of, bind

_KEY = b"an invented key of the benchmark"
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"15")]


async def bare_app(
    _scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """One request."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    hmac.digest(_KEY, body, hashlib.sha256)
    json.loads(body)
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": b'{"status":"ok"}'})


async def _serve() -> None:
    config = uvicorn.Config(
        bare_app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        loop="uvloop",
        http="httptools",
        ws="none",
        timeout_keep_alive=75,
        proxy_headers=False,
    )
    with bind(Address("127.0.0.1", 0)) as listener:
        print(json.dumps({"event": "bare.ready", "listen": str(address_of(listener))}), flush=True)
        await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    uvloop.run(_serve())
