"""Erasing a person, and the list of those who were."""

from __future__ import annotations

from msgspec import Struct

from leadgate.errors import ConfigurationError
from leadgate.model.erasures import Erasure, ErasureReason
from leadgate.web.access import Act
from leadgate.web.api.documents.erasures import ErasureDocument, erasure_document
from leadgate.web.api.documents.plain import Items
from leadgate.web.api.endpoint import Call, Listing, Nothing, reads, writes


class EraseBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the person is erased."""

    reason: ErasureReason = ErasureReason.REQUEST


async def list_erasures(call: Call[Listing, Nothing]) -> Items[ErasureDocument]:
    """Erasures, newest first; orders as they stand now."""
    cursor, limit = call.query.cursor, call.query.limit
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):  # noqa: PLR2004 - more numbers than there are people
        raise ConfigurationError(
            "This cursor is not one of ours.", code="page.cursor_wrong", hint="Take `next` of the page before."
        )
    found = await call.house.erasing.newest(limit=limit + 1, before=None if cursor is None else int(cursor))
    shown = found[:limit]
    return Items([erasure_document(one) for one in shown], str(shown[-1].number) if len(found) > limit else None)


async def show_erasure(call: Call[Nothing, Nothing]) -> ErasureDocument:
    """One erasure."""
    return erasure_document(await call.house.erasing.find(call.names["erasure_id"]))


async def erase_subject(call: Call[Nothing, EraseBody]) -> Erasure:
    """Erase a person for good, here and in the CRM; who is erased already gets what was done then."""
    return await call.house.erasing.erase(call.names["subject_id"], reason=call.body.reason, by=call.by)


def _erased(_call: Call[Nothing, EraseBody], erasure: Erasure) -> ErasureDocument:
    return erasure_document(erasure)


ENDPOINTS = (
    reads("/erasures", list_erasures),
    reads("/erasures/{erasure_id}", show_erasure),
    writes("/subjects/{subject_id}/erase", erase_subject, _erased, act=Act.PRIVACY, is_one_commit=False),
)
