"""Who may do what on the pages: the session, one table of roles, and the check of every form.

Forms of a signed-in person carry the session's own token (`csrf`). Sign-in and set-up have no session yet, so for them the
browser's word decides: `Origin`, or `Sec-Fetch-Site` where it is missing, must name this very site. Every browser in use sends
one of the two with a form, and no page can forge them; a program that sends neither is no browser and carries nobody's cookie.
A double-submit cookie was left out: it would add a cookie and still trust whoever may write one on a sister domain. The check of
the origin is made for every form, the token besides it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from leadgate.model.staff import Role, Session, Staff
from leadgate.web.cookies import session_cookie_name
from leadgate.web.house import House

PageRequest = Request[Staff, Session, State]
Connection = ASGIConnection[Any, Any, Any, Any]
"""A request, or what a guard is given before it is one."""

CSRF_FIELD = "csrf"
PROVE = "access.prove"
"""The code of what needs a fresh proof."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Act(StrEnum):
    """What a person may do beyond reading."""

    RETRY = "retry"
    DISCARD = "discard"
    FIX = "fix"
    REVEAL = "reveal"
    CONNECT = "connect"
    RECONCILE = "reconcile"
    PRIVACY = "privacy"
    KEYS = "keys"
    PEOPLE = "people"
    TOKENS = "tokens"


_EVERYTHING = frozenset(Act)
ALLOWED: dict[Role, frozenset[Act]] = {
    Role.OWNER: _EVERYTHING,
    Role.INTEGRATOR: _EVERYTHING - {Act.PEOPLE},
    Role.MANAGER: frozenset({Act.RETRY, Act.FIX, Act.REVEAL}),
    Role.AUDITOR: frozenset(),
}
"""The one table of roles. Reading needs no act: everybody who is signed in may."""


def may(role: Role, act: Act) -> bool:
    """True when this role may do this."""
    return act in ALLOWED[role]


def may_grant(own: Role, given: Role) -> bool:
    """True when whoever has `own` may hand out `given`: nobody makes a token that may more than they themselves."""
    return ALLOWED[given] <= ALLOWED[own]


def is_https(connection: Connection) -> bool:
    """True when the world reaches us by https, by our own word or by the connection."""
    house: House = connection.app.state.house
    return (house.public_url or "").startswith("https://") or connection.url.scheme == "https"


def session_of(connection: Connection) -> Session | None:
    """The session found by `recognise`, or None for a stranger."""
    session: Session | None = connection.scope.get("auth")
    return session


def session_token(connection: Connection) -> str | None:
    """The token in the session's cookie, or None."""
    return connection.cookies.get(session_cookie_name(is_https=is_https(connection)))


async def recognise(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard: finds out who is there; strangers pass."""
    house: House = connection.app.state.house
    token = session_token(connection)
    session = await house.people.find_session(token) if token else None
    connection.scope["auth"] = session
    connection.scope["user"] = session.staff if session else None


def signed_in(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard: strangers are sent to sign in. Raises NotAuthorizedException."""
    if session_of(connection) is None:
        raise NotAuthorizedException("Sign in first.")


@dataclass(frozen=True, slots=True)
class ActGuard:
    """Lets pass whose role may do this; raises PermissionDeniedException. The table of rights is read from it, too."""

    act: Act

    def __call__(self, connection: Connection, _: BaseRouteHandler) -> None:
        """Check the session's role."""
        session = session_of(connection)
        if session is None or not may(session.staff.role, self.act):
            raise PermissionDeniedException("Your role may not do this.", extra={"code": "access.role"})


def allowed(act: Act) -> Guard:
    """Makes a guard that lets pass whose role may do this."""
    return ActGuard(act)


def fresh(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard of dangerous acts: passes who showed who they are within ten minutes; others are asked again, and then go on.

    Raises:
        NotAuthorizedException: code `access.prove`; `next` is the page to go back to.
    """
    session, house = session_of(connection), connection.app.state.house
    if session is not None and session.is_fresh(house.clock.now()):
        return
    raise NotAuthorizedException("Show again who you are.", extra={"code": PROVE, "next": _page_of(connection)})


async def honest_form(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard: a form comes from our own page. Raises PermissionDeniedException."""
    if connection.scope.get("method") in _SAFE_METHODS:
        return
    if not _is_own_origin(connection):
        raise PermissionDeniedException("The form comes from another site.", extra={"code": "access.foreign_form"})
    session = session_of(connection)
    if session is not None and not await _has_token(connection, session):
        raise PermissionDeniedException("The form is outdated.", extra={"code": "access.form_outdated"})


def local_path(wish: str | None) -> str:
    """Where to go after sign-in: a path of ours, or `/` for everything that might lead outside."""
    if not wish or not wish.startswith("/") or wish.startswith(("//", "/\\")) or not wish.isprintable() or "\\" in wish:
        return "/"
    return wish


def _page_of(connection: Connection) -> str:
    """The page that was asked for; of a form that on which it stands, for what was pressed is not done by itself later."""
    if connection.scope.get("method") in _SAFE_METHODS:
        return local_path(connection.url.path)
    referrer = urlsplit(connection.headers.get("referer", ""))
    return local_path(referrer.path) if referrer.netloc == connection.headers.get("host", "") else "/"


def _is_own_origin(connection: Connection) -> bool:
    origin = connection.headers.get("origin")
    if origin is None:
        return connection.headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
    house: House = connection.app.state.house
    own_hosts = {connection.headers.get("host", ""), urlsplit(house.public_url or "").netloc} - {""}
    return urlsplit(origin).netloc in own_hosts


async def _has_token(connection: Connection, session: Session) -> bool:
    if not isinstance(connection, Request):
        return False
    given = (await connection.form()).get(CSRF_FIELD)
    return isinstance(given, str) and hmac.compare_digest(given.encode(), session.csrf_token.encode())
