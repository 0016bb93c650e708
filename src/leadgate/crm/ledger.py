"""The ledger: what we believe is in the CRM against what the CRM says. Pure.

Differences are what somebody has to look at; notes are worth knowing but no loss. Their words stand in the catalogue.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from leadgate.catalogue.texts import load_texts
from leadgate.model.leads import LeadRef, LeadState, SweptLead
from leadgate.model.views import Difference, LeadRow, Ledger

MISSING = "missing_in_crm"
DOUBLED = "doubled_in_crm"
STRANGER = "stranger_in_crm"
UNSETTLED = "unsettled_event"
MOVED = "moved_in_crm"
CLOSED = "closed_in_crm"
ACCEPTED = "accepted_in_crm"
"""Missing, and somebody said that it was meant."""

_IN_CRM = (LeadState.OPEN, LeadState.CLOSED)


def compare_leads(leads: Sequence[LeadRow], in_crm: Mapping[str, tuple[LeadRef, ...]]) -> list[Difference]:
    """Differences between our leads and what stands in the CRM under their origin ids.

    A lead that we delivered must be there once; one that still waits may be there once (its answer was lost) or not at all.
    """
    differences = []
    for lead in leads:
        found = in_crm.get(lead.origin_id, ())
        if len(found) > 1:
            differences.append(_difference(DOUBLED, lead, found))
        elif not found and lead.state in _IN_CRM and lead.crm_ref is not None:
            differences.append(_difference(MISSING, lead, (lead.crm_ref,)))
    return differences


def note_moved(leads: Sequence[LeadRow], in_crm: Mapping[str, tuple[LeadRef, ...]]) -> list[Difference]:
    """Leads that stand once in the CRM, but under another number than the one we were told."""
    return [
        _difference(MOVED, lead, found)
        for lead in leads
        if len(found := in_crm.get(lead.origin_id, ())) == 1 and lead.crm_ref not in {None, found[0]}
    ]


def note_closed(swept: Sequence[SweptLead], known: Mapping[str, LeadRow]) -> list[Difference]:
    """Leads that were closed in the CRM while we have not heard of it."""
    pairs = [(lead, known[lead.origin_id]) for lead in swept if lead.is_closed and lead.origin_id in known]
    return [
        _difference(CLOSED, row, (lead.ref,))
        for lead, row in pairs
        if row.state is LeadState.OPEN and row.crm_ref == lead.ref
    ]


def find_suspects(swept: Sequence[SweptLead], known: Mapping[str, LeadRow]) -> list[LeadRow]:
    """Leads of ours that stand under another number than the one we know: doubled or moved, the question by origin id tells."""
    pairs = [(lead, known[lead.origin_id]) for lead in swept if lead.origin_id in known]
    return list({row.lead_id: row for lead, row in pairs if row.crm_ref not in {None, lead.ref}}.values())


def find_strangers(
    swept: Sequence[SweptLead], known: Mapping[str, LeadRow], *, house_since: datetime
) -> list[Difference]:
    """Leads with our mark that nobody here knows, one for each; those from before this house was made are history."""
    return [
        Difference(
            code=STRANGER, event_id=None, lead_id=None, origin_id=lead.origin_id or None, crm_ids=[str(lead.ref)]
        )
        for lead in swept
        if lead.origin_id not in known and (lead.created_at is None or lead.created_at >= house_since)
    ]


def missing_leads(found: Sequence[Difference]) -> list[str]:
    """Our ids of the leads that are missing in the CRM."""
    return [one.lead_id for one in found if one.code == MISSING and one.lead_id is not None]


def part_accepted(
    found: Sequence[Difference], accepted: Collection[str]
) -> tuple[Sequence[Difference], Sequence[Difference]]:
    """Differences that stay, and notes on those whose deletion somebody accepted."""
    stay = [one for one in found if one.code != MISSING or one.lead_id not in accepted]
    notes = [replace(one, code=ACCEPTED) for one in found if one.code == MISSING and one.lead_id in accepted]
    return stay, notes


def check_sum(ledger: Ledger) -> list[Difference]:
    """A difference when the named states do not add up to what was received."""
    named = ledger.in_crm + ledger.waiting + ledger.dead + ledger.answered + ledger.ignored
    if named == ledger.received:
        return []
    return [Difference(code=UNSETTLED, event_id=None, lead_id=None, origin_id=None, crm_ids=[])]


def tell(found: Sequence[Difference], locale: str) -> list[Difference]:
    """The same with the sentence that says what it means and what to do."""
    return [replace(difference, explained=_explain(difference, locale)) for difference in found]


def name_in_crm(crm_id: str, locale: str) -> str:
    """What people call `lead:48211` in the CRM: its kind and its number."""
    entity, _, number = crm_id.partition(":")
    known = f"crm.{entity}"
    texts = load_texts("ledger", locale)
    return texts.get(known, number=number) if texts.has(known) else crm_id


def _explain(difference: Difference, locale: str) -> str:
    names = [name_in_crm(crm_id, locale) for crm_id in difference.crm_ids]
    return load_texts("ledger", locale).get(
        f"finding.{difference.code}",
        crm=", ".join(names),
        first=names[0] if names else "",
        event=difference.event_id or "",
    )


def _difference(code: str, lead: LeadRow, refs: Sequence[LeadRef]) -> Difference:
    own_first = sorted(refs, key=lambda ref: ref != lead.crm_ref)
    return Difference(
        code=code,
        event_id=lead.origin_id.rpartition(":")[2],
        lead_id=lead.lead_id,
        origin_id=lead.origin_id,
        crm_ids=[str(ref) for ref in own_first],
    )
