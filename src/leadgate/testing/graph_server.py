"""What the doubles of WhatsApp and Instagram share: Meta's Graph API, its token, its error object, what it tells of a token."""

from __future__ import annotations

import re
from abc import abstractmethod

from leadgate.testing.vendor_server import Reply, Request, VendorServer

APP_ID = "500000000000001"
_PATH = re.compile(r"/v[0-9]+\.[0-9]+(?P<path>/.*)")


def graph_error(code: int, message: str = "Refused", *, status: int = 400, subcode: int | None = None) -> Reply:
    """An error as the Graph API writes it."""
    error: dict[str, object] = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}
    if subcode is not None:
        error["error_subcode"] = subcode
    return Reply({"error": error | {"fbtrace_id": "ADEMO"}}, status)


class GraphServer(VendorServer):
    """The Graph API for one app.

    Attributes:
        token: the only good access token; `app_secret` proves the app itself.
        scopes: permissions of the token; `expires_at` in Unix seconds, 0 when it does not expire.
        tells_token: `debug_token` answers.
    """

    def __init__(self, token: str, app_secret: str, scopes: tuple[str, ...]) -> None:
        """An app with one token; nothing listens yet."""
        super().__init__()
        self.token = token
        self.app_secret = app_secret
        self.scopes = scopes
        self.expires_at = 0
        self.tells_token = True

    @abstractmethod
    def answer(self, method: str, path: str, request: Request) -> Reply:
        """Do what this product of Meta does; `path` without the version."""

    @abstractmethod
    def answer_app(self, method: str, path: str, request: Request) -> Reply:
        """The same for a call that the app makes in its own name."""

    def carry_out(self, request: Request) -> Reply:
        """The token first, then the version."""
        found = _PATH.fullmatch(request.path)
        if found is None:
            return graph_error(2500, "Unknown path components", status=404)
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if given == f"{APP_ID}|{self.app_secret}":
            return self.answer_app(request.method, found["path"], request)
        if given != self.token:
            return graph_error(190, "Error validating access token: Session has expired", status=401, subcode=463)
        if found["path"] == "/debug_token":
            return self._debug_token(request)
        return self.answer(request.method, found["path"], request)

    def kill_token(self) -> None:
        """The owner made a new one."""
        self.token = "EAADEMOanothertoken"  # noqa: S105 - an invented token

    def _debug_token(self, request: Request) -> Reply:
        asked = request.form()
        if not self.tells_token or asked.get("method", request.method).lower() != "get":
            return graph_error(100, "Unsupported request")
        if asked.get("input_token") != self.token:
            return Reply({"data": {"error": {"code": 190, "message": "Malformed"}, "is_valid": False, "scopes": []}})
        data = {"app_id": APP_ID, "type": "SYSTEM_USER", "expires_at": self.expires_at, "is_valid": True}
        return Reply({"data": data | {"scopes": list(self.scopes)}})
