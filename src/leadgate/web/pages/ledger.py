"""The ledger: every event in exactly one state, and what comparing with the CRM found, tonight and before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.response import Redirect

from leadgate.crm.ledger import ACCEPTED, missing_leads, name_in_crm
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError, ServiceUnavailableError
from leadgate.model.views import Difference, EndState, Ledger
from leadgate.web.access import Act, PageRequest, allowed
from leadgate.web.forms import read_form
from leadgate.web.moments import PERIODS
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, moments_of, show, words_of
from leadgate.web.states import ENDINGS, Mark

RESULTS_SHOWN = 14
ROWS_SHOWN = 20
ACCEPTED_SHOWN = 20
ACCEPTED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Share:
    """How many events stand in one state, and where they are listed."""

    state: EndState
    mark: Mark
    count: int
    href: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding: what stands where in the CRM, and what it came from."""

    name: str
    event_id: str | None
    lead_id: str | None


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Findings of a kind, explained once.

    Attributes:
        rows: the first of them; `more` how many there are besides.
        acceptable: our ids of all that may be accepted as deleted on purpose.
    """

    code: str
    rows: Sequence[FindingRow]
    more: int
    acceptable: Sequence[str]


@get("/ledger")
async def ledger(request: PageRequest) -> Response[str]:
    """The sum of the period in `period` (today unless it says otherwise) and the last results."""
    desk, moments = house_of(request).desk, moments_of(request)
    wish = request.query_params.get("period", "")
    period = wish if wish in PERIODS else PERIODS[0]
    since, until = moments.period(period)
    accepted = await desk.accepted_leads(limit=ACCEPTED_SHOWN)
    results = await desk.reconciliations(limit=RESULTS_SHOWN)
    locale = words_of(request).locale
    balance = await desk.balance(since=since, until=until)
    return show(
        request,
        "ledger.html",
        period=period,
        periods=PERIODS,
        balance=balance,
        shares=shares_of(balance, period),
        results=results,
        found=groups_of(results[0].differences, locale) if results else [],
        noted=groups_of([note for note in results[0].notes if note.code != ACCEPTED], locale) if results else [],
        accepted=[(lead, name_in_crm(lead.crm_id or "", locale)) for lead in accepted],
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


@post("/ledger/accept", guards=[allowed(Act.RECONCILE)], status_code=303)
async def accept(request: PageRequest) -> Redirect:
    """Leads that are missing in the CRM were deleted there on purpose; `leads` names one or several."""
    form = await read_form(request)
    try:
        await house_of(request).desk.accept_missing(
            form.get("leads", "").split()[:ACCEPTED_AT_ONCE], reason=form.get("reason", ""), by=request.user.staff_id
        )
    except ConfigurationError:
        return Redirect(address("/ledger", notice="reason_missing"), status_code=303)
    except (ConflictError, NotFoundError):
        return Redirect(address("/ledger", notice="not_accepted"), status_code=303)
    return Redirect(address("/ledger", notice="accepted"), status_code=303)


@post("/ledger/withdraw", guards=[allowed(Act.RECONCILE)], status_code=303)
async def withdraw(request: PageRequest) -> Redirect:
    """It was not meant after all."""
    lead_id = (await read_form(request)).get("lead", "")
    try:
        await house_of(request).desk.withdraw_acceptance(lead_id, by=request.user.staff_id)
    except ConflictError:
        return Redirect(address("/ledger", notice="not_accepted"), status_code=303)
    return Redirect(address("/ledger", notice="acceptance_withdrawn"), status_code=303)


def groups_of(findings: Sequence[Difference], locale: str) -> list[FindingGroup]:
    """The findings by kind, in the order in which kinds come first."""
    by_code: dict[str, list[Difference]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    return [
        FindingGroup(
            code,
            [_row(finding, locale) for finding in group[:ROWS_SHOWN]],
            max(0, len(group) - ROWS_SHOWN),
            missing_leads(group),
        )
        for code, group in by_code.items()
    ]


def _row(finding: Difference, locale: str) -> FindingRow:
    names = ", ".join(name_in_crm(crm_id, locale) for crm_id in finding.crm_ids)
    return FindingRow(names, finding.event_id, finding.lead_id)


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
    handlers=(ledger, reconcile, accept, withdraw),
    menu=MenuEntry(section="ledger", href="/ledger", icon="check", group="work", order=3),
)
