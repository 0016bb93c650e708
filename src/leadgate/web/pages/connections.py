"""Connections: every channel and the CRM with its light."""

from __future__ import annotations

from litestar import Response, get

from leadgate.web.access import PageRequest
from leadgate.web.sheet import MenuEntry, WebPage, house_of, show
from leadgate.web.vendors import vendors_of


@get("/connections")
async def connections(request: PageRequest) -> Response[str]:
    """The list, CRM first."""
    found = await house_of(request).desk.connections()
    return show(request, "connections.html", connections=found, vendors=vendors_of(request))


PAGE = WebPage(
    handlers=(connections,),
    menu=MenuEntry(section="connections", href="/connections", icon="plug", group="shield", order=4),
)
