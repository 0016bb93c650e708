"""MAX for Apprise, which knows it not: `max://TOKEN@CHAT_ID`. Imported together with the library, on first use.

Facts (the platform's schema of July 2026): `POST /messages?chat_id=`, the bare token in the header `Authorization`, a text of at
most 4000 characters; 401 and 403 mean the token, 404 the chat. The platform's certificate leads to the state's root, which Python
does not know: `?ca=FILE` names it, or `SSL_CERT_FILE` of the process. An answer is read no further than its status.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from apprise import NotifyBase, NotifyType

from leadgate.intake.addresses import base_address_problem

API_BASE = "https://platform-api2.max.ru"
TEXT_LIMIT = 4000
CONNECT_TIMEOUT_S = 4.0
ANSWER_TIMEOUT_S = 8.0
_TOKEN = re.compile(r"[!-~]{8,512}", re.ASCII)
_ID = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_CODES = {401: "alert.token_refused", 403: "alert.token_refused", 404: "alert.chat_unknown"}

_Base: Any = NotifyBase
"""The library's annotations forbid what its own plug-ins do, so its class is taken as it is."""


class NotifyMax(_Base):  # type: ignore[misc]  # see `_Base`
    """One bot and one chat; with `?to=user` the number is a person's."""

    service_name = "MAX"
    service_url = "https://max.ru/"
    setup_url = "https://dev.max.ru/"
    secure_protocol = "max"
    title_maxlen = 0
    body_maxlen = TEXT_LIMIT
    request_rate_per_sec = 0.5
    templates = ("{schema}://{token}@{target}",)
    template_tokens: Mapping[str, Any] = {
        **_Base.template_tokens,
        "token": {"name": "Bot Token", "type": "string", "private": True, "required": True, "map_to": "token"},
        "target": {"name": "Chat or User ID", "type": "string", "required": True, "map_to": "target"},
    }
    template_args: Mapping[str, Any] = {
        **_Base.template_args,
        "to": {"name": "Kind of ID", "type": "choice:string", "values": ("chat", "user"), "default": "chat"},
        "ca": {"name": "Root Certificates", "type": "string"},
        "api_base": {"name": "API Address", "type": "string"},
    }

    def __init__(
        self,
        *,
        token: str,
        target: str,
        to: str = "chat",
        ca: str = "",
        api_base: str = "",
        **more: Any,  # noqa: ANN401 - the library's own words
    ) -> None:
        """Refuses what cannot be an address. Raises TypeError, as the library expects, without the token in it."""
        super().__init__(**more)
        base = api_base.rstrip("/") or API_BASE
        if not _TOKEN.fullmatch(token) or not _ID.fullmatch(target) or to not in {"chat", "user"}:
            raise TypeError("MAX needs a token, the number of a chat, and to=chat or to=user.")
        if base_address_problem(base):
            raise TypeError("This is no address of the MAX Bot API.")
        self.token, self.target, self.to, self.ca, self.api_base = token, target, to, ca, base
        self.error_code: str | None = None

    def send(self, body: str, title: str = "", notify_type: NotifyType = NotifyType.INFO, **_: Any) -> bool:  # noqa: ANN401 - likewise
        """Post the text; False when it was not taken, with the cause in `error_code`."""
        _ignored = title, notify_type
        address = f"{self.api_base}/messages?{self.to}_id={self.target}"
        try:
            # A proxy of the environment is heeded, as by the rest of the library.
            with (
                httpx.Client(
                    verify=self._trust(), timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
                ) as http,
                http.stream(
                    "POST", address, headers={"Authorization": self.token}, json={"text": body[:TEXT_LIMIT]}
                ) as answer,
            ):
                status = answer.status_code
        except (httpx.HTTPError, OSError):  # OSError: the file of the root certificates cannot be read
            self.error_code = "alert.unreachable"
            return False
        self.error_code = None if status == httpx.codes.OK else _CODES.get(status, "alert.refused")
        return self.error_code is None

    def url(self, privacy: bool = False, *_: Any, **__: Any) -> str:  # noqa: ANN401, FBT001, FBT002 - the library's signature
        """The address again; with `privacy` without the token."""
        options = {name: value for name, value in (("to", self.to), ("ca", self.ca)) if value not in {"", "chat"}}
        if self.api_base != API_BASE:
            options["api_base"] = self.api_base
        token = "****" if privacy else quote(self.token, safe="")
        return f"max://{token}@{self.target}/" + (f"?{urlencode(options)}" if options else "")

    @staticmethod
    def parse_url(url: str) -> dict[str, Any] | None:
        """What the address says, or None when it is none of ours."""
        found: dict[str, Any] | None = _Base.parse_url(url, verify_host=False)
        if not found:
            return None
        options = found["qsd"]
        return found | {
            "token": _Base.unquote(found.get("user") or ""),
            "target": _Base.unquote(found.get("host") or ""),
            "to": options.get("to") or "chat",
            "ca": options.get("ca") or "",
            "api_base": options.get("api_base") or "",
        }

    def _trust(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context()
        if self.ca:
            context.load_verify_locations(cafile=self.ca)
        return context
