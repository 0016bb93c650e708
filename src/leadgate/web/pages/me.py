"""My way in: the app that counts time, passkeys, codes on paper, and my sessions. Everybody has this page."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.errors import AccessDeniedError, ConflictError, NotFoundError
from leadgate.web.access import PageRequest, fresh, session_of
from leadgate.web.forms import read_form
from leadgate.web.pages.login import demanded_site
from leadgate.web.sheet import WebPage, address, house_of, show
from leadgate.web.visits import site_of


@get("/me")
async def me(request: PageRequest) -> Response[str]:
    """What I prove with, and where I am signed in."""
    house, session = house_of(request), session_of(request)
    mine = [view for view in await house.roster.all() if view.staff.staff_id == request.user.staff_id]
    return show(
        request,
        "me.html",
        factors=await house.own_access.factors(request.user.staff_id),
        sessions=[one for view in mine for one in view.sessions],
        current=session.session_id if session else "",
        has_passkeys=site_of(request) is not None,
    )


@post("/me/codes", guards=[fresh], status_code=200)
async def begin_codes(request: PageRequest) -> Response[str]:
    """The secret for an app, shown this once."""
    return show(request, "me_codes.html", app=await house_of(request).own_access.begin_codes(request.user), error=None)


@post("/me/codes/confirm", guards=[fresh], status_code=200)
async def confirm_codes(request: PageRequest) -> Response[str]:
    """The first code of the app; the codes on paper are shown then."""
    code = (await read_form(request)).get("code", "")
    try:
        papers = await house_of(request).own_access.confirm_codes(request.user, code)
    except AccessDeniedError:
        return show(request, "me_codes.html", status=422, app=None, error="me.codes.wrong")
    return _done(request, "me.codes.done", papers)


@post("/me/codes/remove", guards=[fresh], status_code=303)
async def drop_codes(request: PageRequest) -> Redirect:
    """The app is asked for no more."""
    await house_of(request).own_access.drop_codes(request.user)
    return _back("codes_removed")


@post("/me/recovery", guards=[fresh], status_code=200)
async def new_recovery(request: PageRequest) -> Response[str]:
    """Fresh codes on paper, shown this once."""
    return _done(request, "me.recovery.done", await house_of(request).own_access.new_recovery(request.user))


@post("/me/passkeys/ask", guards=[fresh], status_code=200)
async def ask_passkey(request: PageRequest) -> dict[str, str]:
    """What the browser is asked to make, as JSON for our script."""
    asked = await house_of(request).own_access.ask_passkey(request.user, demanded_site(request))
    return {"ticket": asked.ticket, "options": asked.options}


@post("/me/passkeys", guards=[fresh], status_code=200)
async def add_passkey(request: PageRequest) -> Response[str] | Redirect:
    """Keep what the browser made."""
    form, site = await read_form(request), demanded_site(request)
    try:
        papers = await house_of(request).own_access.add_passkey(
            request.user,
            ticket=form.get("ticket", ""),
            answer=form.get("answer", ""),
            name=form.get("name", ""),
            site=site,
        )
    except (AccessDeniedError, ConflictError):
        return _back("passkey_refused")
    return _done(request, "me.passkeys.done", papers)


@post("/me/passkeys/{passkey_id:str}/remove", guards=[fresh], status_code=303)
async def drop_passkey(request: PageRequest, passkey_id: FromPath[str]) -> Redirect:
    """It opens nothing any more."""
    try:
        await house_of(request).own_access.drop_passkey(request.user, passkey_id)
    except NotFoundError:
        return _back("session_gone")
    return _back("passkey_removed")


@post("/me/sessions/{session_id:str}/end", status_code=303)
async def end_session(request: PageRequest, session_id: FromPath[str]) -> Redirect:
    """Sign out another browser of mine."""
    staff_id = request.user.staff_id
    try:
        await house_of(request).roster.end_session(session_id, by=staff_id, of=staff_id)
    except NotFoundError:
        return _back("session_gone")
    return _back("session_ended")


def _done(request: PageRequest, word: str, papers: Sequence[str]) -> Response[str]:
    return show(request, "me_done.html", word=word, papers=papers)


def _back(notice: str) -> Redirect:
    return Redirect(address("/me", notice=notice), status_code=303)


PAGE = WebPage(
    handlers=(
        me,
        begin_codes,
        confirm_codes,
        drop_codes,
        new_recovery,
        ask_passkey,
        add_passkey,
        drop_passkey,
        end_session,
    )
)
