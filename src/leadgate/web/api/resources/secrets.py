"""Secrets: how old they are and when they are due, for everybody; replacing them, for who may connect. Values are never shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

from leadgate.model.renewals import LONGEST_DAYS, LONGEST_OVERLAP, SHORTEST_DAYS, USUAL_OVERLAP, DueRule, Renewed
from leadgate.model.secret import Secret
from leadgate.web.access import Act
from leadgate.web.api.documents.plain import Items, cut_page, page_of
from leadgate.web.api.documents.secrets import (
    ConfirmedDocument,
    DueDocument,
    RenewedDocument,
    SecretDocument,
    renewed_document,
    secret_document,
)
from leadgate.web.api.endpoint import Call, Listing, Nothing, asks, reads, writes

Overlap = Annotated[int, Meta(ge=0, le=int(LONGEST_OVERLAP.total_seconds()))]
Key = Annotated[str, Meta(min_length=1, max_length=100)]
Value = Annotated[str, Meta(min_length=1, max_length=4096)]
_USUAL_S = int(USUAL_OVERLAP.total_seconds())


class RotationBody(Struct, frozen=True, forbid_unknown_fields=True):
    """For how many seconds the version before stays good."""

    overlap_s: Overlap = _USUAL_S


class ValuesBody(Struct, frozen=True, forbid_unknown_fields=True):
    """New values by key, or the one value as `value`; and for how many seconds the versions before stay good."""

    values: Mapping[Key, Value]
    overlap_s: Overlap = _USUAL_S


class DueBody(Struct, frozen=True, forbid_unknown_fields=True):
    """After how many days all secrets are due."""

    days: Annotated[int, Meta(ge=SHORTEST_DAYS, le=LONGEST_DAYS)]


async def list_secrets(call: Call[Listing, Nothing]) -> Items[SecretDocument]:
    """Every secret without its value, what is due first at the top."""
    views = await call.house.secrets.all()
    return page_of(cut_page(views, limit=call.query.limit, cursor=call.query.cursor), secret_document)


async def rotate_secret(call: Call[Nothing, RotationBody]) -> RenewedDocument:
    """Make a new value and tell the vendor; it is shown this once and kept nowhere, so a repeat makes another one."""
    overlap = timedelta(seconds=call.body.overlap_s)
    renewed = await call.house.secrets.rotate(call.names["secret"], overlap=overlap, by=call.by)
    return renewed_document(renewed, locale=call.house.locale)


async def set_secret(call: Call[Nothing, ValuesBody]) -> Sequence[Renewed]:
    """Put values that the vendor issued in the place of the old ones, once it has taken them."""
    values = {key: Secret(value) for key, value in call.body.values.items()}
    overlap = timedelta(seconds=call.body.overlap_s)
    return await call.house.secrets.set(call.names["secret"], values, overlap=overlap, by=call.by)


def _set(call: Call[Nothing, ValuesBody], renewed: Sequence[Renewed]) -> Items[RenewedDocument]:
    return Items([renewed_document(one, locale=call.house.locale) for one in renewed])


async def undo_secret(call: Call[Nothing, Nothing]) -> Sequence[Renewed]:
    """Put the version before back, as long as it is kept."""
    return await call.house.secrets.undo(call.names["secret"], by=call.by)


def _undone(call: Call[Nothing, Nothing], renewed: Sequence[Renewed]) -> Items[RenewedDocument]:
    return Items([renewed_document(one, locale=call.house.locale) for one in renewed])


async def confirm_secret(call: Call[Nothing, Nothing]) -> int:
    """Destroy the version before at once."""
    return await call.house.secrets.confirm(call.names["secret"], by=call.by)


def _confirmed(call: Call[Nothing, Nothing], destroyed: int) -> ConfirmedDocument:
    return ConfirmedDocument(name=call.names["secret"], destroyed=destroyed)


async def show_due(call: Call[Nothing, Nothing]) -> DueDocument:
    """After how many days secrets are due."""
    return DueDocument(days=(await call.house.secrets.due_rule()).days)


async def set_due(call: Call[Nothing, DueBody]) -> DueRule:
    """Decide after how many days secrets are due; the journal has it first."""
    return await call.house.secrets.set_due(call.body.days, by=call.by)


def _due(_call: Call[Nothing, DueBody], rule: DueRule) -> DueDocument:
    return DueDocument(days=rule.days)


ENDPOINTS = (
    reads("/secrets", list_secrets),
    asks("/secrets/{secret}/rotate", rotate_secret, act=Act.CONNECT),
    writes("/secrets/{secret}/set", set_secret, _set, act=Act.CONNECT, is_one_commit=False),
    writes("/secrets/{secret}/undo", undo_secret, _undone, act=Act.CONNECT, is_one_commit=False),
    writes("/secrets/{secret}/confirm", confirm_secret, _confirmed, act=Act.CONNECT),
    reads("/secret-term", show_due),
    writes("/secret-term", set_due, _due, act=Act.CONNECT),
)
