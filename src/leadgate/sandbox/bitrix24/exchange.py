"""One HTTP exchange over ASGI: reading a bounded body, answering, and cutting the connection instead."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]  # the ASGI specification leaves the values open
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY_BYTES = 4 * 1024 * 1024
CUT_EXTENSION = "leadgate.sandbox.cut"
"""The key in `scope["extensions"]` under which the sandbox's own server offers to drop the connection."""


class BodyTooLargeError(Exception):
    """The request's body is over 4 MiB."""


class Exchange:
    """A request and the way back to whoever sent it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._has_started = False

    @property
    def method(self) -> str:
        """The verb: GET, POST and so on."""
        return str(self._scope["method"])

    @property
    def path(self) -> str:
        """The path, decoded."""
        return str(self._scope["path"])

    @property
    def query(self) -> str:
        """The query, still encoded."""
        return bytes(self._scope.get("query_string", b"")).decode("latin-1")

    @property
    def source(self) -> str:
        """The address of the peer; empty when the server does not tell."""
        client = self._scope.get("client")
        return str(client[0]) if client else ""

    def header(self, name: str) -> str:
        """The value of a header, empty when there is none."""
        wanted = name.encode("ascii")
        pairs = self._scope["headers"]
        return next((bytes(value).decode("latin-1") for key, value in pairs if key == wanted), "")

    @property
    def has_started(self) -> bool:
        """Whether an answer is on its way already."""
        return self._has_started

    async def read_body(self) -> bytes:
        """The whole body.

        Raises:
            BodyTooLargeError: it is over 4 MiB; reading stops there.
        """
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            part = bytes(message.get("body", b""))
            size += len(part)
            if size > MAX_BODY_BYTES:
                raise BodyTooLargeError
            parts.append(part)
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                return b"".join(parts)

    async def answer(self, status: int, body: bytes, *, kind: str, headers: dict[str, str] | None = None) -> None:
        """Sends a complete answer; `kind` is its content type."""
        await self._start(status, kind=kind, headers={**(headers or {}), "content-length": str(len(body))})
        await self._send({"type": "http.response.body", "body": body})

    async def answer_json(self, status: int, body: object) -> None:
        """Sends a JSON answer."""
        written = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str)
        await self.answer(status, written.encode(), kind="application/json; charset=utf-8")

    async def redirect(self, status: int, location: str) -> None:
        """Sends the caller to another address."""
        await self.answer(status, b"", kind="text/html; charset=utf-8", headers={"location": location})

    async def stream(self, status: int, parts: AsyncIterator[bytes], *, kind: str) -> None:
        """Sends an answer part by part, without saying how long it will be."""
        await self._start(status, kind=kind, headers={})
        async for part in parts:
            await self._send({"type": "http.response.body", "body": part, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    async def cut(self) -> None:
        """Drops the connection without an answer.

        Under a foreign ASGI server, which cannot do that, an answer is begun and never finished; the server
        then closes the connection.
        """
        drop = self._scope.get("extensions", {}).get(CUT_EXTENSION, {}).get("drop")
        if drop is None:
            await self._start(200, kind="application/json", headers={"content-length": "1"})
            return
        drop()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _start(self, status: int, *, kind: str, headers: dict[str, str]) -> None:
        self._has_started = True
        pairs = {"content-type": kind, "cache-control": "no-store", **headers}
        encoded = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in pairs.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})
