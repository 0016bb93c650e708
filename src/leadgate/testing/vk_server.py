"""A double of VK's API: messages, callback servers, the documented limits, and errors in the body of a 200 as VK has them."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping

from leadgate.testing.vendor_server import Reply, Request, Said, VendorServer

TEXT_LIMIT = 9000
LABEL_LIMIT = 40
ROWS_LIMIT, ROW_LIMIT, BUTTONS_LIMIT = 10, 5, 40
CALLS_PER_S = 20
SECRET_LIMIT = 50
TITLE_LIMIT = 14
_INT32 = range(-(2**31), 2**31)
_OUR_SERVER = 7


class VkServer(VendorServer):
    """One community.

    Attributes:
        token: the only good key; `permissions` what it may.
        group_id: of the community.
        code: the confirmation string that VK expects.
        status: how VK stands to our address: `ok`, `wait`, `failed` or `unconfigured`.
        secret: that VK sends to our address; `events` what is switched on for it.
        bot_features: the switch of the community without which keyboards are refused.
        expired: presses of buttons that are too old to acknowledge.
        answered: presses that were acknowledged.
    """

    def __init__(self, token: str = "vk1.a.demo-limon-key", group_id: int = 210000001) -> None:  # noqa: S107 - an invented key
        """A community with this key; nothing listens yet."""
        super().__init__()
        self.token = token
        self.group_id = group_id
        self.permissions = {"messages", "manage"}
        self.code = "a1b2c3d4"
        self.status = "ok"
        self.secret = ""
        self.events: dict[str, int] = {}
        self.bot_features = True
        self.expired: set[str] = set()
        self.answered: list[str] = []
        self._known: dict[tuple[str, str], int] = {}
        self._called_s: deque[float] = deque(maxlen=CALLS_PER_S)

    def carry_out(self, request: Request) -> Reply:
        """Key, version and rate first, as VK asks them."""
        parameters = request.form()
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _error(5, "User authorization failed: invalid access_token (4).")
        if "v" not in parameters:
            return _error(8, "Invalid request: v (version) is required")
        if self._is_too_quick():
            return _error(6, "Too many requests per second")
        method = request.path.removeprefix("/method/")
        carry_out = getattr(self, "_" + method.replace(".", "_"), None)
        if request.method != "POST" or carry_out is None:
            return _error(3, "Unknown method passed")
        if method.startswith("groups.") and "Callback" in method and "manage" not in self.permissions:
            return _error(15, "Access denied: no access to this method")
        reply = carry_out(parameters)
        return reply if isinstance(reply, Reply) else Reply({"response": reply})

    def kill_token(self) -> None:
        """The owner removed the key."""
        self.token = "vk1.a.another-key"  # noqa: S105 - an invented key

    def limited(self, retry_after_s: int) -> Reply:
        """VK names no time."""
        _ = retry_after_s
        return _error(6, "Too many requests per second")

    def _is_too_quick(self) -> bool:
        now_s = time.monotonic()
        is_full = len(self._called_s) == CALLS_PER_S and now_s - self._called_s[0] < 1
        if not is_full:
            self._called_s.append(now_s)
        return is_full

    def _messages_send(self, parameters: Mapping[str, str]) -> object:
        text, peer_id, random_id = (parameters.get(name, "") for name in ("message", "peer_id", "random_id"))
        keyboard = parameters.get("keyboard")
        titles = () if keyboard is None else _titles(keyboard)
        refusal = _message_refusal(text, peer_id, random_id) or self._person_refusal(peer_id, titles, keyboard)
        if refusal is not None:
            return refusal
        key = (peer_id, random_id)
        if int(random_id) == 0 or key not in self._known:
            self.said.append(Said(peer_id, text, titles or ()))
            self._known[key] = len(self.said)
        return self._known[key]

    def _person_refusal(self, peer_id: str, titles: tuple[str, ...] | None, keyboard: str | None) -> Reply | None:
        if peer_id in self.blocked:
            return _error(901, "Can't send messages for users without permission")
        if keyboard is not None and not self.bot_features:
            return _error(912, "This is a chat bot feature, change this status in settings")
        return _error(911, "Keyboard format is invalid") if titles is None else None

    def _messages_sendMessageEventAnswer(self, parameters: Mapping[str, str]) -> object:  # noqa: N802 - VK's name of the method
        event_id = parameters.get("event_id", "")
        if event_id in self.expired or not parameters.get("user_id") or not parameters.get("peer_id"):
            return _error(100, "One of the parameters specified was missing or invalid: event_id is invalid")
        self.answered.append(event_id)
        return 1

    def _groups_getById(self, _parameters: Mapping[str, str]) -> object:  # noqa: N802 - likewise
        return {"groups": [{"id": self.group_id, "name": "Студия Лимон", "screen_name": "limon_demo"}], "profiles": []}

    def _groups_getTokenPermissions(self, _parameters: Mapping[str, str]) -> object:  # noqa: N802 - likewise
        return {"mask": 266240, "permissions": [{"name": name, "setting": 1} for name in sorted(self.permissions)]}

    def _groups_getCallbackServers(self, _parameters: Mapping[str, str]) -> object:  # noqa: N802 - likewise
        other = {"id": 3, "title": "Other", "url": "https://other.example/vk", "secret_key": "other", "status": "ok"}
        ours = {
            "id": _OUR_SERVER,
            "title": "Leadgate",
            "url": self.webhook,
            "secret_key": self.secret,
            "status": self.status,
        }
        items = [other, ours] if self.webhook else [other]
        return {"count": len(items), "items": items}

    def _groups_addCallbackServer(self, parameters: Mapping[str, str]) -> object:  # noqa: N802 - likewise
        refusal = self._entered(parameters)
        return {"server_id": _OUR_SERVER} if refusal is None else refusal

    def _groups_editCallbackServer(self, parameters: Mapping[str, str]) -> object:  # noqa: N802 - likewise
        if parameters.get("server_id") != str(_OUR_SERVER):
            return _error(100, "One of the parameters specified was missing or invalid: server_id")
        refusal = self._entered(parameters)
        return 1 if refusal is None else refusal

    def _groups_deleteCallbackServer(self, parameters: Mapping[str, str]) -> object:  # noqa: N802 - likewise
        if parameters.get("server_id") == str(_OUR_SERVER):
            self.webhook = ""
        return 1

    def _groups_getCallbackSettings(self, _parameters: Mapping[str, str]) -> object:  # noqa: N802 - likewise
        return {
            "api_version": "5.199",
            "events": {"message_new": 0, "message_event": 0, "wall_post_new": 0, **self.events},
        }

    def _groups_setCallbackSettings(self, parameters: Mapping[str, str]) -> object:  # noqa: N802 - likewise
        switches = {name: value for name, value in parameters.items() if name.partition("_")[0] in {"message", "wall"}}
        self.events.update({name: int(value) for name, value in switches.items()})
        return 1

    def _groups_getCallbackConfirmationCode(self, _parameters: Mapping[str, str]) -> object:  # noqa: N802 - likewise
        return {"code": self.code}

    def _entered(self, parameters: Mapping[str, str]) -> Reply | None:
        url, secret, title = (parameters.get(name, "") for name in ("url", "secret_key", "title"))
        is_right = parameters.get("group_id") == str(self.group_id) and url.startswith("https://")
        if not is_right or not 0 < len(title) <= TITLE_LIMIT or len(secret) > SECRET_LIMIT:
            return _error(100, "One of the parameters specified was missing or invalid")
        self.webhook, self.secret = url, secret
        return None


def _message_refusal(text: str, peer_id: str, random_id: str) -> Reply | None:
    is_marked = random_id.lstrip("-").isdecimal() and int(random_id) in _INT32
    if not peer_id.lstrip("-").isdecimal() or not is_marked:
        return _error(100, "One of the parameters specified was missing or invalid: random_id is required")
    if not text.strip("\u200b \n"):
        return _error(100, "One of the parameters specified was missing or invalid: message is empty or invalid")
    return _error(914, "Message is too long") if len(text) > TEXT_LIMIT else None


def _titles(keyboard: str) -> tuple[str, ...] | None:
    """The labels, or None when VK would refuse the keyboard."""
    try:
        rows = json.loads(keyboard)["buttons"]
        titles = tuple(button["action"]["label"] for row in rows for button in row)
        is_typed = all(button["action"]["type"] == "text" for row in rows for button in row)
    except (ValueError, KeyError, TypeError):
        return None
    fits = len(rows) <= ROWS_LIMIT and all(0 < len(row) <= ROW_LIMIT for row in rows) and len(titles) <= BUTTONS_LIMIT
    return titles if is_typed and fits and all(0 < len(title) <= LABEL_LIMIT for title in titles) else None


def _error(number: int, message: str) -> Reply:
    """The status stays 200, and VK repeats the parameters of the request in its answer."""
    return Reply(
        {"error": {"error_code": number, "error_msg": message, "request_params": [{"key": "v", "value": "5.199"}]}}
    )
