"""A page of the database that rotted on the disk is found by looking, not by the client whose lead stood on it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from leadgate.app.database_check import DatabaseCheck
from leadgate.storage.engines import make_engine
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.upgrade import upgrade
from leadgate.system import SystemClock
from leadgate.testing.storage_suite import new_event

PAGE_BYTES = 4096


def open_storage(path: Path) -> SqlStorage:
    """A storage on this file."""
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    return SqlStorage(engine, "ws")


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A database with some hundred events, closed."""
    file = tmp_path / "salon.sqlite3"
    storage = open_storage(file)
    await asyncio.gather(*(_receive(storage, str(number)) for number in range(300)))
    await asyncio.to_thread(storage.close)
    return file


async def _receive(storage: SqlStorage, name: str) -> None:
    await storage.receive(new_event(name))


def rot(path: Path) -> None:
    """Zeros over the heads of the last pages, which hold events and their keys."""
    with path.open("r+b") as file:
        pages = file.seek(0, 2) // PAGE_BYTES
        for page in range(pages - 4, pages):
            file.seek(page * PAGE_BYTES)
            file.write(b"\0" * 64)


async def test_a_sound_database_is_sound(path: Path) -> None:
    """Every day; an alarm without a cause is not read a second time."""
    storage = open_storage(path)
    assert await DatabaseCheck(storage, SystemClock()).check() is None
    assert await storage.read(lambda tx: tx.alerts.find_note("database_check")) is None
    await asyncio.to_thread(storage.close)


async def test_a_rotten_page_is_found_and_raises_an_alarm_until_it_is_gone(path: Path) -> None:
    """The owner hears of it while the backup of yesterday is still good."""
    rot(path)
    storage = open_storage(path)
    check = DatabaseCheck(storage, SystemClock())
    assert await check.check()
    note = await storage.read(lambda tx: tx.alerts.find_note("database_check"))
    assert note is not None
    assert note.detail
    await asyncio.to_thread(storage.close)


async def test_an_alarm_ends_with_a_look_that_finds_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restore nobody should have to switch it off by hand."""
    storage = open_storage(path)
    check = DatabaseCheck(storage, SystemClock())

    async def rotten() -> str:
        return "page 7"

    monkeypatch.setattr(storage, "find_damage", rotten)
    assert await check.check() == "page 7"
    monkeypatch.undo()
    assert await check.check() is None
    assert await storage.read(lambda tx: tx.alerts.find_note("database_check")) is None
    await asyncio.to_thread(storage.close)
