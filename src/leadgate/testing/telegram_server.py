"""A double of the Bot API on a real socket: sends, webhooks, documented limits and errors.

It keeps what it was asked in `calls` and the bodies of what was sent in `sent`. It never posts updates: tests post the fixtures
themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leadgate.testing.vendor_server import Fault, Reply, Request, Said, VendorServer

__all__ = ["Call", "Fault", "TelegramServer", "refusal"]

TEXT_LIMIT = 4096
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
_PATH = re.compile(r"(?:/[^ /]+)*/bot(?P<token>[^ /]+)/(?P<method>\w+)")


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the method of the Bot API and its JSON body."""

    method: str
    payload: Mapping[str, object]


def refusal(status: int, description: str, parameters: Mapping[str, object] | None = None) -> Reply:
    """An answer of the Bot API that says no."""
    content: dict[str, object] = {"ok": False, "error_code": status, "description": description}
    return Reply(content | ({"parameters": parameters} if parameters else {}), status)


class TelegramServer(VendorServer):
    """One bot; use as `async with TelegramServer() as server` and give `server.base` as `api_base`.

    Attributes:
        token: the only good one; change it to play a revoked token.
        unknown: chats that do not exist.
        expired: presses of buttons that are too old to acknowledge.
        registration: the body of the last `setWebhook`; empty when there is no webhook.
        info: overrides the answer of `getWebhookInfo`.
        calls: every call with the good token, in order.
        sent: bodies of `sendMessage` that were carried out; `said` is what the client sees of them.
    """

    def __init__(self, token: str = "7000000001:DEMO-token") -> None:  # noqa: S107 - an invented token
        """A bot with this token; nothing listens yet."""
        super().__init__()
        self.token = token
        self.unknown: set[str] = set()
        self.expired: set[str] = set()
        self.registration: dict[str, object] = {}
        self.info: dict[str, object] = {}
        self.calls: list[Call] = []
        self.sent: list[Mapping[str, object]] = []

    def carry_out(self, request: Request) -> Reply:
        """One method of the Bot API."""
        path = _PATH.fullmatch(request.path)
        if path is None or request.method != "POST":
            return refusal(404, "Not Found")
        if path["token"] != self.token:
            return refusal(401, "Unauthorized")
        payload = json.loads(request.body or b"{}")
        self.calls.append(Call(path["method"], payload))
        carry_out = self._methods().get(path["method"])
        return refusal(404, "Not Found: method not found") if carry_out is None else carry_out(payload)

    def kill_token(self) -> None:
        """The owner revoked it at BotFather."""
        self.token = "7000000001:REISSUED-token"  # noqa: S105 - an invented token

    def limited(self, retry_after_s: int) -> Reply:
        """429 with the seconds to wait."""
        return refusal(429, f"Too Many Requests: retry after {retry_after_s}", {"retry_after": retry_after_s})

    def _methods(self) -> Mapping[str, Callable[[Mapping[str, object]], Reply]]:
        return {
            "getMe": self._get_me,
            "sendMessage": self._send_message,
            "answerCallbackQuery": self._answer_callback_query,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._get_webhook_info,
        }

    def _get_me(self, _payload: Mapping[str, object]) -> Reply:
        bot_id = int(self.token.partition(":")[0])
        return _done({"id": bot_id, "is_bot": True, "first_name": "Лимон", "username": "limon"})

    def _send_message(self, payload: Mapping[str, object]) -> Reply:
        text, chat_id = payload.get("text"), payload.get("chat_id")
        if not isinstance(text, str) or not text.strip():
            return refusal(400, "Bad Request: message text is empty")
        if len(text) > TEXT_LIMIT:
            return refusal(400, "Bad Request: message is too long")
        if not isinstance(chat_id, int) or str(chat_id) in self.unknown:
            return refusal(400, "Bad Request: chat not found")
        if str(chat_id) in self.blocked:
            return refusal(403, "Forbidden: bot was blocked by the user")
        self.sent.append(payload)
        self.said.append(_seen(str(chat_id), text, payload.get("reply_markup")))
        return _done({"message_id": len(self.sent), "date": 1_782_900_000, "chat": {"id": chat_id}, "text": text})

    def _answer_callback_query(self, payload: Mapping[str, object]) -> Reply:
        if payload.get("callback_query_id") in self.expired:
            return refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        return _done(result=True)

    def _set_webhook(self, payload: Mapping[str, object]) -> Reply:
        url = str(payload.get("url", ""))
        if not url.startswith("https://"):
            return refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if not _SECRET.fullmatch(str(payload.get("secret_token", ""))):
            return refusal(400, "Bad Request: secret token contains unallowed characters")
        self.webhook, self.registration = url, dict(payload)
        return _done(result=True)

    def _delete_webhook(self, _payload: Mapping[str, object]) -> Reply:
        self.webhook, self.registration = "", {}
        return _done(result=True)

    def _get_webhook_info(self, _payload: Mapping[str, object]) -> Reply:
        usual: dict[str, object] = {
            "url": self.webhook,
            "has_custom_certificate": False,
            "pending_update_count": 0,
            "allowed_updates": self.registration.get("allowed_updates", []),
        }
        return _done(usual | self.info)


def _done(result: object) -> Reply:
    return Reply({"ok": True, "result": result})


def _seen(chat_id: str, text: str, markup: object) -> Said:
    rows = markup.get("keyboard", []) if isinstance(markup, dict) else []
    buttons = [button for row in rows for button in row]
    return Said(
        chat_id,
        text,
        buttons=tuple(button["text"] for button in buttons if not button.get("request_contact")),
        asks_contact=any(button.get("request_contact") for button in buttons),
    )
