"""Sign in and out. A fresh session at every sign-in, so that a token planted before it is worth nothing."""

from __future__ import annotations

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
    return show(request, "login.html", name="", next=wish, error=None)


@post("/login", status_code=303)
async def sign_in(request: PageRequest) -> Response[str] | Redirect:
    """Open a session and go where the person wanted to go."""
    form = await read_form(request)
    people, wish = house_of(request).people, local_path(form.get("next"))
    try:
        token = await people.sign_in(name=form.get("name", "").strip(), password=Secret(form.get("password", "")))
    except AccessDeniedError as error:
        word = "login.slow_down" if error.code == "access.slow_down" else "login.denied"
        status = 429 if error.code == "access.slow_down" else 401
        return show(request, "login.html", status=status, name=form.get("name", ""), next=wish, error=word)
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


PAGE = WebPage(handlers=(ask, sign_in, sign_out), is_open=True)
