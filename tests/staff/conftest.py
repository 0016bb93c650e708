"""A salon's people on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from leadgate.staff import passwords
from leadgate.testing.databases import bring_up, open_storage, sqlite_url
from tests.staff.office import Office


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Password hashes are cheap here: what they cost is the library's own business."""
    monkeypatch.setattr(passwords, "PasswordHasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
async def office(tmp_path: Path, cheap_hashes: None) -> AsyncIterator[Office]:
    """On SQLite; the owner is invited."""
    storage = open_storage(sqlite_url(tmp_path))
    opened = Office(storage)
    await opened.invite()
    yield opened
    storage.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def house(request: pytest.FixtureRequest, tmp_path: Path, cheap_hashes: None) -> AsyncIterator[Office]:
    """On each engine; the owner has set a password."""
    if request.param == "sqlite":
        database_url = sqlite_url(tmp_path)
    else:
        database_url = request.getfixturevalue("postgres_database")
        bring_up(database_url)
    storage = open_storage(database_url)
    opened = Office(storage)
    await opened.open()
    yield opened
    storage.close()
