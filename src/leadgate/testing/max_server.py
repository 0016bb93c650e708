"""A double of the MAX Bot API on a real socket, as far as alarms need it: `POST /messages` with the token in the header."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

_REQUEST_LINE = re.compile(r"POST /messages\?(chat|user)_id=(-?\d+) HTTP/1\.1")
_TEXT_LIMIT = 4000


@dataclass(slots=True)
class MaxServer:
    """One bot.

    Attributes:
        token: the only good one; `chats` that the bot may write to, as `chat:-7` or `user:7`.
        sent: where to, and the text, of every message that was taken.
        status: answered instead of 200 to what is otherwise right.
    """

    base: str = ""
    token: str = "maxtoken-markedmaxsecret4713"  # noqa: S105 - an invented token
    chats: set[str] = field(default_factory=lambda: {"chat:-70000000000001"})
    sent: list[tuple[str, str]] = field(default_factory=list)
    status: int = 200

    def answer(self, head: str, body: bytes) -> tuple[int, Mapping[str, object]]:
        """Status and document for a request."""
        line = _REQUEST_LINE.match(head)
        if line is None:
            return 405, {"code": "method.not.allowed", "message": "Unknown method"}
        if f"\r\nauthorization: {self.token}\r\n".lower() not in head.lower():
            return 401, {"code": "verify.token", "message": "Invalid access_token"}
        chat = f"{line.group(1)}:{line.group(2)}"
        if chat not in self.chats:
            return 404, {"code": "chat.not.found", "message": "Chat not found"}
        text = json.loads(body).get("text")
        if not isinstance(text, str) or not 0 < len(text) <= _TEXT_LIMIT:
            return 400, {"code": "proto.payload", "message": "text"}
        if self.status == HTTPStatus.OK:
            self.sent.append((chat, text))
        return self.status, {"message": {"body": {"mid": f"mid.{len(self.sent)}", "text": text}}}


@asynccontextmanager
async def open_max() -> AsyncIterator[MaxServer]:
    """A server on a free port of this machine."""
    made = MaxServer()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"(?i)\r\ncontent-length: *(\d+)", head)
        status, document = made.answer(head, await reader.readexactly(int(length.group(1)) if length else 0))
        content = json.dumps(document).encode()
        line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        writer.write(f"{line}Content-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode() + content)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made
