"""Arrivals are kept many at a time; each still gets the receipt that it would have got alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadgate.ports.stores import NewEvent
from leadgate.storage.engines import make_engine
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.upgrade import upgrade

CROWD = 75  # more than one statement takes, and no power of two


def arrival(number: int, *, key: int | None = None) -> NewEvent:
    """An event whose natural key is its number unless told otherwise."""
    return NewEvent(
        event_id=f"evt_{number}",
        connection_id="conn_1",
        natural_key=(number if key is None else key).to_bytes(16),
        part=number % 16,
        received_at=datetime(2026, 11, 22, tzinfo=UTC),
        key_scope="intake",
        sealed_body=b"sealed",
    )


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqlStorage]:
    """An empty SQLite storage."""
    engine = make_engine(f"sqlite:///{tmp_path / 'arrivals.sqlite3'}")
    upgrade(engine)
    opened = SqlStorage(engine, "ws_arrivals")
    yield opened
    await asyncio.to_thread(opened.close)


async def test_a_crowd_of_arrivals_is_kept_whole_and_answered_in_order(storage: SqlStorage) -> None:
    """A receipt that went to the wrong sender would acknowledge an event that is not on disk."""
    receipts = await asyncio.gather(*(storage.receive(arrival(number)) for number in range(CROWD)))
    assert [receipt.event_id for receipt in receipts] == [f"evt_{number}" for number in range(CROWD)]
    assert not any(receipt.duplicate for receipt in receipts)
    found = await storage.read(lambda tx: [tx.events.find(f"evt_{number}") for number in range(CROWD)])
    assert all(event is not None for event in found)


async def test_redeliveries_within_one_crowd_get_the_first_ones_receipt(storage: SqlStorage) -> None:
    """Senders repeat quickly: the same webhook may stand twice in one commit, and beside one that was kept long ago."""
    await storage.receive(arrival(1000))
    crowd = [arrival(1), arrival(2, key=1), arrival(3), arrival(4, key=1000), *(arrival(n) for n in range(5, CROWD))]
    receipts = await asyncio.gather(*(storage.receive(event) for event in crowd))
    assert [(r.event_id, r.duplicate) for r in receipts[:4]] == [
        ("evt_1", False),
        ("evt_1", True),
        ("evt_3", False),
        ("evt_1000", True),
    ]
    assert not any(receipt.duplicate for receipt in receipts[4:])


async def test_work_goes_on_while_arrivals_crowd_in(storage: SqlStorage) -> None:
    """A flood may delay our own work; were it to stop it, leases would run out and nothing would reach the CRM."""
    flood = [asyncio.gather(*(storage.receive(arrival(100 * turn + n)) for n in range(50))) for turn in range(1, 20)]
    units = [storage.write(lambda tx: tx.events.find("evt_none")) for _ in range(10)]
    assert await asyncio.wait_for(asyncio.gather(*units), 10) == [None] * 10
    await asyncio.gather(*flood)
