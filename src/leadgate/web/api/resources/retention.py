"""How long which kind of data is kept, and choosing it."""

from __future__ import annotations

from msgspec import Struct

from leadgate.errors import NotFoundError
from leadgate.model.retention import DataKind, RetentionLine, kinds
from leadgate.web.access import Act
from leadgate.web.api.documents.plain import Items
from leadgate.web.api.documents.retention import RetentionDocument, retention_document
from leadgate.web.api.endpoint import Call, Nothing, reads, writes


class TermBody(Struct, frozen=True, forbid_unknown_fields=True):
    """For how many days; null for the default."""

    days: int | None


async def list_terms(call: Call[Nothing, Nothing]) -> Items[RetentionDocument]:
    """Every kind of data with its term, what goes next and what went."""
    return Items([retention_document(line) for line in await call.house.retention.lines()])


async def choose_term(call: Call[Nothing, TermBody]) -> RetentionLine:
    """Keep a kind of data longer or shorter from now on."""
    kind = _kind(call.names["kind"])
    await call.house.retention.choose(kind, call.body.days, by=call.by)
    return next(line for line in await call.house.retention.lines() if line.kind is kind)


def _chosen(_call: Call[Nothing, TermBody], line: RetentionLine) -> RetentionDocument:
    return retention_document(line)


def _kind(name: str) -> DataKind:
    found = next((kind for kind in kinds() if kind.value == name), None)
    if found is None:
        raise NotFoundError(f"There is no kind of data {name!r}.", hint="See: leadgate retention show")
    return found


ENDPOINTS = (
    reads("/retention", list_terms),
    writes("/retention/{kind}", choose_term, _chosen, act=Act.PRIVACY, is_one_commit=False),
)
