"""The data map, and decisions about foreign recipients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from leadgate.model.recipients import Recipient
from leadgate.privacy.recipients import host_of
from leadgate.web.access import Act
from leadgate.web.api.documents.data_map import (
    DataMapDocument,
    DecidedDocument,
    data_map_document,
    recipient_document,
)
from leadgate.web.api.endpoint import Call, Nothing, reads, writes

Text = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")]


class DecisionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether clients' data may go to a host, and why.

    `country` (two letters) says where a host stands that we do not know; `rkn_notice` is the reference of the notice of
    cross-border transfer.
    """

    host: Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[^\x00]*$")]
    allowed: bool
    reason: Text
    country: Annotated[str, Meta(max_length=2)] = ""
    rkn_notice: Annotated[str, Meta(max_length=100, pattern=r"^[^\x00]*$")] = ""


async def show_data_map(call: Call[Nothing, Nothing]) -> DataMapDocument:
    """Who receives personal data, in which country and why, as the configuration stands now."""
    return data_map_document(await call.house.data_map.draw())


async def decide_recipient(call: Call[Nothing, DecisionBody]) -> Sequence[Recipient]:
    """Allow or refuse a recipient abroad; journaled before it holds."""
    body = call.body
    return await call.house.data_map.decide(
        body.host,
        is_allowed=body.allowed,
        country=body.country,
        reason=body.reason,
        rkn_notice=body.rkn_notice,
        by=call.by,
    )


def _decided(call: Call[Nothing, DecisionBody], rows: Sequence[Recipient]) -> DecidedDocument:
    return DecidedDocument(host=host_of(call.body.host), recipients=[recipient_document(row) for row in rows])


ENDPOINTS = (
    reads("/data-map", show_data_map),
    writes("/data-map/decisions", decide_recipient, _decided, act=Act.PRIVACY, is_one_commit=False),
)
