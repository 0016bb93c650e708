"""Where alarms arrive in tests: a real HTTP server that Apprise's `json://` posts to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from leadgate.testing.waiting import until


@dataclass(slots=True)
class Mailbox:
    """What arrived.

    Attributes:
        letters: the posted documents, oldest first; `title` and `message` among their keys.
        status: how the next ones are answered.
    """

    port: int = 0
    letters: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    knocks: int = 0

    @property
    def address(self) -> str:
        """The Apprise address; its path stands for a secret."""
        return f"json://127.0.0.1:{self.port}/markedalarmsecret4712"

    async def having(self, count: int, *, timeout_s: float = 30.0) -> list[dict[str, Any]]:
        """Wait for so many letters."""
        return await until(
            lambda: self.letters if len(self.letters) >= count else [], what=f"{count} alarms", timeout_s=timeout_s
        )


@asynccontextmanager
async def open_mailbox() -> AsyncIterator[Mailbox]:
    """A mailbox on a free port of this machine."""
    box = Mailbox()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = [line.partition(":") for line in head.decode().lower().split("\r\n")]
        length = next(int(value) for name, _, value in lines if name == "content-length")
        letter = json.loads(await reader.readexactly(length))
        box.knocks += 1
        if box.status == 200:  # noqa: PLR2004 - the status that means taken
            box.letters.append(letter)
        writer.write(f"HTTP/1.1 {box.status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box
