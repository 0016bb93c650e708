"""Deliveries that gave up: a human sends them again or gives them up with a reason."""

from __future__ import annotations

from datetime import datetime

from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.model.leads import LeadState
from leadgate.ports.stores import StoredDelivery, Transaction

_ALL_AT_ONCE = 500


def retry_delivery(tx: Transaction, delivery_id: str, *, at: datetime) -> StoredDelivery:
    """Put a dead or uncertain delivery back at its place in the lane, due now.

    Raises:
        NotFoundError: there is no such delivery.
        ConflictError: it is not dead.
    """
    delivery = tx.deliveries.reopen(delivery_id, at=at)
    if delivery is None:
        raise _why_not(tx, delivery_id, "sent again")
    tx.lanes.wake(delivery.lane, connection_id=delivery.connection_id, due_at=at)
    return delivery


def retry_all_dead(tx: Transaction, *, at: datetime) -> int:
    """Put up to 500 dead letters back; returns how many. Call it again until it returns 0."""
    dead = tx.deliveries.dead(limit=_ALL_AT_ONCE)
    for delivery in dead:
        retry_delivery(tx, delivery.delivery_id, at=at)
    return len(dead)


def discard_delivery(tx: Transaction, delivery_id: str, *, reason: str, at: datetime) -> None:
    """Give a delivery up for good. With the creation of a lead its entries, which nothing could carry, are given up too.

    Raises:
        ConfigurationError: there is no reason.
        NotFoundError: there is no such delivery.
        ConflictError: it is under way or over.
    """
    if not reason.strip():
        raise ConfigurationError("A reason is needed: it stays in the history.", hint="Add --reason.")
    delivery = tx.deliveries.discard(delivery_id, reason=reason.strip(), at=at)
    if delivery is None:
        raise _why_not(tx, delivery_id, "given up")
    if delivery.kind is DeliveryKind.CREATE_LEAD and delivery.lead_id is not None:
        tx.leads.settle(delivery.lead_id, state=LeadState.REFUSED, ref=None, at=at)
        for follower in tx.deliveries.of_lead(delivery.lead_id):
            if follower.state is DeliveryState.UNKNOWN:  # known by now: there was no lead to write it to
                _wait(tx, follower, at)
            tx.deliveries.discard(follower.delivery_id, reason=reason.strip(), at=at)


def _wait(tx: Transaction, delivery: StoredDelivery, at: datetime) -> None:
    tx.deliveries.settle(
        delivery.delivery_id,
        state=DeliveryState.WAITING,
        due_at=None,
        failures=delivery.failures,
        error_code=None,
        error_detail=None,
        external_id=None,
        at=at,
    )


def _why_not(tx: Transaction, delivery_id: str, verb: str) -> NotFoundError | ConflictError:
    delivery = tx.deliveries.find(delivery_id)
    if delivery is None:
        return NotFoundError(f"There is no delivery {delivery_id}.", hint="See: leadgate deliveries list")
    return ConflictError(
        f"Delivery {delivery_id} is {delivery.state.value} and cannot be {verb}.",
        code="delivery.wrong_state",
        hint=f"See: leadgate deliveries show {delivery_id}",
    )
