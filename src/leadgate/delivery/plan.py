"""What to do next in a lane: which deliveries to look up, which to send, which to park. Pure.

Order: a delivery waits while an earlier one of the same group is not done. In the lane of a CRM the group is the lead, so a
poisoned or unknown lead holds up its own entries only; in the lane of a chat it is the whole lane. Entries of a lead that is not
in the CRM yet go along with its creation in the same batch, or are parked until it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.ports.stores import StoredDelivery

_FOLLOWERS = (DeliveryKind.TIMELINE_ENTRY, DeliveryKind.UPDATE_LEAD)


@dataclass(slots=True)
class Plan:
    """The next step of a lane.

    Attributes:
        orphans: found `sending` although nobody sends: their outcome is unknown.
        park: entries of a lead that is not in the CRM; they wake when it is.
    """

    orphans: list[StoredDelivery] = field(default_factory=list)
    look_up: list[StoredDelivery] = field(default_factory=list)
    send: list[StoredDelivery] = field(default_factory=list)
    park: list[StoredDelivery] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """True when this step changes nothing: the lane may be given back until something becomes due."""
        return not (self.look_up or self.send or self.orphans or self.park)

    @property
    def leads_to_create(self) -> list[str]:
        """Leads whose creation is about to be sent."""
        return [d.lead_id for d in self.send if d.kind is DeliveryKind.CREATE_LEAD and d.lead_id is not None]


def plan_lane(
    deliveries: Sequence[StoredDelivery], leads_in_crm: frozenset[str], *, capacity: int, now: datetime
) -> Plan:
    """Plan the next step.

    Args:
        deliveries: open ones of the lane in the order in which they should go; those of one lead oldest first.
        leads_in_crm: ids of leads that have a reference.
        capacity: most deliveries to send (and to look up) at once.
        now: aware time.
    """
    plan = Plan()
    held: set[str] = set()
    created: set[str] = set()
    for delivery in _creations_first(deliveries):
        group = delivery.lead_id or delivery.lane
        if delivery.state is DeliveryState.SENDING:
            plan.orphans.append(delivery)
            held.add(group)
        elif group in held:
            continue
        elif delivery.due_at is not None and delivery.due_at > now:
            held.add(group)
        elif delivery.state is DeliveryState.UNKNOWN:
            held.add(group)
            is_nowhere = delivery.kind in _FOLLOWERS and group not in leads_in_crm
            if len(plan.look_up) < capacity and not is_nowhere:  # it is asked for when its lead is there
                plan.look_up.append(delivery)
        elif delivery.kind in _FOLLOWERS and group not in leads_in_crm | created:
            plan.park.append(delivery)
            held.add(group)
        elif len(plan.send) < capacity:
            plan.send.append(delivery)
            if delivery.kind is DeliveryKind.CREATE_LEAD:
                created.add(group)
        else:
            break
    return plan


def _creations_first(deliveries: Sequence[StoredDelivery]) -> list[StoredDelivery]:
    """Entries that moved to a new lead are older than its creation: they go right behind it, in their order."""
    to_come = {d.lead_id for d in deliveries if d.kind is DeliveryKind.CREATE_LEAD}
    early: dict[str | None, list[StoredDelivery]] = {}
    ordered: list[StoredDelivery] = []
    for delivery in deliveries:
        if delivery.kind is DeliveryKind.CREATE_LEAD:
            to_come.discard(delivery.lead_id)
            ordered += [delivery, *early.pop(delivery.lead_id, ())]
        elif delivery.lead_id in to_come:
            early.setdefault(delivery.lead_id, []).append(delivery)
        else:
            ordered.append(delivery)
    return ordered
