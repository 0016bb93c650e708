"""A double of Instagram messaging on a real socket: messages with the documented limits, the account, both subscriptions.

It posts nothing by itself: tests post the fixtures. `said` names a client by the Instagram-scoped id, without our account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from leadgate.intake.untrusted import object_at, text_at, value_at
from leadgate.testing.graph_server import APP_ID, GraphServer, graph_error
from leadgate.testing.vendor_server import Reply, Request, Said

TEXT_LIMIT_BYTES = 1000
REPLIES_LIMIT, REPLY_TITLE_LIMIT = 13, 20
_LONG = 10_000

Content = Mapping[str, object]


class InstagramServer(GraphServer):
    """One professional account. A token that begins with `IG` is of the Instagram login, any other of a Facebook page.

    Attributes:
        webhook: where the app's Instagram webhooks go.
        subscribed: fields of the account that the app hears.
        silent: clients who have not written for a day: only a human reaches them.
        gone: clients who have not written for seven days: nobody reaches them.
        led_elsewhere: clients whose thread another app leads.
        is_linked: the page has an Instagram account.
        sent: bodies of messages that were carried out.
    """

    def __init__(
        self,
        token: str = "EAADEMOpage0001",  # noqa: S107 - an invented token
        *,
        account_id: str = "17841400000000001",
    ) -> None:
        """A fresh account; nothing listens yet."""
        scopes = ("instagram_basic", "instagram_manage_messages", "pages_manage_metadata")
        super().__init__(token, "demo-app-secret", scopes)
        self.account_id = account_id
        self.subscribed: set[str] = set()
        self.silent: set[str] = set()
        self.gone: set[str] = set()
        self.led_elsewhere: set[str] = set()
        self.is_linked = True
        self.sent: list[Content] = []
        self.tells_token = not token.startswith("IG")

    def limited(self, retry_after_s: int) -> Reply:
        """Over the limit of the account; Meta names no time."""
        _ = retry_after_s
        return graph_error(613, "Calls to this api have exceeded the rate limit", status=400)

    def answer(self, method: str, path: str, request: Request) -> Reply:
        """The calls that we know; an id that is not ours is hidden, as Meta hides it."""
        calls: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("GET", "/me"): self._tell_account,
            ("POST", "/me/messages"): self._take,
            ("POST", f"/{self.account_id}/messages"): self._take,
            ("GET", "/me/subscribed_apps"): self._tell_apps,
            ("POST", "/me/subscribed_apps"): self._subscribe,
            ("DELETE", "/me/subscribed_apps"): self._unsubscribe,
        }
        call = calls.get((method, path))
        if call is None:
            return graph_error(100, "Unsupported request. Object does not exist", subcode=33)
        return call(request)

    def answer_app(self, method: str, path: str, request: Request) -> Reply:
        """The subscription of the app: one address for all its accounts."""
        if path != f"/{APP_ID}/subscriptions":
            return graph_error(100, "Unsupported request")
        match method:
            case "GET":
                return Reply({"data": self._subscriptions()})
            case "POST":
                return self._set_callback(request.json())
        self.webhook = ""
        return Reply({"success": True})

    def _subscriptions(self) -> list[Content]:
        page = {"object": "page", "callback_url": "https://other.example/page", "active": True, "fields": []}
        ours = {"object": "instagram", "callback_url": self.webhook, "active": True, "fields": [{"name": "messages"}]}
        return [page, ours] if self.webhook else [page]

    def _set_callback(self, body: Content) -> Reply:
        url = str(body.get("callback_url", ""))
        if not (url.startswith("https://") and body.get("verify_token") and body.get("object") == "instagram"):
            return graph_error(2200, "Callback verification failed")
        self.webhook = url
        return Reply({"success": True})

    def _tell_account(self, _request: Request) -> Reply:
        if self.token.startswith("IG"):
            return Reply({"user_id": self.account_id, "username": "limon.demo"})
        linked = (
            {"instagram_business_account": {"id": self.account_id, "username": "limon.demo"}} if self.is_linked else {}
        )
        return Reply({"id": "600000000000001", "name": "Лимон"} | linked)

    def _tell_apps(self, _request: Request) -> Reply:
        return Reply(
            {"data": [{"id": APP_ID, "subscribed_fields": sorted(self.subscribed)}] if self.subscribed else []}
        )

    def _subscribe(self, request: Request) -> Reply:
        self.subscribed = set(str(request.json().get("subscribed_fields", "")).split(","))
        return Reply({"success": True})

    def _unsubscribe(self, _request: Request) -> Reply:
        self.subscribed = set()
        return Reply({"success": True})

    def _take(self, request: Request) -> Reply:
        body = request.json()
        person, text = text_at(body, "recipient", "id"), text_at(body, "message", "text", limit=_LONG)
        replies = value_at(body, "message", "quick_replies")
        if person is None or not person.isdecimal():
            return graph_error(100, "No matching user found", subcode=2018001)
        if text is None or not text.strip() or len(text.encode()) > TEXT_LIMIT_BYTES:
            return graph_error(100, "Length of param message[text] must be less than or equal to 1000")
        if replies is not None and not _are_good(replies):
            return graph_error(100, "Param message[quick_replies] is not valid")
        refusal = self._closed(person, body)
        if refusal is not None:
            return refusal
        self.sent.append(body)
        self.said.append(_shown(person, text, replies))
        return Reply({"recipient_id": person, "message_id": f"aWdfDEMO{len(self.said)}"})

    def _closed(self, person: str, body: Content) -> Reply | None:
        is_human = body.get("messaging_type") == "MESSAGE_TAG" and body.get("tag") == "HUMAN_AGENT"
        if person in self.blocked:
            return graph_error(551, "This person isn't available right now")
        if person in self.led_elsewhere:
            return graph_error(10, "Another app is controlling this thread now", subcode=2018300)
        if person in self.gone or (person in self.silent and not is_human):
            return graph_error(10, "This message is sent outside of allowed window", status=403, subcode=2534022)
        return None


def _are_good(replies: object) -> bool:
    if not isinstance(replies, list) or not 0 < len(replies) <= REPLIES_LIMIT:
        return False
    for reply in replies:
        if value_at(reply, "content_type") == "user_phone_number":
            continue
        title = text_at(object_at(reply), "title") or ""
        if value_at(reply, "content_type") != "text" or not 0 < len(title) <= REPLY_TITLE_LIMIT:
            return False
    return True


def _shown(person: str, text: str, replies: object) -> Said:
    shown = replies if isinstance(replies, list) else []
    titles = tuple(str(value_at(reply, "title")) for reply in shown if value_at(reply, "content_type") == "text")
    return Said(person, text, titles, asks_contact=len(titles) < len(shown))
