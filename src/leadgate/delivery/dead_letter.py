"""Deliveries that gave up: a human sends them again, as they are or corrected, says that they arrived, or gives them up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from leadgate.delivery.payloads import Outbox
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.model.leads import CreateLead, LeadState, UpdateLead
from leadgate.model.views import LeadData
from leadgate.ports.stores import StoredDelivery, Transaction
from leadgate.privacy.policies import Purpose
from leadgate.privacy.redact import redact

CORRECTABLE = (DeliveryKind.CREATE_LEAD, DeliveryKind.UPDATE_LEAD)
"""Kinds whose data a human may correct."""

_ALL_AT_ONCE = 500


def retry_delivery(tx: Transaction, delivery_id: str, *, at: datetime) -> StoredDelivery:
    """Put a dead or uncertain delivery back at its place in the lane, due now; with the creation of a lead its entries come along.

    Raises:
        NotFoundError: there is no such delivery.
        ConflictError: it is not dead.
    """
    delivery = tx.deliveries.reopen(delivery_id, at=at)
    if delivery is None:
        raise _why_not(tx, delivery_id, "sent again")
    if delivery.kind is DeliveryKind.CREATE_LEAD and delivery.lead_id is not None:
        # Else an entry that was written meanwhile, and was not parked, would go with the creation and overtake them.
        tx.deliveries.unpark(delivery.lead_id, at=at)
    tx.lanes.wake(delivery.lane, connection_id=delivery.connection_id, due_at=at)
    return delivery


def retry_all_dead(tx: Transaction, *, at: datetime, cause: str | None = None) -> int:
    """Put up to 500 dead letters back, of this error code alone if given; how many. Call it again until it returns 0."""
    dead = tx.deliveries.dead(limit=_ALL_AT_ONCE, cause=cause)
    for delivery in dead:
        retry_delivery(tx, delivery.delivery_id, at=at)
    return len(dead)


def confirm_delivery(tx: Transaction, delivery_id: str, *, at: datetime) -> None:
    """A human knows that an uncertain message arrived: it is done and is not sent again.

    Raises:
        NotFoundError: there is no such delivery.
        ConflictError: it is not uncertain.
    """
    if tx.deliveries.confirm(delivery_id, at=at) is None:
        raise _why_not(tx, delivery_id, "called arrived")


def open_lead_data(tx: Transaction, outbox: Outbox, delivery_id: str) -> LeadData:
    """What a dead command says of a lead, for the form that corrects it (personal data).

    Raises:
        NotFoundError: there is no such delivery.
        ConflictError: it is not dead, or no command about a lead's person.
        UnknownKeyError: the person was erased.
    """
    command = _open_command(tx, outbox, delivery_id)[1]
    person, comment = command.person, command.comment if isinstance(command, CreateLead) else None
    return LeadData(name=person.name, phone=person.phone, email=person.email, comment=comment)


def fix_delivery(tx: Transaction, outbox: Outbox, delivery_id: str, data: LeadData, *, at: datetime) -> None:
    """Correct what a dead command says of a lead, and send it again. What we know of the person elsewhere stays as it is.

    Args:
        data: replaces all four; the comment of an update, which has none, is passed over.

    Raises:
        NotFoundError: there is no such delivery.
        ConflictError: it is not dead, or no command about a lead's person.
        UnknownKeyError: the person was erased.
    """
    delivery, command = _open_command(tx, outbox, delivery_id)
    person = replace(command.person, name=data.name, phone=data.phone, email=data.email)
    fixed: CreateLead | UpdateLead
    if isinstance(command, CreateLead):
        comment = redact(data.comment or "", Purpose.CRM_LEAD, outbox.rules.now.policies)
        # What contact and deal may have of it is decided anew when it is sealed.
        fixed = replace(command, person=person, contact=None, comment=comment, deal=None)
    else:
        fixed = replace(command, person=person, contact=None)
    retry_delivery(tx, delivery_id, at=at)
    tx.deliveries.replace(
        delivery_id,
        kind=delivery.kind,
        lead_id=command.lead_id,
        sealed_payload=outbox.seal(tx, delivery_id, delivery.subject_id, fixed),
        due_at=at,
    )


def discard_delivery(tx: Transaction, delivery_id: str, *, reason: str, by: str, at: datetime) -> None:
    """Give a delivery up for good; who did it and why stays with it.

    With the creation of a lead its entries, which nothing could carry, are given up too.

    Raises:
        ConfigurationError: there is no reason.
        NotFoundError: there is no such delivery.
        ConflictError: it is under way or over.
    """
    reason = read_reason(reason)
    delivery = tx.deliveries.discard(delivery_id, reason=reason, by=by, at=at)
    if delivery is None:
        raise _why_not(tx, delivery_id, "given up")
    if delivery.kind is DeliveryKind.CREATE_LEAD and delivery.lead_id is not None:
        tx.leads.settle(delivery.lead_id, state=LeadState.REFUSED, ref=None, at=at)
        for follower in tx.deliveries.of_lead(delivery.lead_id):
            if follower.state is DeliveryState.UNKNOWN:  # known by now: there was no lead to write it to
                _wait(tx, follower, at)
            tx.deliveries.discard(follower.delivery_id, reason=reason, by=by, at=at)


def read_reason(reason: str) -> str:
    """Why something is given up, as it is kept. Raises ConfigurationError: nothing is said."""
    if not (read := reason.strip()):
        raise ConfigurationError("A reason is needed: it stays in the history.", hint="Add --reason.")
    return read


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


def _open_command(tx: Transaction, outbox: Outbox, delivery_id: str) -> tuple[StoredDelivery, CreateLead | UpdateLead]:
    delivery = tx.deliveries.find(delivery_id)
    if delivery is None or delivery.state is not DeliveryState.DEAD:
        raise _why_not(tx, delivery_id, "corrected")
    command = outbox.open(tx, delivery) if delivery.kind in CORRECTABLE else None
    if not isinstance(command, CreateLead | UpdateLead):
        raise ConflictError(
            "Only a new lead or news of a person can be corrected.",
            code="delivery.wrong_kind",
            hint=f"Send it again as it is: leadgate deliveries retry {delivery_id}",
        )
    return delivery, command


def _why_not(tx: Transaction, delivery_id: str, verb: str) -> NotFoundError | ConflictError:
    delivery = tx.deliveries.find(delivery_id)
    if delivery is None:
        return NotFoundError(f"There is no delivery {delivery_id}.", hint="See: leadgate deliveries list")
    return ConflictError(
        f"Delivery {delivery_id} is {delivery.state.value} and cannot be {verb}.",
        code="delivery.wrong_state",
        hint=f"See: leadgate deliveries show {delivery_id}",
    )
