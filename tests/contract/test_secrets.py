"""Versions of secrets, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from leadgate.model.connections import ConnectionState
from leadgate.ports.stores import StoredSecret, Transaction
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import NOW
from leadgate.testing.databases import open_storage, sqlite_url
from leadgate.testing.storage_suite import BOT, CRM, new_connection

HOUR = timedelta(hours=1)


def version(number: int, *, of: str = BOT, is_candidate: bool = False) -> StoredSecret:
    """A version whose value is its number."""
    return StoredSecret(
        connection_id=of,
        name="token",
        version=number,
        sealed_value=bytes([number]),
        created_at=NOW,
        live_until=None,
        made_by="staff_1",
        is_candidate=is_candidate,
        overlap_s=60 if is_candidate else None,
    )


class OnEachEngine:
    @pytest.fixture
    def database_url(self) -> str:
        """The address of an up-to-date database."""
        raise NotImplementedError

    @pytest.fixture
    def storage(self, database_url: str) -> Iterator[SqlStorage]:
        """An empty workspace."""
        opened = open_storage(database_url, f"ws_{uuid4().hex}")
        yield opened
        opened.close()

    async def test_a_candidate_is_good_and_not_the_first_until_it_is_promoted(self, storage: SqlStorage) -> None:
        """Whoever proves themselves by it passes; what we use stays the one before. Each step is seen by those who follow."""
        first, second = version(1), version(2, is_candidate=True)
        seen: list[object] = []

        def begin(tx: Transaction) -> None:
            tx.connections.add(new_connection(BOT))
            tx.connections.add_secret(first)
            seen.append(tx.connections.version())
            tx.connections.add_secret(second)
            seen.append(tx.connections.version())

        async def live(later: timedelta = timedelta()) -> list[int]:
            return await storage.read(lambda tx: [one.version for one in tx.connections.live_secrets(now=NOW + later)])

        await storage.write(begin)
        assert await live() == [1, 2]
        assert await storage.read(lambda tx: tx.secrets.of(BOT, "token")) == [second, first]

        def end(tx: Transaction) -> None:
            tx.secrets.promote(second, at=NOW + HOUR)
            seen.append(tx.connections.version())
            tx.secrets.set_until(first, NOW + 2 * HOUR)
            seen.append(tx.connections.version())

        await storage.write(end)
        assert len(set(seen)) == 4
        assert (await live(), await live(2 * HOUR)) == ([2, 1], [2])
        used = replace(second, is_candidate=False, overlap_s=None, created_at=NOW + HOUR)
        assert (await storage.read(lambda tx: tx.secrets.all()))[0] == used
        assert await storage.write(lambda tx: tx.secrets.drop_ended(now=NOW + HOUR)) == 0
        assert await storage.write(lambda tx: tx.secrets.drop_ended(now=NOW + 2 * HOUR)) == 1
        assert await storage.read(lambda tx: tx.secrets.of(BOT, "token")) == [used]
        await storage.write(lambda tx: tx.secrets.drop(used))
        assert await storage.read(lambda tx: tx.secrets.all()) == []

    async def test_removed_connections_have_no_secrets_any_more(self, storage: SqlStorage) -> None:
        """They are nobody's duty."""

        def fill(tx: Transaction) -> None:
            for connection_id in (BOT, CRM):
                tx.connections.add(new_connection(connection_id))
                tx.connections.add_secret(version(1, of=connection_id))
            tx.connections.set_state(BOT, ConnectionState.REMOVED, at=NOW)

        await storage.write(fill)
        found = await storage.read(lambda tx: tx.secrets.all())
        assert [one.connection_id for one in found] == [CRM]

    async def test_nodes_that_change_the_same_secret_take_turns(self, storage: SqlStorage, database_url: str) -> None:
        """Both would write the same number otherwise, and one of them would break."""
        nodes = [open_storage(database_url, storage.workspace_id) for _ in range(4)]

        def fill(tx: Transaction) -> None:
            tx.connections.add(new_connection(BOT))

        def add(tx: Transaction) -> int:
            tx.secrets.hold(BOT)
            number = max((one.version for one in tx.secrets.of(BOT, "token")), default=0) + 1
            tx.connections.add_secret(version(number))
            return number

        await storage.write(fill)
        numbers = await asyncio.gather(*(node.write(add) for _ in range(5) for node in nodes))
        assert sorted(numbers) == list(range(1, 21))
        for node in nodes:
            node.close()


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
