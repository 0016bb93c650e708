"""What must be true of a world when the faults are over and everything had time to end."""

from collections.abc import Iterator
from datetime import timedelta

from leadgate.model.deliveries import OPEN_STATES, DeliveryKind, DeliveryState
from leadgate.model.leads import LeadState
from leadgate.ports.stores import StoredDelivery
from tests.simulation.portal import Portal
from tests.simulation.scenario import QUIET_TIME
from tests.simulation.world import World

_ODD_CLOCKS = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(minutes=30)
"""Much longer than what a few failures add up to in the life of a world."""


def is_at_rest(world: World) -> bool:
    """Nothing is left to do without a person: what is open waits for a lead that is a dead letter."""
    rows = world.storage.tables.deliveries.values()
    stuck = {d.lead_id for d in rows if d.state is DeliveryState.DEAD and d.kind is DeliveryKind.CREATE_LEAD}
    return all(d.state not in OPEN_STATES or d.lead_id in stuck for d in rows) and _lanes_are_free(world)


def long_waits(world: World) -> Iterator[str]:
    """What waits longer than it may, once every node had time to see that the clock jumped."""
    if any(after is not None and after > _LONGEST_PAUSE for _, _, after in world.scenario.outages):
        return  # the portal itself asked for it
    now, tables = world.now(), world.storage.tables
    for delivery in tables.deliveries.values():
        due_at = delivery.due_at if delivery.state is DeliveryState.UNKNOWN else None
        if due_at is not None and due_at > now + QUIET_TIME + _ODD_CLOCKS:
            yield f"{world.key_of[delivery.delivery_id]} is in doubt and nobody looks before {due_at}"
    for name, lane in tables.lanes.items():
        if lane.due_at is not None and lane.due_at > now + _LONGEST_PAUSE:
            yield f"lane {name} sleeps until {lane.due_at}"


def judge(world: World, portal: Portal) -> Iterator[str]:
    """Every sentence is a violation."""
    for delivery in world.storage.tables.deliveries.values():
        key = world.key_of[delivery.delivery_id]
        yield from _judge_delivery(world, delivery, key, portal.effects.get(key, 0))
    for lead in world.storage.tables.leads.values():
        if lead.state is LeadState.OPEN:
            kept = portal.leads[lead.ref.crm_id - 1] if lead.ref is not None else None
            if kept is None or kept.origin_id != lead.origin_id:
                yield f"{lead.lead_id} is open and its reference leads to {kept and kept.origin_id}"
    known = set(world.key_of.values())
    yield from (f"{key} stands in the portal and nobody knows of it" for key in portal.effects if key not in known)


def _judge_delivery(world: World, delivery: StoredDelivery, key: str, effects: int) -> Iterator[str]:
    state = delivery.state
    if effects > 1:
        yield f"{key} was carried out {effects} times"
    if state in OPEN_STATES:
        yield f"{key} is still {state.value}, due at {delivery.due_at}"
    elif state is DeliveryState.DONE and effects == 0:
        yield f"{key} is done and was never carried out: lost"
    elif state is DeliveryState.DEAD:
        yield f"{key} is still a dead letter after it was cured"
    elif state is DeliveryState.UNCERTAIN and (
        delivery.kind is not DeliveryKind.MESSAGE or world.scenario.chat_repeats
    ):
        yield f"{key} is uncertain though its target can be asked or drops repeats"
    elif state is DeliveryState.DISCARDED:
        is_old_news = (
            delivery.kind is DeliveryKind.UPDATE_LEAD
        )  # of a lead that was closed: the new lead is made of the profile
        if not is_old_news and delivery.delivery_id not in world.given_up:
            yield f"{key} was given up by nobody: lost"


def _lanes_are_free(world: World) -> bool:
    return all(row.holder is None for row in world.storage.tables.lanes.values())
