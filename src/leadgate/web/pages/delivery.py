"""One delivery on a page of its own, and what a person may do with it."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.errors import ConfigurationError, ConflictError
from leadgate.web.access import Act, PageRequest, allowed
from leadgate.web.forms import read_form
from leadgate.web.pages.deliveries import tools
from leadgate.web.sheet import WebPage, address, house_of, show

MAX_REASON_LENGTH = 200


@get("/deliveries/{delivery_id:str}")
async def delivery(request: PageRequest, delivery_id: FromPath[str]) -> Response[str]:
    """The delivery with its whole history."""
    detail = await house_of(request).desk.delivery(delivery_id)
    return show(request, "delivery.html", detail=detail, reason_missing=False, **tools(request))


@post("/deliveries/{delivery_id:str}/retry", guards=[allowed(Act.RETRY)], status_code=303)
async def retry(request: PageRequest, delivery_id: FromPath[str]) -> Redirect:
    """Send it again."""
    try:
        await house_of(request).desk.retry(delivery_id, by=request.user.staff_id)
    except ConflictError:
        return _back(delivery_id, "conflict")
    return _back(delivery_id, "retried")


@post("/deliveries/{delivery_id:str}/confirm", guards=[allowed(Act.RETRY)], status_code=303)
async def confirm(request: PageRequest, delivery_id: FromPath[str]) -> Redirect:
    """It did arrive."""
    try:
        await house_of(request).desk.confirm(delivery_id, by=request.user.staff_id)
    except ConflictError:
        return _back(delivery_id, "conflict")
    return _back(delivery_id, "confirmed")


@post("/deliveries/{delivery_id:str}/discard", guards=[allowed(Act.DISCARD)], status_code=303)
async def discard(request: PageRequest, delivery_id: FromPath[str]) -> Response[str] | Redirect:
    """Give it up, with a reason."""
    desk = house_of(request).desk
    reason = (await read_form(request)).get("reason", "").strip()[:MAX_REASON_LENGTH]
    try:
        await desk.discard(delivery_id, reason=reason, by=request.user.staff_id)
    except ConfigurationError:
        detail = await desk.delivery(delivery_id)
        return show(request, "delivery.html", status=422, detail=detail, reason_missing=True, **tools(request))
    except ConflictError:
        return _back(delivery_id, "conflict")
    return _back(delivery_id, "discarded")


def _back(delivery_id: str, notice: str) -> Redirect:
    return Redirect(address(f"/deliveries/{delivery_id}", notice=notice), status_code=303)


PAGE = WebPage(handlers=(delivery, retry, confirm, discard))
