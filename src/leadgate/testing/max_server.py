"""A double of the MAX Bot API: messages and presses of buttons with the documented limits, and the subscriptions of the bot.

Alarms and the channel speak to the same one.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus

from leadgate.testing.vendor_server import Reply, Request, Said, VendorServer

TEXT_LIMIT = 4000
BUTTONS_LIMIT, ROWS_LIMIT, ROW_LIMIT, NARROW_ROW_LIMIT = 210, 30, 7, 3
TITLE_LIMIT, PAYLOAD_LIMIT = 128, 1024
CALLS_PER_S, CALLS_PER_CHAT_S = 30, 2
_NARROW = frozenset({"link", "open_app", "request_contact", "request_geo_location"})
_SECRET = re.compile(r"[A-Za-z0-9_-]{5,256}", re.ASCII)


class MaxServer(VendorServer):
    """One bot.

    Attributes:
        token: the only good one.
        chats: where the bot may write, as `chat:-7` or `user:7`; `blocked` are those whose person stopped it, as plain ids.
        sent: where to, and the text, of every message that was taken.
        status: answered instead of 200 to what is otherwise right.
        update_types: that are posted to our address; `secret` goes along.
        others: further addresses that other programs subscribed.
        expired: presses of buttons that are too old to acknowledge; `answered` those that were acknowledged.
        paces: keeps the limits of requests a second; off where a test does not wait.
    """

    def __init__(
        self,
        token: str = "maxtoken-markedmaxsecret4713",  # noqa: S107 - an invented token
        chats: Iterable[str] = ("chat:-70000000000001",),
    ) -> None:
        """A bot with this token; nothing listens yet."""
        super().__init__()
        self.token = token
        self.chats = set(chats)
        self.sent: list[tuple[str, str]] = []
        self.status = 200
        self.update_types: list[str] = []
        self.secret = ""
        self.others: list[str] = []
        self.expired: set[str] = set()
        self.answered: list[str] = []
        self.paces = True
        self._called_s: dict[str, deque[float]] = defaultdict(deque)

    def carry_out(self, request: Request) -> Reply:
        """Token and rate first, as MAX asks them; the token counts in the header alone."""
        if request.headers.get("authorization") != self.token:
            return _refusal(401, "verify.token", "Invalid access_token")
        if self._is_too_quick("", CALLS_PER_S):
            return self.limited(1)
        carry_out = self._methods().get((request.method, request.path))
        return _refusal(405, "method.not.allowed", "Unknown method") if carry_out is None else carry_out(request)

    def kill_token(self) -> None:
        """The owner reissued it."""
        self.token = "another-max-token"  # noqa: S105 - an invented token

    def limited(self, retry_after_s: int) -> Reply:
        """MAX names no time."""
        _ = retry_after_s
        return _refusal(429, "too.many.requests", "Too many requests")

    def _methods(self) -> Mapping[tuple[str, str], Callable[[Request], Reply]]:
        return {
            ("GET", "/me"): self._me,
            ("POST", "/messages"): self._send,
            ("POST", "/answers"): self._answer,
            ("GET", "/subscriptions"): self._subscriptions,
            ("POST", "/subscriptions"): self._subscribe,
            ("DELETE", "/subscriptions"): self._unsubscribe,
        }

    def _me(self, _request: Request) -> Reply:
        return Reply(
            {"user_id": 8800000001, "first_name": "Студия Лимон", "username": "limon_demo_bot", "is_bot": True}
        )

    def _send(self, request: Request) -> Reply:
        kind = "user" if "user_id" in request.query else "chat"
        chat_id = request.query.get(f"{kind}_id", "")
        if f"{kind}:{chat_id}" not in self.chats:
            return _refusal(404, "chat.not.found", f"Chat {chat_id} not found")
        if chat_id in self.blocked:
            return _refusal(403, "chat.denied", f"Key: error.dialog.suspended, args: [{chat_id},].")
        if self._is_too_quick(chat_id, CALLS_PER_CHAT_S):
            return self.limited(1)
        body = request.json()
        text, titles = body.get("text"), _titles(body.get("attachments", []))
        if not isinstance(text, str) or not text.strip("\u200b \n") or len(text) > TEXT_LIMIT or titles is None:
            return _refusal(400, "proto.payload", "text or attachments")
        if self.status != HTTPStatus.OK:
            return Reply({}, self.status)
        self.sent.append((f"{kind}:{chat_id}", text))
        shown = tuple(title for is_contact, title in titles if not is_contact)
        self.said.append(Said(chat_id, text, shown, any(is_contact for is_contact, _ in titles)))
        recipient = {"chat_id": int(chat_id), "chat_type": "dialog"}
        message = {"mid": f"mid.{len(self.sent)}", "seq": len(self.sent), "text": text}
        return Reply({"message": {"recipient": recipient, "timestamp": 1_782_900_000_000, "body": message}})

    def _answer(self, request: Request) -> Reply:
        callback_id, body = request.query.get("callback_id", ""), request.json()
        if not callback_id or not (body.get("notification") or body.get("message")):
            return _refusal(400, "proto.payload", "Either message or notification is needed")
        if callback_id in self.expired:
            return _refusal(404, "not.found", "Callback not found")
        self.answered.append(callback_id)
        return Reply({"success": True})

    def _subscriptions(self, _request: Request) -> Reply:
        ours = [(self.webhook, self.update_types)] if self.webhook else []
        others: list[tuple[str, list[str]]] = [(url, []) for url in self.others]
        found = [(url, kinds or None) for url, kinds in ours + others]
        return Reply(
            {"subscriptions": [{"url": url, "time": 1_782_900_000_000, "update_types": kinds} for url, kinds in found]}
        )

    def _subscribe(self, request: Request) -> Reply:
        body = request.json()
        url, secret, kinds = str(body.get("url", "")), body.get("secret"), body.get("update_types")
        if not url.startswith("https://"):
            return Reply({"success": False, "message": "Only https:// addresses on port 443 are supported"})
        if not isinstance(secret, str) or not _SECRET.fullmatch(secret):
            return _refusal(400, "proto.payload", "secret")
        self.webhook, self.secret = url, secret
        self.update_types = [str(kind) for kind in kinds] if isinstance(kinds, list) else []
        return Reply({"success": True})

    def _unsubscribe(self, request: Request) -> Reply:
        if request.query.get("url") == self.webhook:
            self.webhook = ""
        return Reply({"success": True})

    def _is_too_quick(self, place: str, limit: int) -> bool:
        if not self.paces:
            return False
        called_s, now_s = self._called_s[place], time.monotonic()
        while called_s and now_s - called_s[0] >= 1:
            called_s.popleft()
        if len(called_s) >= limit:
            return True
        called_s.append(now_s)
        return False


def open_max() -> MaxServer:
    """A server on a free port of this machine, for `async with`."""
    return MaxServer()


def _titles(attachments: object) -> list[tuple[bool, str]] | None:
    """Whether each button asks for the contact, and its title; None when MAX would refuse the keyboard."""
    try:
        rows = [row for item in attachments or [] for row in item["payload"]["buttons"]]  # type: ignore[attr-defined]  # KeyError and TypeError say no
        buttons = [(button["type"], button["text"], button.get("payload", "")) for row in rows for button in row]
        widest = [NARROW_ROW_LIMIT if _NARROW & {b["type"] for b in row} else ROW_LIMIT for row in rows]
    except (KeyError, TypeError, AttributeError):
        return None
    is_square = len(rows) <= ROWS_LIMIT and all(0 < len(row) <= limit for row, limit in zip(rows, widest, strict=True))
    fits = all(0 < len(title) <= TITLE_LIMIT and len(payload) <= PAYLOAD_LIMIT for _, title, payload in buttons)
    callbacks_carry = all(payload for kind, _, payload in buttons if kind == "callback")
    if not (is_square and fits and callbacks_carry and len(buttons) <= BUTTONS_LIMIT):
        return None
    return [(kind == "request_contact", title) for kind, title, _ in buttons]


def _refusal(status: int, code: str, message: str) -> Reply:
    return Reply({"code": code, "message": message}, status)
