"""Sign in and out. A fresh session at every sign-in, so that a token planted before it is worth nothing.

Whoever has a second factor is asked for it after the password. A passkey verifies its person itself and needs no password.
"""

from __future__ import annotations

import math

from litestar import Response, get, post
from litestar.exceptions import NotFoundException, TooManyRequestsException
from litestar.response import Redirect

from leadgate.errors import AccessDeniedError, NotFoundError
from leadgate.model.secret import Secret
from leadgate.model.staff import SignIn
from leadgate.staff.passkeys import Site
from leadgate.web.access import PageRequest, is_https, local_path, session_of, session_token
from leadgate.web.cookies import device_cookie, ended_session_cookie, session_cookie
from leadgate.web.forms import read_form
from leadgate.web.sheet import WebPage, house_of, show
from leadgate.web.visits import site_of, visit_of

_WORDS = {
    "access.denied": "login.denied",
    "staff.code_wrong": "login.code_wrong",
    "staff.passkey_refused": "login.passkey_refused",
}
"""Code of the refusal -> words for it."""


@get("/login", name="login")
async def ask(request: PageRequest) -> Response[str] | Redirect:
    """The form; whoever is signed in already goes on."""
    wish = local_path(request.query_params.get("next"))
    if session_of(request) is not None:
        return Redirect(wish, status_code=303)
    return _show(request, wish=wish)


@post("/login", status_code=303)
async def sign_in(request: PageRequest) -> Response[str] | Redirect:
    """Open a session and go where the person wanted to go, or ask for the second step."""
    form = await read_form(request)
    people, wish, name = house_of(request).people, local_path(form.get("next")), form.get("name", "")
    try:
        done = await people.sign_in(
            name=name.strip(), password=Secret(form.get("password", "")), visit=visit_of(request)
        )
    except AccessDeniedError as error:
        return _show(request, wish=wish, name=name, error=error)
    if done.ticket is not None:
        return show(request, "login_second.html", ticket=done.ticket, next=wish, error=None, minutes=0)
    return await enter(request, done, wish)


@post("/login/second", status_code=303)
async def second(request: PageRequest) -> Response[str] | Redirect:
    """The code of the app, or one on paper."""
    form = await read_form(request)
    ticket, wish = form.get("ticket", ""), local_path(form.get("next"))
    try:
        done = await house_of(request).people.sign_in_second(ticket, code=form.get("code", ""), visit=visit_of(request))
    except NotFoundError:
        return _show(request, wish=wish, word="login.second_over")
    except AccessDeniedError as error:
        return _show(request, wish=wish, error=error, template="login_second.html", ticket=ticket)
    return await enter(request, done, wish)


@post("/login/passkey/ask", status_code=200)
async def ask_passkey(request: PageRequest) -> dict[str, str]:
    """What a browser is asked for, as JSON for our script."""
    return await told_passkey(request, own=False)


@post("/login/passkey", status_code=303)
async def sign_in_by_passkey(request: PageRequest) -> Response[str] | Redirect:
    """Sign in by what the browser answered."""
    form, site = await read_form(request), demanded_site(request)
    wish = local_path(form.get("next"))
    try:
        done = await house_of(request).people.sign_in_by_passkey(
            form.get("ticket", ""), answer=form.get("answer", ""), site=site, visit=visit_of(request)
        )
    except AccessDeniedError as error:
        return _show(request, wish=wish, error=error)
    return await enter(request, done, wish)


@post("/logout", status_code=303)
async def sign_out(request: PageRequest) -> Redirect:
    """End the session, here and on the server."""
    token = session_token(request)
    if token is not None:
        await house_of(request).people.sign_out(token)
    return Redirect("/login", status_code=303, cookies=[ended_session_cookie(is_https=is_https(request))])


async def enter(request: PageRequest, done: SignIn, wish: str) -> Redirect:
    """Give the browser its session; the one it had before ends."""
    former, secure = session_token(request), is_https(request)
    if former is not None:
        await house_of(request).people.sign_out(former)
    cookies = [session_cookie(done.token or "", is_https=secure)]
    if done.device is not None:
        cookies.append(device_cookie(done.device, is_https=secure))
    return Redirect(wish, status_code=303, cookies=cookies)


async def told_passkey(request: PageRequest, *, own: bool) -> dict[str, str]:
    """Ticket and options; `own` asks for a passkey of whoever is signed in. Raises TooManyRequestsException."""
    people, site = house_of(request).people, demanded_site(request)
    peer = request.client.host if request.client else ""
    wait_s = request.app.state.passkey_pace.wait_s(peer, monotonic_s=house_of(request).clock.monotonic_s())
    if wait_s:
        raise TooManyRequestsException("Too many at once.", headers={"retry-after": str(wait_s)})
    token = session_token(request)
    asked = await (people.ask_own_passkey(token, site) if own and token else people.ask_passkey(site))
    return {"ticket": asked.ticket, "options": asked.options}


def demanded_site(request: PageRequest) -> Site:
    """The site of passkeys. Raises NotFoundException where there can be none."""
    site = site_of(request)
    if site is None:
        raise NotFoundException("Passkeys need a name in place of an address of figures.")
    return site


def _show(
    request: PageRequest,
    *,
    wish: str,
    name: str = "",
    error: AccessDeniedError | None = None,
    word: str | None = None,
    template: str = "login.html",
    ticket: str = "",
) -> Response[str]:
    """The form again with what was wrong, or the first time."""
    wait_s = error.retry_after_s if error else None
    if error is not None:
        word = "login.slow_down" if wait_s is not None else _WORDS.get(error.code, "login.denied")
    status = 429 if wait_s is not None else 401 if word else 200
    response = show(
        request,
        template,
        status=status,
        name=name,
        next=wish,
        error=word,
        minutes=math.ceil((wait_s or 0) / 60),
        ticket=ticket,
        has_passkeys=site_of(request) is not None,
    )
    if wait_s is not None:
        response.headers["retry-after"] = str(wait_s)
    return response


PAGE = WebPage(handlers=(ask, sign_in, second, ask_passkey, sign_in_by_passkey, sign_out), is_open=True)
