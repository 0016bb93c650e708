"""Simple CRM mode: a lead that is made turns into a deal at once. Classic mode leaves it alone."""

from __future__ import annotations

from leadgate.sandbox.bitrix24.fields import CONTACT, DEAL, LEAD
from leadgate.sandbox.bitrix24.portal import SIMPLE_MODE, Record
from leadgate.sandbox.bitrix24.records import Context, FieldEdit, change, create

_CARRIED_OVER = (
    "title",
    "comments",
    "sourceId",
    "sourceDescription",
    "opportunity",
    "currencyId",
    "assignedById",
    "utmSource",
    "utmMedium",
    "utmCampaign",
    "utmContent",
    "utmTerm",
)


def convert_new_lead(context: Context, lead: Record) -> None:
    """In simple mode makes the deal (and a contact, when none is linked) and moves the lead to CONVERTED.

    A lead without a name stays as it is: the conversion needs one. The deal does not inherit the origin id;
    it is found by its `leadId`, as the documentation tells integrators to do.
    """
    if lead.entity is not LEAD or context.portal.mode != SIMPLE_MODE or not lead.values["name"]:
        return
    if not lead.values["contactId"]:
        change(context, lead, {"contactId": _make_contact(context, lead).id})
    values = {name: lead.values[name] for name in _CARRIED_OVER}
    create(context, DEAL, {**values, "leadId": lead.id, "contactId": lead.values["contactId"]})
    change(context, lead, {"stageId": "CONVERTED"})


def _make_contact(context: Context, lead: Record) -> Record:
    edits = [FieldEdit(None, entry.type_id, entry.value_type, entry.value) for entry in lead.multifields]
    values = {name: lead.values[name] for name in ("name", "secondName", "lastName", "sourceId", "assignedById")}
    return create(context, CONTACT, {**values, "leadId": lead.id}, edits=edits)
