"""Alarms: what is wrong now, and who is told. Addresses are added by command: they hold secrets."""

from __future__ import annotations

from litestar import Response, get

from leadgate.web.access import PageRequest
from leadgate.web.sheet import MenuEntry, WebPage, house_of, show


@get("/alerts")
async def alerts(request: PageRequest) -> Response[str]:
    """What is raised now, newest first, and the addresses with how their sends end."""
    desk = house_of(request).alerts
    overview = await desk.overview()
    newest = sorted(overview.alerts, key=lambda alert: alert.since, reverse=True)
    return show(request, "alerts.html", overview=overview, raised=[(alert, desk.explain(alert)) for alert in newest])


PAGE = WebPage(
    handlers=(alerts,), menu=MenuEntry(section="alerts", href="/alerts", icon="alert", group="shield", order=5)
)
