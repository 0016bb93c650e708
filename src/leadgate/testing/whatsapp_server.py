"""A double of the WhatsApp Cloud API on a real socket: messages with the documented limits, numbers, templates, subscriptions.

It posts nothing by itself: tests post the fixtures. `said` names a person by phone or business-scoped id, without our number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from leadgate.intake.untrusted import object_at, text_at, value_at
from leadgate.testing.graph_server import APP_ID, GraphServer, graph_error
from leadgate.testing.vendor_server import Reply, Request, Said

TEXT_LIMIT, BODY_LIMIT = 4096, 1024
BUTTONS_LIMIT, BUTTON_TITLE_LIMIT, BUTTON_ID_LIMIT = 3, 20, 256
ROWS_LIMIT, ROW_TITLE_LIMIT, ROW_ID_LIMIT = 10, 24, 200
OPAQUE_LIMIT = 512
_PHONE = re.compile(r"\+?[0-9]{5,20}", re.ASCII)
_BUSINESS_SCOPED_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}", re.ASCII)
_LONG = 10_000

Content = Mapping[str, object]


class WhatsAppServer(GraphServer):
    """One WhatsApp account with one number.

    Attributes:
        webhook: where Meta posts what comes to the number; `account_webhook` what the account says, where the number says nothing.
        app_webhook: what the dashboard of the app says; the last resort.
        subscribed: ids of the apps that hear the account.
        silent: persons who have not written for a day: only templates reach them.
        templates: status and number of parameters, by name and language.
        number: further fields of the number, for instance its `quality_rating`.
        sent: bodies of messages that were carried out.
    """

    def __init__(
        self,
        token: str = "EAADEMOtoken0001",  # noqa: S107 - an invented token
        *,
        number_id: str = "200000000000001",
        waba_id: str = "100000000000001",
    ) -> None:
        """A fresh account; nothing listens yet."""
        scopes = ("whatsapp_business_messaging", "whatsapp_business_management")
        super().__init__(token, "demo-app-secret", scopes)
        self.number_id = number_id
        self.waba_id = waba_id
        self.account_webhook = ""
        self.app_webhook = ""
        self.subscribed: set[str] = set()
        self.silent: set[str] = set()
        self.templates: dict[tuple[str, str], tuple[str, int]] = {}
        self.number: dict[str, object] = {}
        self.sent: list[Content] = []

    def limited(self, retry_after_s: int) -> Reply:
        """Over the throughput of the number; Meta names no time."""
        _ = retry_after_s
        return graph_error(130429, "Rate limit hit", status=429)

    def answer_app(self, method: str, path: str, request: Request) -> Reply:
        """Nothing here needs the app's own token."""
        _ = method, path, request
        return graph_error(10, "Application does not have permission for this action", status=403)

    def answer(self, method: str, path: str, request: Request) -> Reply:
        """The calls that we know; an id that is not ours is hidden, as Meta hides it."""
        calls: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("POST", f"/{self.number_id}/messages"): self._take,
            ("GET", f"/{self.number_id}"): self._tell_number,
            ("POST", f"/{self.number_id}"): self._set_number,
            ("GET", f"/{self.waba_id}/phone_numbers"): lambda _request: Reply({"data": [{"id": self.number_id}]}),
            ("GET", f"/{self.waba_id}/subscribed_apps"): self._tell_apps,
            ("POST", f"/{self.waba_id}/subscribed_apps"): self._subscribe,
            ("GET", f"/{self.waba_id}/message_templates"): self._tell_templates,
        }
        call = calls.get((method, path))
        if call is None:
            return graph_error(100, "Unsupported request. Object does not exist", subcode=33)
        return call(request)

    def _tell_number(self, _request: Request) -> Reply:
        levels = {
            "phone_number": self.webhook,
            "whatsapp_business_account": self.account_webhook,
            "application": self.app_webhook,
        }
        facts: dict[str, object] = {
            "id": self.number_id,
            "display_phone_number": "+7 900 000-00-01",
            "quality_rating": "GREEN",
            "status": "CONNECTED",
        }
        facts["webhook_configuration"] = {level: url for level, url in levels.items() if url}
        return Reply(facts | self.number)

    def _set_number(self, request: Request) -> Reply:
        target = object_at(request.json(), "webhook_configuration") or {}
        url = str(target.get("override_callback_uri", ""))
        if url and not (url.startswith("https://") and target.get("verify_token")):
            return graph_error(2200, "Callback verification failed")
        self.webhook = url
        return Reply({"success": True})

    def _tell_apps(self, _request: Request) -> Reply:
        override = {"override_callback_uri": self.account_webhook} if self.account_webhook else {}
        apps = [
            {"whatsapp_business_api_data": {"id": app_id, "name": "Demo"}} | (override if app_id == APP_ID else {})
            for app_id in sorted(self.subscribed)
        ]
        return Reply({"data": apps})

    def _subscribe(self, request: Request) -> Reply:
        """Without an address an address that stood there goes away."""
        url = str(request.json().get("override_callback_uri", ""))
        if url and not (url.startswith("https://") and request.json().get("verify_token")):
            return graph_error(2200, "Callback verification failed")
        self.subscribed.add(APP_ID)
        self.account_webhook = url
        return Reply({"success": True})

    def _tell_templates(self, _request: Request) -> Reply:
        data = [
            {"name": name, "language": language, "status": status, "id": "1"}
            for (name, language), (status, _count) in self.templates.items()
        ]
        return Reply({"data": data})

    def _take(self, request: Request) -> Reply:
        body = request.json()
        person = text_at(body, "to") or text_at(body, "recipient")
        problem = _address_problem(body) or _content_problem(body)
        if problem is not None or person is None:
            return problem or graph_error(131008, "Required parameter is missing")
        if person in self.blocked:
            return graph_error(131026, "Message undeliverable")
        if body.get("type") == "template":
            refusal = self._template_problem(body)
            if refusal is not None:
                return refusal
        elif person in self.silent:
            return graph_error(131047, "Re-engagement message")
        self.sent.append(body)
        self.said.append(_shown(person, body))
        contact = {"input": person, "wa_id" if "to" in body else "user_id": person}
        message_id = f"wamid.DEMO{len(self.said)}"
        return Reply({"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": message_id}]})

    def _template_problem(self, body: Content) -> Reply | None:
        name, language = text_at(body, "template", "name"), text_at(body, "template", "language", "code")
        known = self.templates.get((name or "", language or ""))
        if known is None:
            return graph_error(132001, "Template name does not exist in the translation", status=404)
        status, count = known
        if status != "APPROVED":
            return graph_error(132015, "Template is paused")
        given = [text for component in _list(body, "template", "components") for text in _list(component, "parameters")]
        if len(given) != count:
            return graph_error(132000, "Number of parameters does not match the expected number of params")
        texts = [text_at(parameter, "text", limit=_LONG) or "" for parameter in given]
        if any(not text.strip() or re.search(r"[\n\t]| {5}", text) for text in texts):
            return graph_error(
                132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"
            )
        return None


