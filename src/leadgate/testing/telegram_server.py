"""A double of the Bot API on a real socket: sends, webhooks, documented limits and errors, faults on demand.

It keeps what it was asked in `calls` and what a client would see in `sent`. It never posts updates: tests
post the fixtures themselves.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from types import TracebackType
from typing import Self

TEXT_LIMIT = 4096
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
_REQUEST_LINE = re.compile(rb"POST ((?:/[^ /]+)*)/bot([^ /]+)/(\w+) HTTP/1\.1")


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
class Call:
    """One request: the method of the Bot API and its JSON body."""

    method: str
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that says no."""

    status: int
    description: str
    parameters: Mapping[str, object] = field(default_factory=dict)


class TelegramServer:
    """One bot; use as `async with TelegramServer() as server` and give `server.base` as `api_base`.

    Attributes:
        token: the only good one; change it to play a revoked token.
        blocked: chats whose person blocked the bot; `unknown` chats that do not exist.
        expired: presses of buttons that are too old to acknowledge.
        webhook: what `setWebhook` was given last, empty when there is none.
        info: further fields of `getWebhookInfo`, for instance `last_error_date`.
        faults: what goes wrong with the next calls, first in first out; a `Refusal` is answered as it is,
            None lets one call pass.
        sent: bodies of `sendMessage` that were carried out.
        reached: set whenever a request has been read, for tests that wait for it.
    """

    def __init__(self, token: str = "7000000001:DEMO-token") -> None:  # noqa: S107 - an invented token
        """A bot with this token; nothing listens yet."""
        self.token = token
        self.blocked: set[int] = set()
        self.unknown: set[int] = set()
        self.expired: set[str] = set()
        self.webhook: dict[str, object] = {}
        self.info: dict[str, object] = {}
        self.faults: deque[Fault | Refusal | None] = deque()
        self.calls: list[Call] = []
        self.sent: list[Mapping[str, object]] = []
        self.reached = asyncio.Event()
        self.base = ""
        self._stopping = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

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
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length.group(1)) if length else 0)
        fault = self.faults.popleft() if self.faults else None
        answer: object = fault
        if fault is None or fault in (Fault.DROP_AFTER, Fault.SILENCE):
            answer = self._carry_out(head, body)
        self.reached.set()
        if fault is Fault.SILENCE:
            await self._stopping.wait()
        if fault in (Fault.DROP_AFTER, Fault.SILENCE):
            return False
        writer.write(_faulty_answer(fault) if isinstance(fault, Fault) else _answer(answer))
        await writer.drain()
        return True

    def _carry_out(self, head: bytes, body: bytes) -> object:
        line = _REQUEST_LINE.match(head)
        if line is None:
            return Refusal(404, "Not Found")
        if line.group(2).decode() != self.token:
            return Refusal(401, "Unauthorized")
        payload = json.loads(body or b"{}")
        method = line.group(3).decode()
        self.calls.append(Call(method, payload))
        carry_out = self._methods().get(method)
        return Refusal(404, "Not Found: method not found") if carry_out is None else carry_out(payload)

    def _methods(self) -> Mapping[str, Callable[[Mapping[str, object]], object]]:
        return {
            "getMe": self._get_me,
            "sendMessage": self._send_message,
            "answerCallbackQuery": self._answer_callback_query,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._get_webhook_info,
        }

    def _get_me(self, _payload: Mapping[str, object]) -> object:
        return {
            "id": int(self.token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Лимон",
            "username": "limon",
        }

    def _send_message(self, payload: Mapping[str, object]) -> object:
        text, chat_id = payload.get("text"), payload.get("chat_id")
        if not isinstance(text, str) or not text.strip():
            return Refusal(400, "Bad Request: message text is empty")
        if len(text) > TEXT_LIMIT:
            return Refusal(400, "Bad Request: message is too long")
        if not isinstance(chat_id, int) or chat_id in self.unknown:
            return Refusal(400, "Bad Request: chat not found")
        if chat_id in self.blocked:
            return Refusal(403, "Forbidden: bot was blocked by the user")
        self.sent.append(payload)
        return {"message_id": len(self.sent), "date": 1_782_900_000, "chat": {"id": chat_id}, "text": text}

    def _answer_callback_query(self, payload: Mapping[str, object]) -> object:
        if payload.get("callback_query_id") in self.expired:
            return Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        return True

    def _set_webhook(self, payload: Mapping[str, object]) -> object:
        if not str(payload.get("url", "")).startswith("https://"):
            return Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if not _SECRET.fullmatch(str(payload.get("secret_token", ""))):
            return Refusal(400, "Bad Request: secret token contains unallowed characters")
        self.webhook = dict(payload)
        return True

    def _delete_webhook(self, _payload: Mapping[str, object]) -> object:
        self.webhook = {}
        return True

    def _get_webhook_info(self, _payload: Mapping[str, object]) -> object:
        return {
            "url": self.webhook.get("url", ""),
            "has_custom_certificate": False,
            "pending_update_count": 0,
            "allowed_updates": self.webhook.get("allowed_updates", []),
            **self.info,
        }


def _answer(result: object) -> bytes:
    if isinstance(result, Refusal):
        content: dict[str, object] = {
            "ok": False,
            "error_code": result.status,
            "description": result.description,
        }
        if result.parameters:
            content["parameters"] = result.parameters
        return _response(result.status, json.dumps(content).encode())
    return _response(200, json.dumps({"ok": True, "result": result}).encode())


def _faulty_answer(fault: Fault) -> bytes:
    match fault:
        case Fault.SERVER_ERROR:
            return _answer(Refusal(500, "Internal Server Error"))
        case Fault.BAD_GATEWAY:
            return _response(502, b"<html>Bad Gateway</html>", content_type="text/html")
        case Fault.REDIRECT:
            return _response(302, b"", extra="Location: http://127.0.0.1:1/\r\n")
        case Fault.ENDLESS:
            return _response(200, b'{"ok":true,"result":"' + b"x" * 1_000_000 + b'"}')
        case _:
            return _response(200, b"<html>not the Bot API</html>", content_type="text/html")


def _response(status: int, body: bytes, *, content_type: str = "application/json", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {content_type}\r\n{extra}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
