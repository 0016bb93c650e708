"""What the outcome of a delivery means for leads: opened with its CRM id, or closed and opened anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from leadgate.crm.leads import Contact, House, Leads, parse_ref
from leadgate.delivery.payloads import Payload
from leadgate.delivery.retry import Decision
from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.model.leads import AddTimelineEntry, LeadState
from leadgate.model.outcomes import LeadClosed, Outcome
from leadgate.ports.stores import StoredDelivery, Transaction

DescribeContact = Callable[[Transaction, StoredDelivery, AddTimelineEntry], Contact]
"""Where the entry of a closed lead came from, so that a new lead can be made of it."""


_FOLLOWERS = (DeliveryKind.UPDATE_LEAD, DeliveryKind.TIMELINE_ENTRY)


class LeadSettlement:
    """See `delivery.worker.Settlement`."""

    def __init__(self, leads: Leads, describe_contact: DescribeContact, house: Callable[[], House]) -> None:
        """Open leads anew through `leads`."""
        self._leads = leads
        self._describe_contact = describe_contact
        self._house = house

    def settled(
        self,
        tx: Transaction,
        delivery: StoredDelivery,
        payload: Payload | None,
        outcome: Outcome,
        decision: Decision,
        *,
        at: datetime,
    ) -> Decision:
        """Keep the lead in step with its delivery."""
        if delivery.kind is DeliveryKind.CREATE_LEAD and decision.state is DeliveryState.DONE:
            self._opened(tx, delivery, decision, at=at)
        if isinstance(outcome, LeadClosed) and delivery.lead_id is not None:
            tx.leads.settle(delivery.lead_id, state=LeadState.CLOSED, ref=None, at=at)
            return self._after_closing(tx, delivery, payload, decision, at=at)
        return decision

    @staticmethod
    def settled_without_words(
        tx: Transaction, delivery: StoredDelivery, decision: Decision, *, at: datetime
    ) -> Decision:
        """Where the lead stands is kept for the order that destroys it; what did not arrive is given up."""
        if delivery.kind is DeliveryKind.MESSAGE:
            return replace(decision, state=DeliveryState.DISCARDED, due_at=None, error_detail=None, external_id=None)
        is_made = delivery.kind is DeliveryKind.CREATE_LEAD and decision.state is DeliveryState.DONE
        if is_made and delivery.lead_id is not None:
            ref, crm = parse_ref(decision.external_id), delivery.connection_id
            tx.leads.settle(delivery.lead_id, state=LeadState.CLOSED, ref=ref, at=at, crm_connection_id=crm)
        if decision.state in (DeliveryState.DONE, DeliveryState.UNKNOWN):
            return replace(decision, error_detail=None)
        if delivery.kind is DeliveryKind.CREATE_LEAD and delivery.lead_id is not None:
            # There was no lead to write them to: entries in doubt are known by now, and must not hold up the order.
            for follower in tx.deliveries.of_lead(delivery.lead_id):
                if follower.state is DeliveryState.UNKNOWN and follower.kind in _FOLLOWERS:
                    _give_up(tx, follower, at=at)
        return replace(decision, state=DeliveryState.DISCARDED, due_at=None, error_detail=None)

    @staticmethod
    def _opened(tx: Transaction, delivery: StoredDelivery, decision: Decision, *, at: datetime) -> None:
        if delivery.lead_id is None:
            return
        ref = parse_ref(decision.external_id)
        # It may stand in another CRM than the one it was meant for: that one was removed, or none was connected then.
        crm = delivery.connection_id
        tx.leads.settle(delivery.lead_id, state=LeadState.OPEN, ref=ref, at=at, crm_connection_id=crm)
        tx.deliveries.unpark(delivery.lead_id, at=at)

    def _after_closing(
        self, tx: Transaction, delivery: StoredDelivery, payload: Payload | None, decision: Decision, *, at: datetime
    ) -> Decision:
        if isinstance(payload, AddTimelineEntry):
            contact = self._describe_contact(tx, delivery, payload)
            lead_id = self._leads.open_again(tx, delivery, payload, contact, self._house(), at=at)
            if delivery.event_id is not None:
                tx.events.move_to_lead(delivery.event_id, lead_id)
            return Decision(state=DeliveryState.WAITING, due_at=at, failures=0)
        # News of a person go into the new lead anyway: it is made from the profile.
        return replace(decision, state=DeliveryState.DISCARDED, due_at=None)


def _give_up(tx: Transaction, delivery: StoredDelivery, *, at: datetime) -> None:
    tx.deliveries.settle(
        delivery.delivery_id,
        state=DeliveryState.DISCARDED,
        due_at=None,
        failures=delivery.failures,
        error_code=None,
        error_detail=None,
        external_id=None,
        at=at,
    )
