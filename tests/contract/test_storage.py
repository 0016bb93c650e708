"""Both engines keep the rules of the storage."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.databases import open_storage, sqlite_url
from leadgate.testing.storage_suite import StorageSuite

OpenWorkspace = Callable[[str], SqlStorage]


class OnEachEngine(StorageSuite):
    @pytest.fixture
    def database_url(self) -> str:
        """The address of an up-to-date database."""
        raise NotImplementedError

    @pytest.fixture
    def open_workspace(self, database_url: str) -> Iterator[OpenWorkspace]:
        """Opens storages, closed after the test; ids of workspaces are not used twice."""
        opened: list[SqlStorage] = []
        suffix = uuid.uuid4().hex

        def open_one(name: str) -> SqlStorage:
            opened.append(open_storage(database_url, f"{name}_{suffix}"))
            return opened[-1]

        yield open_one
        for storage in opened:
            storage.close()

    @pytest.fixture
    def storage(self, open_workspace: OpenWorkspace) -> SqlStorage:
        """An empty workspace."""
        return open_workspace("ws")

    @pytest.fixture
    def second(self, open_workspace: OpenWorkspace) -> SqlStorage:
        """The same workspace, seen from another node."""
        return open_workspace("ws")

    @pytest.fixture
    def stranger(self, open_workspace: OpenWorkspace) -> SqlStorage:
        """Another workspace of the same database."""
        return open_workspace("other")


class TestSqlite(OnEachEngine):
    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        """A file."""
        return sqlite_url(tmp_path)


class TestPostgres(OnEachEngine):
    @pytest.fixture
    def database_url(self, postgres_shared: str) -> str:
        """The shared server."""
        return postgres_shared
