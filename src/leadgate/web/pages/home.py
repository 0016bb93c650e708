"""The owner's first page: what needs a person, the three numbers that add up, a light per channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.response import Redirect

from leadgate.errors import ServiceUnavailableError
from leadgate.model.alerts import Alert, Cause
from leadgate.model.views import ConnectionView, Difference, Figures, Light, Reconciliation
from leadgate.web.access import Act, PageRequest, allowed
from leadgate.web.explain import explain
from leadgate.web.moments import PERIODS
from leadgate.web.pages.alerts import is_blind
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, moments_of, show
from leadgate.web.vendors import Vendor, vendors_of

_CAN_WAIT = frozenset({Cause.LEDGER, Cause.ADDRESS, Cause.FAILED, Cause.UNCERTAIN})
"""Alarms about what is over or aside; nothing new is lost by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """Shares of the ledger in percent of the whole width; gaps of 0.6 between them."""

    in_crm: float
    waiting: float
    dead: float


@get("/")
async def home(request: PageRequest) -> Response[str]:
    """The first page, for the period in `period` (today unless it says otherwise)."""
    desk, moments = house_of(request).desk, moments_of(request)
    wish = request.query_params.get("period", "")
    period = wish if wish in PERIODS else PERIODS[0]
    since, until = moments.period(period)
    figures, connections = await desk.figures(since=since, until=until), await desk.connections()
    counts, check = await desk.delivery_counts(), await desk.last_reconciliation()
    vendors, watch = vendors_of(request), await house_of(request).alerts.overview()
    return show(
        request,
        "home.html",
        period=period,
        figures=figures,
        gauge=measure(figures),
        connections=connections,
        vendors=vendors,
        urgent=find_urgent(connections),
        paused=next((view for view in connections if view.light is Light.PAUSED and view.waiting), None),
        explain=explain,
        counts=counts,
        check=check,
        lost=_count(check, "missing_in_crm", "unsettled_event"),
        doubled=_count(check, "doubled_in_crm"),
        crm=_crm_title(connections, vendors),
        alarm=find_alarm(watch.alerts),
        alarm_words=house_of(request).alerts.tell,
        is_blind=is_blind(watch, house_of(request).clock.now()),
        is_told_nowhere=not watch.targets,
        more_alarms=len(watch.alerts) - 1,
        is_first_day=not (await desk.events(limit=1)).items,
    )


@post("/reconcile", guards=[allowed(Act.RECONCILE)], status_code=303)
async def reconcile(request: PageRequest) -> Redirect:
    """Compare with the CRM now: what came in the last seven days."""
    since, _ = moments_of(request).period("week")
    try:
        await house_of(request).desk.reconcile(since=since)
    except ServiceUnavailableError:
        return Redirect(address("/", notice="unreachable"), status_code=303)
    return Redirect(address("/", notice="reconciled"), status_code=303)


def find_urgent(connections: Sequence[ConnectionView]) -> ConnectionView | None:
    """The connection whose trouble is told on top: a red one first, then one that cures itself; None when all is well."""
    for light in (Light.BAD, Light.WARN):
        found = next((view for view in connections if view.light is light), None)
        if found is not None:
            return found
    return None


def find_alarm(alerts: Sequence[Alert]) -> Alert | None:
    """The alarm that the first page tells: one that needs a person first, and what stops leads before what can wait."""
    return min(alerts, key=lambda alert: (not alert.needs_person, alert.cause in _CAN_WAIT, alert.since), default=None)


def measure(figures: Figures) -> Gauge:
    """The widths of the gauge; an empty ledger is an empty gauge."""
    whole = max(figures.came, 1)
    in_crm, waiting, dead = (round(100 * n / whole, 1) for n in (figures.in_crm, figures.waiting, figures.dead))
    return Gauge(in_crm=in_crm, waiting=waiting, dead=dead)


def _count(check: Reconciliation | None, *codes: str) -> int:
    differences: Sequence[Difference] = check.differences if check else ()
    return sum(difference.code in codes for difference in differences)


def _crm_title(connections: Sequence[ConnectionView], vendors: dict[str, Vendor]) -> str:
    """The CRM comes first in the list."""
    kinds = [view.connection.kind for view in connections]
    return vendors[kinds[0]].title if kinds and kinds[0] in vendors else "CRM"


PAGE = WebPage(handlers=(home, reconcile), menu=MenuEntry(section="home", href="/", icon="home", group="work", order=1))
