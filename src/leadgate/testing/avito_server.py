"""A double of Avito's API on a real socket: tokens, texts, subscriptions; the limits that its schema tells."""

from __future__ import annotations

import re

from leadgate.intake.untrusted import text_at
from leadgate.testing.vendor_server import Reply, Request, Said, VendorServer

TEXT_LIMIT = 1000
_CHAT = re.compile(r"/messenger/v1/accounts/(?P<account>\d+)/chats/(?P<chat>[^/]+)/messages")


class AvitoServer(VendorServer):
    """One profile.

    Attributes:
        account_id: number of the profile.
        client_secret: the only good one; `client_id` likewise.
        tokens: those that are good now; `issued` counts all.
        life_s: how long a token is said to live, in seconds.
        unknown: chats that do not exist.
        others: further addresses that are subscribed.
        has_plan: the profile's subscription holds the Messenger API.
    """

    def __init__(
        self,
        *,
        account_id: int = 94000601,
        client_id: str = "demo-client-id",
        client_secret: str = "demo-client-secret",  # noqa: S107 - invented
    ) -> None:
        """A profile with these keys; nothing listens yet."""
        super().__init__()
        self.account_id = account_id
        self.client_id, self.client_secret = client_id, client_secret
        self.tokens: set[str] = set()
        self.issued = 0
        self.life_s = 86_400
        self.unknown: set[str] = set()
        self.others: list[str] = []
        self.has_plan = True

    def carry_out(self, request: Request) -> Reply:
        """A token for the keys; everything else for a token."""
        if (request.method, request.path) == ("POST", "/token"):
            return self._issue(request)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return _error(401, "Unauthorized")
        if (request.method, request.path) == ("GET", "/core/v1/accounts/self"):
            return Reply({"id": self.account_id, "name": "Лимон", "email": "limon@salon.example"})
        if request.method != "POST":
            return _error(404, "Not found")
        return self._messenger(request) if self.has_plan else _error(402, "Payment required")

    def kill_token(self) -> None:
        """The application was deleted in the profile."""
        self.tokens.clear()
        self.client_secret = "another-client-secret"  # noqa: S105 - invented

    def limited(self, retry_after_s: int) -> Reply:
        """429; what else Avito says then is not known, so the time is in the usual header."""
        return Reply(_error(429, "Too many requests").body, 429, {"Retry-After": str(retry_after_s)})

    def _issue(self, request: Request) -> Reply:
        form = request.form()
        if form.get("grant_type") != "client_credentials":
            return Reply({"error": "unsupported_grant_type"}, 400)
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return Reply({"error": "invalid_client"}, 401)
        self.issued += 1
        token = f"access-{self.issued}-demo"
        self.tokens.add(token)
        return Reply({"access_token": token, "token_type": "Bearer", "expires_in": self.life_s})

    def _messenger(self, request: Request) -> Reply:
        chat = _CHAT.fullmatch(request.path)
        if chat is not None:
            return self._take(chat["account"], chat["chat"], request)
        url = text_at(request.json(), "url", limit=2048) or ""
        match request.path:
            case "/messenger/v1/subscriptions":
                addresses = [address for address in (self.webhook, *self.others) if address]
                return Reply({"subscriptions": [{"url": address, "version": "3"} for address in addresses]})
            case "/messenger/v3/webhook":
                return self._subscribe(url)
            case "/messenger/v1/webhook/unsubscribe":
                self.webhook = "" if self.webhook == url else self.webhook
                self.others = [address for address in self.others if address != url]
                return Reply({"ok": True})
        return _error(404, "Not found")

    def _subscribe(self, url: str) -> Reply:
        if not url.startswith("https://"):
            return _error(400, "Validation error")
        if self.webhook and self.webhook != url:
            self.others.append(self.webhook)
        self.webhook = url
        return Reply({"ok": True})

    def _take(self, account: str, chat: str, request: Request) -> Reply:
        text = text_at(request.json(), "message", "text", limit=10 * TEXT_LIMIT)
        if text is None or len(text) > TEXT_LIMIT or request.json().get("type") != "text":
            return _error(400, "Validation error")
        if account != str(self.account_id) or chat in self.blocked:
            return _error(403, "Forbidden")
        if chat in self.unknown:
            return _error(404, "Not found")
        self.said.append(Said(chat, text))
        message_id = f"{len(self.said):08d}sent"
        return Reply({"id": message_id, "type": "text", "direction": "out", "content": {"text": text}})


def _error(status: int, message: str) -> Reply:
    return Reply({"error": {"code": status, "message": message}}, status)
