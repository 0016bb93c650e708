"""What the doubles of all messengers share: a real socket, faults on demand, what a client would see. The rules are each vendor's.

A double carries out what the vendor documents, its limits and errors included, and posts nothing by itself.
"""

from __future__ import annotations

import asyncio
import json
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote

_REQUEST_LINE = re.compile(rb"([A-Z]+) ([^ ?]+)(?:\?([^ ]*))? HTTP/1\.1")


class Fault(Enum):
    """What goes wrong with the next call."""

    DROP_AFTER = "carried out, then the connection is cut without an answer"
    SILENCE = "carried out, and no answer until the server stops"
    SERVER_ERROR = "500 with JSON, nothing carried out"
    BAD_GATEWAY = "502 with HTML"
    GARBAGE = "200 with something that is no JSON"
    ENDLESS = "200 with a body larger than any true answer"
    REDIRECT = "302 to somewhere else"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; names of headers in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Mapping[str, object]:
        """The body as a JSON object; empty when it is none."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def form(self) -> Mapping[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered; `body` is written as JSON unless it is bytes."""

    body: object = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """One message that a client sees.

    Attributes:
        buttons: titles of what can be pressed, in order.
        asks_contact: a button shares the client's own phone.
    """

    chat_id: str
    text: str
    buttons: tuple[str, ...] = ()
    asks_contact: bool = False


class VendorServer(ABC):
    """A messenger on loopback; `base` goes into the connection as `api_base`.

    Attributes:
        blocked: chats whose person blocked the bot.
        faults: what goes wrong with the next calls, first in first out; a `Reply` is answered as it is, None lets one call pass.
        requests: every request that was read.
        said: what clients saw, in order.
        webhook: address that the vendor posts to, empty when there is none.
        reached: set whenever a request has been read, for tests that wait for it.
    """

    def __init__(self) -> None:
        """Nothing listens yet."""
        self.blocked: set[str] = set()
        self.faults: deque[Fault | Reply | None] = deque()
        self.requests: list[Request] = []
        self.said: list[Said] = []
        self.webhook = ""
        self.reached = asyncio.Event()
        self.base = ""
        self._stopping = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @abstractmethod
    def carry_out(self, request: Request) -> Reply:
        """Do what the vendor would do."""

    @abstractmethod
    def kill_token(self) -> None:
        """From now on the token of the connection is refused, as after a revocation."""

    @abstractmethod
    def limited(self, retry_after_s: int) -> Reply:
        """The vendor's answer to a caller who is too quick; where it names no time the argument is not used."""

    async def __aenter__(self) -> Self:
        """Listen on loopback, on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and cut what is open."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()
            cut = tuple(self._open)
            for writer in cut:
                writer.close()
            await asyncio.gather(*(writer.wait_closed() for writer in cut), return_exceptions=True)
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the other side hung up between requests
        finally:
            self._open.discard(writer)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await _read(reader)
        self.requests.append(request)
        fault = self.faults.popleft() if self.faults else None
        answer = fault if isinstance(fault, Reply) else None
        if fault is None or fault in (Fault.DROP_AFTER, Fault.SILENCE):
            answer = self.carry_out(request)
        self.reached.set()
        if fault is Fault.SILENCE:
            await self._stopping.wait()
        if fault in (Fault.DROP_AFTER, Fault.SILENCE):
            return False
        writer.write(_faulty_answer(fault) if isinstance(fault, Fault) else _written(answer or Reply()))
        await writer.drain()
        return True


async def _read(reader: asyncio.StreamReader) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    found = _REQUEST_LINE.match(line)
    headers = {}
    for raw in lines:
        name, _, value = raw.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    if found is None:
        return Request("", "", {}, headers, body)
    query = dict(parse_qsl((found[3] or b"").decode("latin-1"), keep_blank_values=True))
    return Request(found[1].decode(), unquote(found[2].decode("latin-1")), query, headers, body)


def _faulty_answer(fault: Fault) -> bytes:
    match fault:
        case Fault.SERVER_ERROR:
            return _written(Reply({"error": "internal"}, 500))
        case Fault.BAD_GATEWAY:
            return _written(Reply(b"<html>Bad Gateway</html>", 502))
        case Fault.REDIRECT:
            return _written(Reply(b"", 302, {"Location": "http://127.0.0.1:1/"}))
        case Fault.ENDLESS:
            return _written(Reply(b'{"result":"' + b"x" * 1_000_000 + b'"}'))
        case _:
            return _written(Reply(b"<html>not the vendor</html>"))


def _written(reply: Reply) -> bytes:
    is_raw = isinstance(reply.body, bytes)
    body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
    lines = [
        f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
        f"Content-Type: {'text/html' if is_raw else 'application/json'}",
        *(f"{name}: {value}" for name, value in reply.headers.items()),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
