"""Addresses of the chat on a salon's page: the widget's files, visits, answers, the salon's own chat page.

A visitor's message goes to the webhook route like every other channel's; here it is only read from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from litestar import Request, Response, Router, get, post, route
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.enums import HttpMethod
from litestar.params import FromPath, SkipValidation

from leadgate.errors import WebhookRejectedError
from leadgate.intake.untrusted import find_object, text_at
from leadgate.model.connections import ConnectionState, OpenConnection
from leadgate.model.views import ChatMessage
from leadgate.ports.clock import Clock
from leadgate.web.site_answers import (
    NO_SNIFFING,
    asset_answer,
    json_answer,
    not_found,
    preflight_answer,
    problem,
    refusal,
)
from leadgate.web.site_cors import cors_headers
from leadgate.web.site_pace import OpenPolls, VisitPace
from leadgate.web.site_page import POLICY, SalonCard, render_chat_page, salon_mark
from leadgate.web.site_widget import LANGUAGES, script, stylesheet, texts

MAX_WAIT_S = 25.0
"""Longest long poll; proxies give up after 30 to 60 s."""

_VISIT_BODY_LIMIT_BYTES = 4096
_TOKEN_LIMIT_CHARACTERS = 1024
_WHOLE_NUMBER = re.compile(r"[0-9]{1,15}")
_OPEN_TO_STRANGERS = {"exclude_from_csrf": True, "exclude_from_auth": True}
"""Options of the routes: a visitor has no cookie of ours, so nothing can be forged with one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What the visitor sees first.

    Attributes:
        title: for instance `Салон «Лимон»`.
        subtitle: one short line, for instance `Люди на связи с 10 до 21`; may be empty.
        greeting: the bot's first words.
        buttons: quick answers under them.
    """

    title: str
    subtitle: str
    greeting: str
    buttons: Sequence[str] = ()


class SiteChat(Protocol):
    """What the chat needs of the house behind it; `leadgate.app` offers it."""

    def find_connection(self, connection_id: str) -> OpenConnection | None:
        """The live connection of this id, of any kind, or None."""
        ...

    def welcome(self, connection_id: str, language: str) -> Welcome:
        """What the visitor sees first, in this language (`ru` or `en`) or the salon's own."""
        ...

    def salon_card(self, connection_id: str) -> SalonCard | None:
        """What the chat page says of the salon; None when this connection has no such page."""
        ...

    async def messages(
        self, connection_id: str, visitor_id: str, *, after: int, wait_s: float
    ) -> Sequence[ChatMessage]:
        """What is newer than number `after`, oldest first, the visitor's own messages among it, unchanged.

        Returns at once when there is something, else as soon as there is, after `wait_s` with nothing.
        """
        ...


class OpenVisit(Protocol):
    """A visitor with a fresh token; see `leadgate.integrations.site.tokens.Visit`."""

    @property
    def visitor_id(self) -> str:
        """Goes with every message."""
        ...

    @property
    def token(self) -> str:
        """For the Authorization header."""
        ...

    @property
    def expires_at(self) -> datetime:
        """Until then the token works."""
        ...

    @property
    def visitor_expires_at(self) -> datetime:
        """Until then the token can be exchanged."""
        ...

    @property
    def renew_at(self) -> datetime:
        """From then on it is time to exchange it."""
        ...

    @property
    def renewed(self) -> bool:
        """True when the visitor was here before."""
        ...


