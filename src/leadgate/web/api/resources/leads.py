"""Leads as we know them. Their stage in the CRM is not kept by us and so not told."""

from __future__ import annotations

from leadgate.web.api.documents.figures import LeadDocument, lead_document
from leadgate.web.api.documents.plain import Items, page_of
from leadgate.web.api.endpoint import Call, Listing, Nothing, reads


async def list_leads(call: Call[Listing, Nothing]) -> Items[LeadDocument]:
    """Leads, newest first."""
    page = await call.house.desk.leads(limit=call.query.limit, cursor=call.query.cursor)
    return page_of(page, lead_document)


ENDPOINTS = (reads("/leads", list_leads),)
