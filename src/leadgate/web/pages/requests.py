"""Requests of people about their own data: what is open, by days left, and what to do next."""

from __future__ import annotations

from typing import Any

from litestar import Response, get

from leadgate.model.requests import RequestKind, RequestView
from leadgate.web.access import PageRequest
from leadgate.web.sheet import MenuEntry, WebPage, house_of, show
from leadgate.web.states import REQUESTS

ROWS_PER_PAGE = 50
_SOON, _NOW = 5, 1
"""Working days left from which on a request looks warm, and hot."""


@get("/requests")
async def requests(request: PageRequest) -> Response[str]:
    """The open ones, or those that are closed (`state=closed`)."""
    desk, is_open = house_of(request).requests, request.query_params.get("state") != "closed"
    cursor = request.query_params.get("cursor")
    page = await desk.page(is_open=is_open, limit=ROWS_PER_PAGE, cursor=cursor)
    return show(
        request,
        "requests.html",
        rows=page.items,
        next_cursor=page.next_cursor,
        is_later_page=cursor is not None,
        is_open=is_open,
        **tools(request),
    )


def tools(request: PageRequest) -> dict[str, Any]:
    """What the templates of requests need besides them."""
    return {"tone_of": tone_of, "next_of": next_of, "ends": REQUESTS, "calendar": house_of(request).requests.calendar()}


def tone_of(view: RequestView) -> tuple[str, str]:
    """Colour and shape of an open request."""
    if view.is_late or view.days_left <= _NOW:
        return "is-bad", "bad"
    return ("is-warn", "alert") if view.days_left <= _SOON else ("", "wait")


def next_of(view: RequestView) -> str | None:
    """The page where it can be fulfilled; None while it is not known whose it is, or where there is no such page."""
    if view.subject_id is None or view.kind is RequestKind.OTHER:
        return None
    person = f"/subjects/{view.subject_id}"
    return f"{person}/erase" if view.kind in (RequestKind.ERASE, RequestKind.WITHDRAW) else person


PAGE = WebPage(
    handlers=(requests,),
    menu=MenuEntry(section="requests", href="/requests", icon="note", group="privacy", order=11),
)
