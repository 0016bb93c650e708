"""Numbers and leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leadgate.model.leads import LeadState
from leadgate.model.views import Figures, LeadRow, Ledger, Reconciliation
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresDocument:
    """The owner's numbers of a period: `came` is always `in_crm` + `waiting` + `dead`.

    Attributes:
        answered: events beside them that the bot answered without a lead.
        ignored: events beside them with nothing to do.
    """

    since: Moment
    until: Moment
    came: int
    in_crm: int
    waiting: int
    dead: int
    answered: int
    ignored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDocument:
    """Every event received in [since, until) in exactly one named state: `received` is the sum of the five that follow it.

    Attributes:
        dead: a delivery gave up, or the event could not be worked on.
        erased: how many of the ignored belonged to a person who was erased on request.
        last_reconciliation: the newest comparison with the CRM, whatever its period; null before the first.
    """

    since: Moment
    until: Moment
    received: int
    in_crm: int
    waiting: int
    answered: int
    ignored: int
    dead: int
    erased: int
    last_reconciliation: Reconciliation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadDocument:
    """A lead as we know it. Its stage in the CRM is not told: we do not keep it, and a guess would be worse than nothing.

    Attributes:
        state: pending (not in the CRM yet), open, closed, refused by the CRM.
        origin_id: the handle under which the CRM knows it.
        crm: the lead or deal, for instance `lead:48211`; null while it is not there.
        connection: the CRM.
    """

    id: str
    state: LeadState
    origin_id: str
    crm: str | None
    connection: str | None
    created_at: Moment
    closed_at: Moment | None


def figures_document(figures: Figures, *, since: datetime, until: datetime) -> FiguresDocument:
    """The owner's numbers."""
    return FiguresDocument(
        since=since,
        until=until,
        came=figures.came,
        in_crm=figures.in_crm,
        waiting=figures.waiting,
        dead=figures.dead,
        answered=figures.answered,
        ignored=figures.ignored,
    )


def ledger_document(ledger: Ledger, *, since: datetime, until: datetime, last: Reconciliation | None) -> LedgerDocument:
    """The sum of a period."""
    return LedgerDocument(
        since=since,
        until=until,
        received=ledger.received,
        in_crm=ledger.in_crm,
        waiting=ledger.waiting,
        answered=ledger.answered,
        ignored=ledger.ignored,
        dead=ledger.dead,
        erased=ledger.erased,
        last_reconciliation=last,
    )


def lead_document(row: LeadRow) -> LeadDocument:
    """A lead of a listing."""
    return LeadDocument(
        id=row.lead_id,
        state=row.state,
        origin_id=row.origin_id,
        crm=None if row.crm_ref is None else str(row.crm_ref),
        connection=row.crm_connection_id,
        created_at=row.created_at,
        closed_at=row.closed_at,
    )
