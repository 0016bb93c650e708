"""Headers that every answer carries unless its handler has set its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: browsers then send `Origin: null` with our own forms, and `access.py` compares the origin.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_HSTS = "max-age=31536000; includeSubDomains"


def harden(*, is_https: bool) -> Callable[[Message, Scope], Awaitable[None]]:
    """A `before_send` hook that adds the headers; with HSTS when the world reaches us by https."""
    headers = {**_HEADERS, "strict-transport-security": _HSTS} if is_https else _HEADERS

    async def add_headers(message: Message, _: Scope) -> None:
        if message["type"] == "http.response.start":
            present = MutableScopeHeaders.from_message(message)
            for name, value in headers.items():
                present.setdefault(name, value)

    return add_headers
