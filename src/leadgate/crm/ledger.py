"""The ledger: what we believe is in the CRM against what the CRM says. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadgate.model.leads import LeadRef, LeadState
from leadgate.model.views import Difference, LeadRow, Ledger

_IN_CRM = (LeadState.OPEN, LeadState.CLOSED)


def compare_leads(leads: Sequence[LeadRow], in_crm: Mapping[str, tuple[LeadRef, ...]]) -> list[Difference]:
    """Differences between our leads and what stands in the CRM under their origin ids.

    A lead that we delivered must be there once; one that still waits may be there once (its answer was lost) or not at all.
    """
    differences = []
    for lead in leads:
        found = in_crm.get(lead.origin_id, ())
        if len(found) > 1:
            differences.append(_difference("doubled_in_crm", lead, found))
        elif not found and lead.state in _IN_CRM and lead.crm_ref is not None:
            differences.append(_difference("missing_in_crm", lead, (lead.crm_ref,)))
    return differences


def check_sum(ledger: Ledger) -> list[Difference]:
    """A difference when the named states do not add up to what was received."""
    named = ledger.in_crm + ledger.waiting + ledger.dead + ledger.answered + ledger.ignored
    if named == ledger.received:
        return []
    return [Difference(code="unsettled_event", event_id=None, lead_id=None, origin_id=None, crm_ids=[])]


def _difference(code: str, lead: LeadRow, refs: Sequence[LeadRef]) -> Difference:
    return Difference(
        code=code,
        event_id=lead.origin_id.rpartition(":")[2],
        lead_id=lead.lead_id,
        origin_id=lead.origin_id,
        crm_ids=[f"{ref.entity.value}:{ref.crm_id}" for ref in refs],
    )
