"""Show again who you are, before a dangerous act: by a passkey, a code, or the password of whoever has neither."""

from __future__ import annotations

import math

from litestar import Response, get, post
from litestar.response import Redirect

from leadgate.errors import AccessDeniedError
from leadgate.model.secret import Secret
from leadgate.web.access import PageRequest, local_path, session_token
from leadgate.web.forms import read_form
from leadgate.web.pages.login import demanded_site, told_passkey
from leadgate.web.sheet import WebPage, address, house_of, show
from leadgate.web.visits import site_of


@get("/prove")
async def ask(request: PageRequest) -> Response[str]:
    """The form. `again`: what was pressed was not done, and must be pressed once more."""
    wish = local_path(request.query_params.get("next"))
    return await _show(request, wish, is_again=request.query_params.get("again") == "1")


@post("/prove", status_code=303)
async def prove(request: PageRequest) -> Response[str] | Redirect:
    """By password or code."""
    form = await read_form(request)
    wish, is_again = local_path(form.get("next")), form.get("again") == "1"
    code, password = form.get("code"), form.get("password")
    try:
        await house_of(request).people.prove(
            session_token(request) or "", password=Secret(password) if password is not None else None, code=code
        )
    except AccessDeniedError as error:
        return await _show(request, wish, is_again=is_again, error=error)
    return _go_on(wish, is_again=is_again)


@post("/prove/passkey/ask", status_code=200)
async def ask_passkey(request: PageRequest) -> dict[str, str]:
    """What the browser is asked for, as JSON for our script."""
    return await told_passkey(request, own=True)


@post("/prove/passkey", status_code=303)
async def prove_by_passkey(request: PageRequest) -> Response[str] | Redirect:
    """By what the browser answered."""
    form, site = await read_form(request), demanded_site(request)
    wish, is_again = local_path(form.get("next")), form.get("again") == "1"
    try:
        await house_of(request).people.prove_by_passkey(
            session_token(request) or "", ticket=form.get("ticket", ""), answer=form.get("answer", ""), site=site
        )
    except AccessDeniedError as error:
        return await _show(request, wish, is_again=is_again, error=error)
    return _go_on(wish, is_again=is_again)


def _go_on(wish: str, *, is_again: bool) -> Redirect:
    return Redirect(address(wish, notice="proven") if is_again else wish, status_code=303)


async def _show(
    request: PageRequest, wish: str, *, is_again: bool, error: AccessDeniedError | None = None
) -> Response[str]:
    wait_s = error.retry_after_s if error else None
    response = show(
        request,
        "prove.html",
        status=429 if wait_s is not None else 401 if error else 200,
        next=wish,
        is_again=is_again,
        error=_word(error),
        minutes=math.ceil((wait_s or 0) / 60),
        factors=await house_of(request).own_access.factors(request.user.staff_id),
        has_passkeys=site_of(request) is not None,
    )
    if wait_s is not None:
        response.headers["retry-after"] = str(wait_s)
    return response


def _word(error: AccessDeniedError | None) -> str | None:
    if error is None:
        return None
    if error.retry_after_s is not None:
        return "login.slow_down"
    words = {"staff.code_wrong": "login.code_wrong", "staff.passkey_refused": "login.passkey_refused"}
    return words.get(error.code, "prove.denied")


PAGE = WebPage(handlers=(ask, prove, ask_passkey, prove_by_passkey))
