"""What is refused at the door: counted for the pages and told to the journal, without a flood of either."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.errors import JournalUnavailableError
from leadgate.intake.refusals import JOURNAL_INTERVAL, Refusals
from leadgate.model.journal import Result, Tag
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import NOW, FixedClock
from leadgate.testing.databases import open_storage, sqlite_url
from leadgate.testing.journal import MemoryJournal

FORGED = "webhook.signature_mismatch"


class Door:
    """Refusals over a real database."""

    def __init__(self, storage: SqlStorage) -> None:
        self.clock = FixedClock()
        self.storage = storage
        self.journal = MemoryJournal(self.clock)
        self.refusals = Refusals(storage, self.journal, clock=self.clock)

    async def pages(self) -> dict[tuple[str | None, str], int]:
        """As the pages show them."""
        rows = await self.storage.query(lambda q: q.refusals(since=NOW - timedelta(days=1)))
        return {(row.connection_id, row.code): row.count for row in rows}

    def told(self) -> list[tuple[str | None, object, object]]:
        """As the journal has them."""
        assert {(row.entry.tag, row.entry.result) for row in self.journal.rows} <= {
            (Tag.WEBHOOK_REFUSED, Result.REFUSED)
        }
        return [(row.entry.on, row.entry.details["code"], row.entry.details["count"]) for row in self.journal.rows]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """Nobody knocked yet."""
    storage = open_storage(sqlite_url(tmp_path))
    yield Door(storage)
    storage.close()


async def test_the_first_is_told_at_once_and_a_flood_once_a_minute(door: Door) -> None:
    """An attack is seen in the journal, and cannot fill the disk with entries."""
    door.refusals.count("conn_1", FORGED)
    door.refusals.count("", "webhook.unknown_address")
    await door.refusals.write()
    assert door.told() == [(None, "webhook.unknown_address", 1), ("conn_1", FORGED, 1)]
    for _ in range(5):
        for _ in range(100):
            door.refusals.count("conn_1", FORGED)
        await door.refusals.write()
    assert len(door.told()) == 2
    assert (await door.pages())["conn_1", FORGED] == 501
    door.clock.move(JOURNAL_INTERVAL)
    await door.refusals.write()
    assert door.told()[2:] == [("conn_1", FORGED, 500)]
    door.clock.move(JOURNAL_INTERVAL)
    await door.refusals.write()
    assert len(door.told()) == 3, "silence leaves no entry"


async def test_what_was_counted_is_told_when_the_process_ends(door: Door) -> None:
    """A stop must not hide the last minute of an attack."""
    for _ in range(2):
        door.refusals.count("conn_1", FORGED)
        await door.refusals.write()
    assert len(door.told()) == 1
    await door.refusals.write(is_last=True)
    assert [count for _, _, count in door.told()] == [1, 1]


async def test_without_a_journal_nothing_is_forgotten(door: Door) -> None:
    """It is told when the journal can be written again; the pages do not wait for it."""
    door.journal.is_broken = True
    door.refusals.count("conn_1", FORGED)
    for _ in range(2):
        with pytest.raises(JournalUnavailableError):
            await door.refusals.write()
    assert sum((await door.pages()).values()) == 1
    door.journal.is_broken = False
    await door.refusals.write()
    assert [count for _, _, count in door.told()] == [1]


async def test_strangers_cannot_grow_the_memory(door: Door) -> None:
    """Kinds come from us, still there is an end of them."""
    for number in range(3000):
        door.refusals.count("conn_1", f"code.{number}")
    await door.refusals.write(is_last=True)
    assert len(door.told()) == 1000