class Visitors(Protocol):
    """Who may talk: `leadgate.integrations.site.tokens.VisitorTokens`, handed in; no vendor is named here."""

    def open_visit(self, connection: OpenConnection, *, origin: str, token: str | None, now: datetime) -> OpenVisit:
        """A fresh token, of the same visitor when the old one allows it. Raises WebhookRejectedError."""
        ...

    def visitor(self, connection: OpenConnection, *, origin: str | None, token: str, now: datetime) -> str:
        """Id of the visitor who holds this token. Raises WebhookRejectedError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDoor:
    """What the routes share.

    Attributes:
        static_url: where the house's stylesheet and icons are served, without a slash at the end.
    """

    chat: SiteChat
    visitors: Visitors
    clock: Clock
    pace: VisitPace
    polls: OpenPolls
    static_url: str


def site_router(chat: SiteChat, *, visitors: Visitors, clock: Clock, static_url: str = "/static") -> Router:
    """The routes of the site chat, ready to be added to the application."""
    door = SiteDoor(
        chat=chat, visitors=visitors, clock=clock, pace=VisitPace(), polls=OpenPolls(), static_url=static_url
    )
    return Router(
        "/",
        # First the answers to OPTIONS: for a path without one Litestar makes up its own, and keeps it.
        route_handlers=[ask_leave, widget_script, widget_stylesheet, open_visit, read_messages, chat_page],
        dependencies={"door": Provide(lambda: door, sync_to_thread=False)},
        include_in_schema=False,
        opt=_OPEN_TO_STRANGERS,
    )


_Request = Request[object, object, State]
_Door = NamedDependency[SkipValidation[SiteDoor]]


@get("/site/{connection_id:str}/widget.js", sync_to_thread=False)
def widget_script(request: _Request, connection_id: FromPath[str], door: _Door) -> Response[bytes]:
    """The script that a salon pastes into its page."""
    return asset_answer(script(), request.headers) if _find(door, connection_id) else not_found()


@get("/site/{connection_id:str}/widget.css", sync_to_thread=False)
def widget_stylesheet(request: _Request, connection_id: FromPath[str], door: _Door) -> Response[bytes]:
    """Its styles, for browsers that need them apart."""
    return asset_answer(stylesheet(), request.headers) if _find(door, connection_id) else not_found()


@post("/site/{connection_id:str}/visits", status_code=200)
async def open_visit(request: _Request, connection_id: FromPath[str], door: _Door) -> Response[bytes]:
    """Let a visitor in, or exchange an old token for a fresh one of the same visitor."""
    connection, origin = _find(door, connection_id), request.headers.get("origin")
    headers = cors_headers(origin, connection)
    if connection is None:
        return not_found()
    wait_s = door.pace.wait_s(_peer(request), monotonic_s=door.clock.monotonic_s())
    if wait_s:
        headers["Retry-After"] = str(wait_s)
        return problem("site.too_many_visits", "Too many visits.", status=429, headers=headers)
    body = find_object(await _bounded_body(request))
    token, language = text_at(body, "token", limit=_TOKEN_LIMIT_CHARACTERS), text_at(body, "language") or ""
    now = door.clock.now()
    try:
        visit = door.visitors.open_visit(connection, origin=origin or "", token=token, now=now)
    except WebhookRejectedError as error:
        return refusal(error, headers)
    return json_answer(_first_words(door, connection_id, language) | _pass(visit, now), headers)


@get("/site/{connection_id:str}/messages")
async def read_messages(request: _Request, connection_id: FromPath[str], door: _Door) -> Response[bytes]:
    """What is new for this visitor; waits for it as long as the visitor likes, within bounds."""
    connection, origin = _find(door, connection_id), request.headers.get("origin")
    headers = cors_headers(origin, connection)
    if connection is None:
        return not_found()
    after, wait_s = (request.query_params.get(name, "0") for name in ("after", "wait"))
    if not _WHOLE_NUMBER.fullmatch(after) or not _WHOLE_NUMBER.fullmatch(wait_s):
        title = "`after` and `wait` are whole numbers."
        return problem("site.query_invalid", title, status=400, headers=headers)
    try:
        visitor_id = door.visitors.visitor(connection, origin=origin, token=_bearer(request), now=door.clock.now())
    except WebhookRejectedError as error:
        return refusal(error, headers)
    with door.polls.waiting(_peer(request)) as may_wait:
        patience_s = min(float(wait_s), MAX_WAIT_S) if may_wait else 0.0
        found = await door.chat.messages(connection_id, visitor_id, after=int(after), wait_s=patience_s)
    return json_answer({"messages": [_shown(message) for message in found]}, headers)


@route(
    ["/site/{connection_id:str}/visits", "/site/{connection_id:str}/messages"],
    http_method=[HttpMethod.OPTIONS],
    sync_to_thread=False,
)
def ask_leave(request: _Request, connection_id: FromPath[str], door: _Door) -> Response[bytes]:
    """The browser's question whether this page may talk to us."""
    return preflight_answer(request.headers.get("origin"), _find(door, connection_id))


@get("/chat/{connection_id:str}", sync_to_thread=False)
def chat_page(connection_id: FromPath[str], door: _Door) -> Response[bytes]:
    """The salon's own page with the chat, to be given to clients as a link."""
    card = door.chat.salon_card(connection_id) if _find(door, connection_id) else None
    if card is None:
        return not_found()
    page = render_chat_page(card, connection_id=connection_id, static_url=door.static_url)
    headers = {
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-cache",
        **NO_SNIFFING,
    }
    return Response(page.encode(), media_type="text/html", headers=headers)


def _find(door: SiteDoor, connection_id: str) -> OpenConnection | None:
    """The connection when it is one of a site that is not removed."""
    found = door.chat.find_connection(connection_id)
    fits = found and found.connection.kind == "site" and found.connection.state is not ConnectionState.REMOVED
    return found if fits else None


def _first_words(door: SiteDoor, connection_id: str, language: str) -> dict[str, object]:
    known = language if language in LANGUAGES else LANGUAGES[0]
    welcome = door.chat.welcome(connection_id, known)
    return {
        "title": welcome.title,
        "mark": salon_mark(welcome.title),
        "subtitle": welcome.subtitle,
        "greeting": welcome.greeting,
        "buttons": list(welcome.buttons),
        "placeholder": texts(known)["widget"]["placeholder"],
    }


def _pass(visit: OpenVisit, now: datetime) -> dict[str, object]:
    return {
        "visitor": visit.visitor_id,
        "token": visit.token,
        "token_expires_at": visit.expires_at.isoformat(),
        "visitor_expires_at": visit.visitor_expires_at.isoformat(),
        "renew_after_s": max(0, int((visit.renew_at - now).total_seconds())),
        "renewed": visit.renewed,
    }


def _shown(message: ChatMessage) -> dict[str, object]:
    return {
        "number": message.number,
        "outgoing": message.outgoing,
        "text": message.text,
        "buttons": list(message.buttons),
        "at": message.at.isoformat(),
    }


def _peer(request: _Request) -> str:
    """Address of the peer as the server sees it (behind a proxy the server is told to trust its header)."""
    return request.client.host if request.client else ""


def _bearer(request: _Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _bounded_body(request: _Request) -> bytes:
    """The body, or nothing when it is larger than a token and a language can be."""
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > _VISIT_BODY_LIMIT_BYTES:
            return b""
    return bytes(parts)
