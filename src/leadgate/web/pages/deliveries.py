"""Deliveries: what went where and how it ended, with every attempt, filters and "repeat all"."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from leadgate.delivery.dead_letter import CORRECTABLE
from leadgate.model.deliveries import DeliveryState
from leadgate.model.views import DeliveryDetail
from leadgate.web.access import Act, PageRequest, allowed
from leadgate.web.explain import explain
from leadgate.web.forms import read_form
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, moments_of, show
from leadgate.web.states import DELIVERY_TABS, mark_of_delivery
from leadgate.web.timeline import tell
from leadgate.web.vendors import vendors_of

ROWS_PER_PAGE = 20
_OPENED_AT_ONCE = frozenset({DeliveryState.UNKNOWN, DeliveryState.DEAD})
SPANS = ("today", "yesterday", "week", "all")


@get("/deliveries")
async def deliveries(request: PageRequest) -> Response[str]:
    """The list; the filter stands in the address, which holds ids and names of states alone."""
    asked = request.query_params
    desk = house_of(request).desk
    state, span = asked.get("state", ""), asked.get("period", "week")
    connection_id, query = asked.get("to") or None, asked.get("q", "").strip() or None
    since, until = bounds_of(request, span)
    page = await desk.deliveries(
        limit=ROWS_PER_PAGE,
        cursor=asked.get("cursor"),
        states=DELIVERY_TABS.get(state, ()),
        connection_id=connection_id,
        since=since,
        until=until,
        query=query,
    )
    # A page has twenty rows, so the histories may be read with it: the list works without a script.
    details = await asyncio.gather(*(desk.delivery(row.delivery_id) for row in page.items))
    return show(
        request,
        "deliveries.html",
        details=details,
        next_cursor=page.next_cursor,
        is_later_page="cursor" in asked,
        counts=await desk.delivery_counts(since=since, until=until, connection_id=connection_id),
        causes=await desk.dead_causes(),
        connections=await desk.connections(),
        asked={
            "q": query or "",
            "period": span if span in SPANS else "week",
            "to": connection_id or "",
            "state": state,
        },
        tabs=DELIVERY_TABS,
        spans=SPANS,
        # By cause the cure stands above already, so the rows stay shut.
        open_id=None if state == "dead" else _first_open(details),
        **tools(request),
    )


@post("/deliveries/retry-all", guards=[allowed(Act.RETRY)], status_code=303)
async def retry_all(request: PageRequest) -> Redirect:
    """Send every dead delivery again, or all of the cause that the form names."""
    form = await read_form(request)
    count = await house_of(request).desk.retry_all_dead(by=request.user.staff_id, cause=form.get("cause"))
    return Redirect(address("/deliveries", notice="all_retried", count=str(count)), status_code=303)


def bounds_of(request: PageRequest, span: str) -> tuple[datetime | None, datetime | None]:
    """Begin and end of a period as the first page counts it, of `week` for anything unknown; two None for `all`."""
    if span == "all":
        return None, None
    return moments_of(request).period(span if span in SPANS else "week")


def tools(request: PageRequest) -> dict[str, Any]:
    """What the template of a delivery needs besides the delivery."""
    return {
        "vendors": vendors_of(request),
        "mark_of": mark_of_delivery,
        "tell": tell,
        "explain": explain,
        "correctable": CORRECTABLE,
    }


def _first_open(details: Sequence[DeliveryDetail]) -> str | None:
    """The first row that somebody will want to read stands open."""
    return next((detail.row.delivery_id for detail in details if detail.row.state in _OPENED_AT_ONCE), None)


PAGE = WebPage(
    handlers=(deliveries, retry_all),
    menu=MenuEntry(section="deliveries", href="/deliveries", icon="flow", group="work", order=2),
)