def _address_problem(body: Content) -> Reply | None:
    if body.get("messaging_product") != "whatsapp":
        return graph_error(100, "The parameter messaging_product is required.")
    to, recipient = text_at(body, "to"), text_at(body, "recipient")
    if to is not None:
        return None if _PHONE.fullmatch(to) else graph_error(131009, "Parameter value is not valid")
    if recipient is None or not _BUSINESS_SCOPED_ID.fullmatch(recipient):
        return graph_error(131009, "Parameter value is not valid")
    return None


def _content_problem(body: Content) -> Reply | None:
    if len(str(body.get("biz_opaque_callback_data", ""))) > OPAQUE_LIMIT:
        return graph_error(100, "biz_opaque_callback_data is too long")
    match body.get("type"):
        case "text":
            text = text_at(body, "text", "body", limit=_LONG)
            is_good = text is not None and bool(text.strip()) and len(text) <= TEXT_LIMIT
        case "interactive":
            is_good = _is_good_interactive(object_at(body, "interactive") or {})
        case "template":
            is_good = text_at(body, "template", "name") is not None
        case _:
            is_good = False
    return None if is_good else graph_error(131009, "Parameter value is not valid")


def _is_good_interactive(interactive: Content) -> bool:
    text = text_at(interactive, "body", "text", limit=_LONG)
    if text is None or not text.strip() or len(text) > BODY_LIMIT:
        return False
    match interactive.get("type"):
        case "button":
            buttons = [object_at(button, "reply") or {} for button in _list(interactive, "action", "buttons")]
            return _are_good(buttons, BUTTONS_LIMIT, BUTTON_TITLE_LIMIT, BUTTON_ID_LIMIT)
        case "list":
            opens = text_at(interactive, "action", "button") or ""
            return 0 < len(opens) <= BUTTON_TITLE_LIMIT and _are_good(
                _rows(interactive), ROWS_LIMIT, ROW_TITLE_LIMIT, ROW_ID_LIMIT
            )
        case "request_contact_info":
            return text_at(interactive, "action", "name") == "request_contact_info"
    return False


def _are_good(choices: list[Content], limit: int, title_limit: int, id_limit: int) -> bool:
    titles = [str(choice.get("title", "")) for choice in choices]
    ids = [str(choice.get("id", "")) for choice in choices]
    return (
        0 < len(choices) <= limit
        and all(0 < len(title) <= title_limit for title in titles)
        and all(0 < len(name) <= id_limit for name in ids)
        and len(set(titles)) == len(set(ids)) == len(choices)
    )


def _rows(interactive: Content) -> list[Content]:
    return [row for section in _list(interactive, "action", "sections") for row in _list(section, "rows")]


def _list(value: object, *path: str) -> list[Content]:
    found = value_at(value, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _shown(person: str, body: Content) -> Said:
    interactive = object_at(body, "interactive")
    if interactive is None:
        text = text_at(body, "text", "body", limit=_LONG) or f"[{text_at(body, 'template', 'name')}]"
        return Said(person, text)
    buttons = [object_at(button, "reply") or {} for button in _list(interactive, "action", "buttons")]
    titles = tuple(str(choice.get("title")) for choice in (*buttons, *_rows(interactive)))
    asks = interactive.get("type") == "request_contact_info"
    return Said(person, text_at(interactive, "body", "text", limit=_LONG) or "", titles, asks_contact=asks)
