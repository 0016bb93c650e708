"""Sign in and out. A fresh session at every sign-in, so that a token planted before it is worth nothing."""

from __future__ import annotations

import math

from litestar import Response, get, post
from litestar.response import Redirect

from leadgate.errors import AccessDeniedError
from leadgate.model.secret import Secret
from leadgate.web.access import PageRequest, is_https, local_path, session_of, session_token
from leadgate.web.cookies import ended_session_cookie, session_cookie
from leadgate.web.forms import read_form
from leadgate.web.sheet import WebPage, house_of, show


@get("/login", name="login")
async def ask(request: PageRequest) -> Response[str] | Redirect:
    """The form; whoever is signed in already goes on."""
    wish = local_path(request.query_params.get("next"))
    if session_of(request) is not None:
        return Redirect(wish, status_code=303)
    return show(request, "login.html", name="", next=wish, error=None, minutes=0)


@post("/login", status_code=303)
async def sign_in(request: PageRequest) -> Response[str] | Redirect:
    """Open a session and go where the person wanted to go."""
    form = await read_form(request)
    people, wish = house_of(request).people, local_path(form.get("next"))
    try:
        token = await people.sign_in(name=form.get("name", "").strip(), password=Secret(form.get("password", "")))
    except AccessDeniedError as error:
        return _refuse(request, error, name=form.get("name", ""), wish=wish)
    former = session_token(request)
    if former is not None:
        await people.sign_out(former)
    return Redirect(wish, status_code=303, cookies=[session_cookie(token, is_https=is_https(request))])


@post("/logout", status_code=303)
async def sign_out(request: PageRequest) -> Redirect:
    """End the session, here and on the server."""
    token = session_token(request)
    if token is not None:
        await house_of(request).people.sign_out(token)
    return Redirect("/login", status_code=303, cookies=[ended_session_cookie(is_https=is_https(request))])


def _refuse(request: PageRequest, error: AccessDeniedError, *, name: str, wish: str) -> Response[str]:
    if error.retry_after_s is None:
        return show(request, "login.html", status=401, name=name, next=wish, error="login.denied", minutes=0)
    minutes = math.ceil(error.retry_after_s / 60)
    response = show(request, "login.html", status=429, name=name, next=wish, error="login.slow_down", minutes=minutes)
    response.headers["retry-after"] = str(error.retry_after_s)
    return response


PAGE = WebPage(handlers=(ask, sign_in, sign_out), is_open=True)
