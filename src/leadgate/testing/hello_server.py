"""A double of Hello, the smallest there can be: copy it with the channel and put the vendor's own rules into `carry_out`."""

from __future__ import annotations

from leadgate.intake.untrusted import text_at
from leadgate.testing.vendor_server import Reply, Request, Said, VendorServer

TEXT_LIMIT = 1000
BUTTONS_LIMIT = 10


class HelloServer(VendorServer):
    """One bot.

    Attributes:
        token: the only good one.
        known: ids of messages that were taken; a second message with the same id is dropped.
    """

    def __init__(self, token: str = "demo-hello-token") -> None:  # noqa: S107 - an invented token
        """A bot with this token; nothing listens yet."""
        super().__init__()
        self.token = token
        self.known: set[str] = set()

    def carry_out(self, request: Request) -> Reply:
        """Five calls, and the token first."""
        if request.headers.get("x-hello-token") != self.token:
            return Reply({"error": "token"}, 401)
        match request.method, request.path:
            case "GET", "/me":
                return Reply({"name": "Лимон", "webhook": self.webhook})
            case "PUT", "/webhook":
                self.webhook = text_at(request.json(), "url", limit=2048) or ""
                return Reply()
            case "DELETE", "/webhook":
                self.webhook = ""
                return Reply()
            case "POST", "/messages":
                return self._take(request)
        return Reply({"error": "no such method"}, 404)

    def kill_token(self) -> None:
        """The owner made a new one."""
        self.token = "another-hello-token"  # noqa: S105 - an invented token

    def limited(self, retry_after_s: int) -> Reply:
        """429 with the header."""
        return Reply({"error": "slow down"}, 429, {"Retry-After": str(retry_after_s)})

    def _take(self, request: Request) -> Reply:
        body = request.json()
        text, chat_id, answers = body.get("text"), str(body.get("to")), body.get("answers")
        if not isinstance(text, str) or not 0 < len(text) <= TEXT_LIMIT:
            return Reply({"error": "text"}, 400)
        if not isinstance(answers, list) or len(answers) > BUTTONS_LIMIT:
            return Reply({"error": "answers"}, 400)
        if chat_id in self.blocked:
            return Reply({"error": "blocked"}, 403)
        if str(body.get("id")) not in self.known:
            self.known.add(str(body.get("id")))
            self.said.append(Said(chat_id, text, tuple(str(title) for title in answers)))
        return Reply({"id": f"h-{len(self.said)}"})
