"""Storages to break."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.databases import bring_up, open_storage, sqlite_url


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[SqlStorage]:
    """An empty workspace on SQLite."""
    opened = open_storage(sqlite_url(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def nodes(postgres_database: str) -> Iterator[tuple[SqlStorage, SqlStorage]]:
    """One workspace on PostgreSQL, seen from two nodes."""
    bring_up(postgres_database)
    opened = open_storage(postgres_database), open_storage(postgres_database)
    yield opened
    for storage in opened:
        storage.close()
