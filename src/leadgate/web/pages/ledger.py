"""The ledger: every event in exactly one state, and what comparing with the CRM found, tonight and before."""

from __future__ import annotations

from dataclasses import dataclass

from litestar import Response, get, post
from litestar.response import Redirect

from leadgate.errors import ServiceUnavailableError
from leadgate.model.views import EndState, Ledger
from leadgate.web.access import Act, PageRequest, allowed
from leadgate.web.moments import PERIODS
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, moments_of, show
from leadgate.web.states import ENDINGS, Mark

RESULTS_SHOWN = 14


@dataclass(frozen=True, slots=True)
class Share:
    """How many events stand in one state, and where they are listed."""

    state: EndState
    mark: Mark
    count: int
    href: str


@get("/ledger")
async def ledger(request: PageRequest) -> Response[str]:
    """The sum of the period in `period` (today unless it says otherwise) and the last results."""
    desk, moments = house_of(request).desk, moments_of(request)
    wish = request.query_params.get("period", "")
    period = wish if wish in PERIODS else PERIODS[0]
    since, until = moments.period(period)
    balance = await desk.balance(since=since, until=until)
    return show(
        request,
        "ledger.html",
        period=period,
        periods=PERIODS,
        balance=balance,
        shares=shares_of(balance, period),
        results=await desk.reconciliations(limit=RESULTS_SHOWN),
    )


@post("/ledger/reconcile", guards=[allowed(Act.RECONCILE)], status_code=303)
async def reconcile(request: PageRequest) -> Redirect:
    """Compare with the CRM now: what came in the last seven days."""
    since, _ = moments_of(request).period("week")
    try:
        await house_of(request).desk.reconcile(since=since)
    except ServiceUnavailableError:
        return Redirect(address("/ledger", notice="unreachable"), status_code=303)
    return Redirect(address("/ledger", notice="reconciled"), status_code=303)


def shares_of(balance: Ledger, period: str) -> list[Share]:
    """The states in the order of the sum; together they are what was received."""
    rows = (
        (EndState.DELIVERED, balance.in_crm, address("/events", state="lead", period=period)),
        (EndState.WAITING, balance.waiting, address("/deliveries", state="waiting", period=period)),
        (EndState.ANSWERED, balance.answered, address("/events", state="answered", period=period)),
        (EndState.IGNORED, balance.ignored - balance.erased, address("/events", state="ignored", period=period)),
        (EndState.REFUSED, balance.dead, address("/deliveries", state="dead", period=period)),
        (EndState.ERASED, balance.erased, address("/events", period=period)),
    )
    return [Share(state, ENDINGS[state], count, href) for state, count, href in rows]


PAGE = WebPage(
    handlers=(ledger, reconcile),
    menu=MenuEntry(section="ledger", href="/ledger", icon="check", group="work", order=3),
)
