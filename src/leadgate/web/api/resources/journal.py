"""The audit journal: who did what, newest first. It is only read."""

from __future__ import annotations

from enum import StrEnum

from leadgate.errors import NotFoundError
from leadgate.model.journal import areas
from leadgate.web.api.documents.journal import CheckpointDocument, JournalDocument, journal_document
from leadgate.web.api.documents.plain import Items, page_of
from leadgate.web.api.endpoint import Call, Id, Listing, Nothing, reads

Area = StrEnum("Area", [(name.upper(), name) for name in areas()])  # type: ignore[misc]  # mypy wants the names spelled out; they are those of the tags
"""The first parts of the tags."""


class JournalQuery(Listing, frozen=True, kw_only=True):
    """Which entries: of a kind, about one thing."""

    kind: Area | None = None
    on: Id | None = None


async def list_journal(call: Call[JournalQuery, Nothing]) -> Items[JournalDocument]:
    """Acts that left a trace, newest first; `kind` is the first part of the tag, `on` the id of what it was done to."""
    query = call.query
    area = None if query.kind is None else query.kind.value
    page = await call.house.journal_desk.page(limit=query.limit, cursor=query.cursor, area=area, on=query.on)
    return page_of(page, lambda view: journal_document(view.row))


async def show_checkpoint(call: Call[Nothing, Nothing]) -> CheckpointDocument:
    """The newest signed checkpoint of this node's journal."""
    try:
        return CheckpointDocument(checkpoint=await call.house.journal_desk.head())
    except NotFoundError:
        return CheckpointDocument(checkpoint=None)


ENDPOINTS = (
    reads("/journal", list_journal),
    reads("/journal/checkpoint", show_checkpoint),
)
