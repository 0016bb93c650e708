"""The numbers of the owner's page, and the ledger behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from leadgate.errors import FieldProblem
from leadgate.model.views import Cause, Reconciliation
from leadgate.web.access import Act
from leadgate.web.api.documents.figures import FiguresDocument, LedgerDocument, figures_document, ledger_document
from leadgate.web.api.documents.plain import Moment
from leadgate.web.api.endpoint import Call, Nothing, reads, writes
from leadgate.web.api.reading import InvalidRequestError
from leadgate.web.catalogue import load_catalogue
from leadgate.web.moments import Moments

_YEARS = range(2000, 2200)


class PeriodQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period by name, in the salon's time zone (`week`: today and the six days before), or by its bounds.

    `until` is left out for "till now"; with `since` the name does not count.
    """

    period: Literal["today", "yesterday", "week"] = "today"
    since: Moment | None = None
    until: Moment | None = None


class ReconcileBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Ask the CRM for leads made since then; left out: today and the six days before, as the page does."""

    since: Moment | None = None


async def show_figures(call: Call[PeriodQuery, Nothing]) -> FiguresDocument:
    """The three numbers that add up."""
    since, until = _bounds(call, call.query)
    return figures_document(await call.house.desk.figures(since=since, until=until), since=since, until=until)


async def show_ledger(call: Call[PeriodQuery, Nothing]) -> LedgerDocument:
    """Every event of a period in exactly one named state, and what comparing with the CRM found last."""
    since, until = _bounds(call, call.query)
    balance = await call.house.desk.balance(since=since, until=until)
    return ledger_document(balance, since=since, until=until, last=await call.house.desk.last_reconciliation())


async def reconcile_ledger(call: Call[Nothing, ReconcileBody]) -> Reconciliation:
    """Compare with the CRM now, from both sides, and keep the result."""
    since = call.body.since
    if since is None:
        since, _ = _moments(call).period("week")
    _check_years(since=since)
    return await call.house.desk.reconcile(since=since, cause=Cause.PAGE)


def _compared(_call: Call[Nothing, ReconcileBody], result: Reconciliation) -> Reconciliation:
    return result


def _bounds(call: Call[PeriodQuery, Nothing], query: PeriodQuery) -> tuple[datetime, datetime]:
    if query.since is None:
        if query.until is not None:
            raise InvalidRequestError(FieldProblem("since", "needed with `until`"))
        return _moments(call).period(query.period)
    until = query.until or call.house.clock.now()
    _check_years(since=query.since, until=until)
    if query.since >= until:
        raise InvalidRequestError(FieldProblem("since", "must lie before `until`"))
    return query.since, until


def _moments(call: Call[PeriodQuery, Nothing] | Call[Nothing, ReconcileBody]) -> Moments:
    house = call.house
    return Moments(load_catalogue(house.locale), house.time_zone, house.clock.now())


def _check_years(**times: datetime) -> None:
    wrong = [
        FieldProblem(name, "must lie in this century or the next")
        for name, at in times.items()
        if at.year not in _YEARS
    ]
    if wrong:
        raise InvalidRequestError(*wrong)


ENDPOINTS = (
    reads("/figures", show_figures),
    reads("/ledger", show_ledger),
    writes("/ledger/reconcile", reconcile_ledger, _compared, act=Act.RECONCILE, is_one_commit=False),
)
