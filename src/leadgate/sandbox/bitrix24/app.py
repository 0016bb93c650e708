"""The sandbox's ASGI application: which address goes where, and the edge that never shows a traceback."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from importlib.resources import files
from urllib.parse import parse_qs

from leadgate.observability import get_logger
from leadgate.sandbox.bitrix24 import views
from leadgate.sandbox.bitrix24.clock import SandboxClock
from leadgate.sandbox.bitrix24.control import Control
from leadgate.sandbox.bitrix24.exchange import Exchange, Receive, Scope, Send
from leadgate.sandbox.bitrix24.faults import Faults
from leadgate.sandbox.bitrix24.page import Wishes, render_page
from leadgate.sandbox.bitrix24.portal import Portal
from leadgate.sandbox.bitrix24.rest import PREFIX, RestEndpoint
from leadgate.sandbox.bitrix24.words import choose_language

_log = get_logger("sandbox")

_PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with no-referrer a browser hides the origin of the page's own forms
}
_STATIC = {
    "/sandbox/style.css": ("leadgate.css", "text/css; charset=utf-8"),
    "/sandbox/icons.svg": ("icons.svg", "image/svg+xml"),
    "/sandbox/favicon.svg": ("favicon.svg", "image/svg+xml"),
}


class SandboxApp:
    """The ASGI callable."""

    def __init__(
        self, portal: Portal, faults: Faults, rest: RestEndpoint, *, control: Control, clock: SandboxClock
    ) -> None:
        self._portal = portal
        self._faults = faults
        self._rest = rest
        self._control = control
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP exchange; other kinds of scope are left alone."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        try:
            await self._serve(exchange)
        except Exception as error:  # noqa: BLE001 - the HTTP edge: the client gets an envelope, the log the kind of error
            _log.error("sandbox.request_failed", error_type=type(error).__name__)
            if not exchange.has_started:
                body = {"error": "INTERNAL_SERVER_ERROR", "error_description": "Internal server error"}
                await exchange.answer_json(HTTPStatus.INTERNAL_SERVER_ERROR, body)

    async def _serve(self, exchange: Exchange) -> None:
        path = exchange.path
        if path.startswith(PREFIX):
            await self._rest.serve(exchange)
        elif exchange.method == "GET" and path in _STATIC:
            name, kind = _STATIC[path]
            await exchange.answer(
                HTTPStatus.OK, _static(name), kind=kind, headers={"x-content-type-options": "nosniff"}
            )
        elif path.startswith("/sandbox/"):
            await self._control.serve(exchange)
        elif exchange.method == "GET" and path in {"/", "/leads.json", "/contacts.json"}:
            await self._show(exchange)
        else:
            body = {"error": "NOT_FOUND", "error_description": "No such address"}
            await exchange.answer_json(HTTPStatus.NOT_FOUND, body)

    async def _show(self, exchange: Exchange) -> None:
        if exchange.path == "/leads.json":
            await exchange.answer_json(HTTPStatus.OK, {"items": views.leads(self._portal)})
        elif exchange.path == "/contacts.json":
            await exchange.answer_json(HTTPStatus.OK, {"items": views.contacts(self._portal)})
        else:
            await self._show_page(exchange)

    async def _show_page(self, exchange: Exchange) -> None:
        query = parse_qs(exchange.query, max_num_fields=50)
        wish = query.get("lang", [""])[0]
        language = choose_language(wish, exchange.header("accept-language"))
        wishes = Wishes(language=language, is_live=query.get("live", ["1"])[0] != "0")
        html = render_page(self._portal, self._faults, wishes, now=self._clock.now())
        await exchange.answer(HTTPStatus.OK, html.encode(), kind="text/html; charset=utf-8", headers=_PAGE_HEADERS)


@cache
def _static(name: str) -> bytes:
    return files("leadgate").joinpath("web", "static", name).read_bytes()
