"""Who can still be written to if a messenger closes tomorrow: numbers first, then the people who would be lost."""

from __future__ import annotations

from litestar import Response, get

from leadgate.errors import ConfigurationError
from leadgate.web.access import PageRequest
from leadgate.web.sheet import MenuEntry, WebPage, house_of, show
from leadgate.web.vendors import vendor_or_kind, vendors_of

ROWS_PER_PAGE = 20


@get("/reach")
async def reach(request: PageRequest) -> Response[str]:
    """The numbers of every channel, and for the one in `without` who would be lost; ids alone, no names and no numbers."""
    asked, reachability = request.query_params, house_of(request).reachability
    report = await reachability.report()
    kinds = [channel.kind for channel in report.channels]
    # Whom it would cost most comes first, so the page answers the question before it is asked.
    without = asked.get("without") or next(iter(kinds), "")
    chosen = next((channel for channel in report.channels if channel.kind == without), None)
    lost = None
    if chosen is not None:
        try:
            lost = await reachability.lost_without(without, limit=ROWS_PER_PAGE, cursor=asked.get("cursor"))
        except ConfigurationError:  # a cursor that somebody made up
            lost = await reachability.lost_without(without, limit=ROWS_PER_PAGE)
    vendors = vendors_of(request)
    return show(
        request,
        "reach.html",
        report=report,
        chosen=chosen,
        lost=lost,
        is_later_page="cursor" in asked,
        vendors={kind: vendor_or_kind(vendors, kind) for kind in kinds},
    )


PAGE = WebPage(
    handlers=(reach,),
    menu=MenuEntry(section="reach", href="/reach", icon="people", group="shield", order=6),
)
