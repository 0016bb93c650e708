"""Programs that use the API: which there are, and making and ending a token."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.errors import ConfigurationError
from leadgate.model.staff import EVERY_AREA, Role
from leadgate.web.access import Act, PageRequest, allowed, fresh, may_grant
from leadgate.web.forms import read_form
from leadgate.web.sheet import WebPage, address, house_of, show

DAYS = (30, 60, 90, 180, 366)
REACHES = ("all", "read")
"""What of its role a token may do, as the page offers it; finer scopes are given by command and API."""


@get("/tokens")
async def tokens(request: PageRequest) -> Response[str]:
    """Every token, the live ones first."""
    house = house_of(request)
    now, found = house.clock.now(), await house.tokens.all()
    return show(
        request,
        "tokens.html",
        live=[one for one in found if one.is_live(now)],
        over=[one for one in found if not one.is_live(now)],
    )


@get("/tokens/new", guards=[allowed(Act.TOKENS), fresh])
async def form(request: PageRequest) -> Response[str]:
    """What the program may."""
    return _ask(request)


@post("/tokens/new", guards=[allowed(Act.TOKENS), fresh], status_code=200)
async def create(request: PageRequest) -> Response[str]:
    """Make it; its text is shown this once."""
    given = await read_form(request)
    roles = [role for role in _grantable(request) if role.value == given.get("role")]
    days = [days for days in DAYS if str(days) == given.get("days")]
    if not roles or not days or given.get("reach") not in REACHES:
        return _ask(request, name=given.get("name", ""), error="tokens.error.choose")
    scopes = None if given["reach"] == "all" else [f"{EVERY_AREA}:read"]
    try:
        token, secret = await house_of(request).tokens.create(
            role=roles[0], days=days[0], name=given.get("name", ""), scopes=scopes, by=request.user.staff_id
        )
    except ConfigurationError:
        return _ask(request, name=given.get("name", ""), error="tokens.error.name")
    return show(request, "token_made.html", token=token, secret=secret)


@post("/tokens/{token_id:str}/revoke", guards=[allowed(Act.TOKENS)], status_code=303)
async def revoke(request: PageRequest, token_id: FromPath[str]) -> Redirect:
    """It opens nothing any more. No fresh proof is asked for: it only takes access away."""
    await house_of(request).tokens.revoke(token_id, by=request.user.staff_id)
    return Redirect(address("/tokens", notice="token_revoked"), status_code=303)


def _grantable(request: PageRequest) -> list[Role]:
    return [role for role in Role if may_grant(request.user.role, role)]


def _ask(request: PageRequest, *, name: str = "", error: str | None = None) -> Response[str]:
    return show(
        request,
        "token_new.html",
        status=422 if error else 200,
        name=name,
        error=error,
        roles=_grantable(request),
        days=DAYS,
        reaches=REACHES,
    )


PAGE = WebPage(handlers=(tokens, form, create, revoke))
