"""Who knocked: received events, and what was refused at the door. No personal data here."""

from __future__ import annotations

from litestar import Response, get

from leadgate.model.events import EventState
from leadgate.web.access import PageRequest
from leadgate.web.endings import tell_ending
from leadgate.web.pages.deliveries import SPANS, bounds_of
from leadgate.web.sheet import WebPage, house_of, moments_of, show
from leadgate.web.states import ENDINGS, EVENTS
from leadgate.web.vendors import vendors_of

ROWS_PER_PAGE = 30


@get("/events")
async def events(request: PageRequest) -> Response[str]:
    """The list; the filter stands in the address, which holds ids and names of states alone."""
    asked, desk = request.query_params, house_of(request).desk
    state = asked.get("state", "") if asked.get("state", "") in list(EventState) else ""
    span, connection_id = asked.get("period", "week"), asked.get("from") or None
    query = asked.get("q", "").strip() or None
    since, until = bounds_of(request, span)
    page = await desk.events(
        limit=ROWS_PER_PAGE,
        cursor=asked.get("cursor"),
        state=EventState(state) if state else None,
        connection_id=connection_id,
        since=since,
        until=until,
        query=query,
    )
    return show(
        request,
        "events.html",
        rows=page.items,
        next_cursor=page.next_cursor,
        is_later_page="cursor" in asked,
        refusals=await desk.refusals(since=since or moments_of(request).midnight(30)),
        connections=await desk.connections(),
        asked={
            "q": query or "",
            "period": span if span in SPANS else "week",
            "from": connection_id or "",
            "state": state,
        },
        spans=SPANS,
        marks=EVENTS,
        endings=ENDINGS,
        tell_ending=tell_ending,
        vendors=vendors_of(request),
    )


PAGE = WebPage(handlers=(events,))
