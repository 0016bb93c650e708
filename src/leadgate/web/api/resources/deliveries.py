"""Deliveries: what goes out, with every attempt, and the cure of dead letters."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from leadgate.model.deliveries import DeliveryState
from leadgate.web.access import Act
from leadgate.web.api.documents.deliveries import (
    DeadCauseDocument,
    DeliveryDetailDocument,
    DeliveryDocument,
    DeliveryStateDocument,
    RetriedDocument,
    dead_cause_document,
    delivery_detail_document,
    delivery_document,
)
from leadgate.web.api.documents.plain import Items, page_of
from leadgate.web.api.endpoint import Call, Id, Listing, Nothing, reads, writes

MAX_REASON_LENGTH = 200


class DeliveriesQuery(Listing, frozen=True, kw_only=True):
    """Which deliveries; `connection` is the target."""

    state: DeliveryState | None = None
    connection: Id | None = None


class RetryAllBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Which dead letters: those of this error code (empty: those without one), or all."""

    cause: Annotated[str, Meta(pattern="^[A-Za-z0-9_.]{0,100}$")] | None = None


class DiscardBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a delivery is given up; stays in the history."""

    reason: Annotated[str, Meta(min_length=1, max_length=MAX_REASON_LENGTH, pattern=r"^[^\x00]*$")]


async def list_deliveries(call: Call[DeliveriesQuery, Nothing]) -> Items[DeliveryDocument]:
    """Deliveries, newest first."""
    query = call.query
    states = () if query.state is None else (query.state,)
    page = await call.house.desk.deliveries(
        limit=query.limit, cursor=query.cursor, states=states, connection_id=query.connection
    )
    return page_of(page, delivery_document)


async def list_dead_causes(call: Call[Nothing, Nothing]) -> Items[DeadCauseDocument]:
    """Dead letters counted by cause, most first."""
    return Items([dead_cause_document(found) for found in await call.house.desk.dead_causes()])


async def show_delivery(call: Call[Nothing, Nothing]) -> DeliveryDetailDocument:
    """One delivery with every attempt."""
    return delivery_detail_document(await call.house.desk.delivery(call.names["delivery_id"]))


async def retry_delivery(call: Call[Nothing, Nothing]) -> None:
    """Send a dead or uncertain delivery again."""
    await call.house.desk.retry(call.names["delivery_id"], by=call.by)


def _one_retried(_call: Call[Nothing, Nothing], _result: object) -> RetriedDocument:
    return RetriedDocument(retried=1)


async def retry_all_deliveries(call: Call[Nothing, RetryAllBody]) -> int:
    """Send every dead letter again, or all of one cause."""
    return await call.house.desk.retry_all_dead(by=call.by, cause=call.body.cause)


def _retried(_call: Call[Nothing, RetryAllBody], count: int) -> RetriedDocument:
    return RetriedDocument(retried=count)


async def confirm_delivery(call: Call[Nothing, Nothing]) -> None:
    """Say that a message whose answer was lost did arrive: it is done and is not sent again."""
    await call.house.desk.confirm(call.names["delivery_id"], by=call.by)


def _done(call: Call[Nothing, Nothing], _result: object) -> DeliveryStateDocument:
    return DeliveryStateDocument(delivery=call.names["delivery_id"], state=DeliveryState.DONE)


async def discard_delivery(call: Call[Nothing, DiscardBody]) -> None:
    """Give a delivery up for good, with a reason."""
    await call.house.desk.discard(call.names["delivery_id"], reason=call.body.reason, by=call.by)


def _discarded(call: Call[Nothing, DiscardBody], _result: object) -> DeliveryStateDocument:
    return DeliveryStateDocument(delivery=call.names["delivery_id"], state=DeliveryState.DISCARDED)


ENDPOINTS = (
    reads("/deliveries", list_deliveries),
    reads("/deliveries/causes", list_dead_causes),
    reads("/deliveries/{delivery_id}", show_delivery),
    writes("/deliveries/retry-all", retry_all_deliveries, _retried, act=Act.RETRY, is_one_commit=False),
    writes("/deliveries/{delivery_id}/retry", retry_delivery, _one_retried, act=Act.RETRY),
    writes("/deliveries/{delivery_id}/confirm", confirm_delivery, _done, act=Act.RETRY),
    writes("/deliveries/{delivery_id}/discard", discard_delivery, _discarded, act=Act.DISCARD),
)
