"""A storage for tests of the composition root."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.databases import open_storage, sqlite_url


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[SqlStorage]:
    """An empty workspace on SQLite."""
    opened = open_storage(sqlite_url(tmp_path))
    yield opened
    opened.close()
