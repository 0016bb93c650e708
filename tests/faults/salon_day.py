"""What a salon does in a busy moment, through the real storage, and what of it is found afterwards.

What somebody is told to be kept (an event, a lead, an attempt that is about to be made) is a promise, in the same words in which
`found_in` tells what is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text

from leadgate.model.deliveries import AttemptKind, AttemptOutcome, DeliveryState
from leadgate.ports.stores import NewEvent, StoredDelivery, Transaction
from leadgate.storage.engines import make_engine
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.upgrade import upgrade
from leadgate.testing.connections import NOW
from leadgate.testing.storage_suite import new_delivery, new_event, new_lead
from tests.faults.power import throw_dice

FILE = "leadgate.sqlite3"
Promise = Callable[[str], None]


def body_of(name: str) -> bytes:
    """Contents that belong to a name; some are larger than a page."""
    dice = throw_dice(name)
    return dice.randbytes(dice.choice((40, 900, 9000)))


async def keep(storage: SqlStorage, promise: Promise, name: str) -> None:
    """An event arrives, and its sender is told that it is kept."""
    event: NewEvent = replace(new_event(name), sealed_body=body_of(name))
    await storage.receive(event)
    promise(f"event {event.event_id}")


async def deliver(storage: SqlStorage, promise: Promise, name: str) -> None:
    """A lead and its delivery in one unit; then the attempt, written before anything is sent; then how it ended."""
    delivery = new_delivery(name, lead_id=f"lead_{name}")
    await storage.write(lambda tx: _enqueue(tx, name, delivery))
    promise(f"lead lead_{name}")
    await storage.write(lambda tx: tx.deliveries.start_attempts([delivery], kind=AttemptKind.SEND, at=NOW))
    promise(f"sending {delivery.delivery_id}")
    await storage.write(lambda tx: _settle(tx, delivery))
    promise(f"done {delivery.delivery_id}")


def _enqueue(tx: Transaction, name: str, delivery: StoredDelivery) -> None:
    tx.leads.add(new_lead(name, subject_id=f"subj_{name}"))
    tx.deliveries.add(delivery)


def _settle(tx: Transaction, delivery: StoredDelivery) -> None:
    tx.deliveries.end_attempt(delivery.delivery_id, 1, outcome=AttemptOutcome.DELIVERED, error_code=None, at=NOW)
    tx.deliveries.settle(
        delivery.delivery_id,
        state=DeliveryState.DONE,
        due_at=None,
        failures=0,
        error_code=None,
        error_detail=None,
        external_id="7",
        at=NOW,
    )


def found_in(folder: Path) -> set[str]:
    """What the product finds after it was started again: the same words as the promises, and every kind of damage."""
    engine = make_engine(f"sqlite:///{folder / FILE}")
    try:
        with engine.connect() as connection:
            damage = connection.execute(text("PRAGMA integrity_check")).scalars().all()
        if damage != ["ok"]:
            return {f"damage: {damage}"}  # its rows may be of any kind: nothing is read from them
        upgrade(engine)
        with engine.connect() as connection:
            events = connection.execute(text("SELECT event_id, sealed_body FROM events")).all()
            leads = connection.execute(text("SELECT lead_id FROM leads")).scalars().all()
            deliveries = connection.execute(text("SELECT delivery_id, lead_id, state FROM deliveries")).all()
    finally:
        engine.dispose()
    found = {f"event {event_id}" for event_id, body in events if body == body_of(event_id.removeprefix("evt_"))}
    found |= {f"lead {lead_id}" for lead_id in leads}
    found |= {f"half a unit: {lead_id}" for lead_id in {lead_id for _, lead_id, _ in deliveries} ^ set(leads)}
    found |= {f"sending {delivery_id}" for delivery_id, _, state in deliveries if state in {"sending", "done"}}
    return found | {f"done {delivery_id}" for delivery_id, _, state in deliveries if state == "done"}
