"""What the API keeps, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from leadgate.errors import LeaseLostError
from leadgate.model.staff import ApiToken, Role
from leadgate.ports.stores import KeptAnswer, Transaction
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import NOW
from leadgate.testing.databases import open_storage, sqlite_url

KEY, DAY, MINUTE = b"k" * 32, timedelta(days=1), timedelta(minutes=1)
TOKEN = ApiToken(token_id="tok_1", name="Отчёт", role=Role.AUDITOR, created_at=NOW, expires_at=NOW + DAY)
BEGUN = KeptAnswer(fingerprint=b"f" * 32, claim="a", claimed_until=NOW + MINUTE, created_at=NOW)


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

    @pytest.fixture
    def stranger(self, database_url: str) -> Iterator[SqlStorage]:
        """Another workspace of the same database."""
        opened = open_storage(database_url, f"ws_{uuid4().hex}")
        yield opened
        opened.close()

    async def test_a_token_comes_back_as_it_was_kept(self, storage: SqlStorage, stranger: SqlStorage) -> None:
        """Role and times decide what a program may do; another workspace must not know the token."""
        newer = replace(TOKEN, token_id="tok_2", created_at=NOW + MINUTE)

        def fill(tx: Transaction) -> None:
            tx.tokens.add(TOKEN, b"h" * 32)
            tx.tokens.add(newer, b"i" * 32)

        await storage.write(fill)
        assert await storage.read(lambda tx: tx.tokens.find("tok_1")) == (TOKEN, b"h" * 32)
        assert await storage.read(lambda tx: list(tx.tokens.all())) == [newer, TOKEN]
        await storage.write(lambda tx: tx.tokens.touch("tok_1", at=NOW + MINUTE))
        found = await storage.read(lambda tx: tx.tokens.find("tok_1"))
        assert found is not None
        assert found[0].last_used_at == NOW + MINUTE
        assert await stranger.read(lambda tx: tx.tokens.find("tok_1")) is None

    async def test_a_token_is_revoked_once(self, storage: SqlStorage) -> None:
        """The time of the first order counts: it says until when a leaked token was of use."""
        await storage.write(lambda tx: tx.tokens.add(TOKEN, b"h" * 32))
        assert await storage.write(lambda tx: tx.tokens.revoke("tok_1", at=NOW))
        assert await storage.write(lambda tx: tx.tokens.revoke("tok_1", at=NOW + DAY))
        assert not await storage.write(lambda tx: tx.tokens.revoke("tok_9", at=NOW))
        assert [token.revoked_at for token in await storage.read(lambda tx: tx.tokens.all())] == [NOW]

    async def test_of_many_who_begin_one_gets_the_claim(self, storage: SqlStorage) -> None:
        """Two nodes that are asked the same at once must not both work."""
        claims = [replace(BEGUN, claim=str(number)) for number in range(8)]
        won = await asyncio.gather(
            *(storage.write(lambda tx, claim=claim: tx.answers.claim(KEY, claim)) for claim in claims)  # type: ignore[misc]  # mypy sees no type in the default of a lambda
        )
        assert sum(won) == 1
        assert await storage.read(lambda tx: tx.answers.find(KEY)) == claims[won.index(True)]

    async def test_only_the_claim_in_force_keeps_an_answer(self, storage: SqlStorage) -> None:
        """A node that froze wakes up after another one took over: it must write nothing."""
        await storage.write(lambda tx: tx.answers.claim(KEY, BEGUN))
        later = NOW + 2 * MINUTE
        assert await storage.write(lambda tx: tx.answers.take_over(KEY, of="a", claim="b", claimed_until=later))
        assert not await storage.write(lambda tx: tx.answers.take_over(KEY, of="a", claim="c", claimed_until=later))
        assert not await storage.write(lambda tx: tx.answers.finish(KEY, claim="a", status=200, body=b"a"))
        assert await storage.write(lambda tx: tx.answers.finish(KEY, claim="b", status=200, body=b"b"))
        assert not await storage.write(lambda tx: tx.answers.finish(KEY, claim="b", status=200, body=b"again"))
        assert not await storage.write(lambda tx: tx.answers.take_over(KEY, of="b", claim="c", claimed_until=later))
        kept = replace(BEGUN, claim="b", claimed_until=later, status=200, body=b"b")
        assert await storage.read(lambda tx: tx.answers.find(KEY)) == kept

    async def test_what_has_an_answer_is_not_released(self, storage: SqlStorage) -> None:
        """A failure after the commit must not let the same request be done twice."""
        await storage.write(lambda tx: tx.answers.claim(KEY, BEGUN))
        await storage.write(lambda tx: tx.answers.release(KEY, claim="b"))
        assert await storage.read(lambda tx: tx.answers.find(KEY)) == BEGUN
        await storage.write(lambda tx: tx.answers.finish(KEY, claim="a", status=200, body=b""))
        await storage.write(lambda tx: tx.answers.release(KEY, claim="a"))
        assert await storage.read(lambda tx: tx.answers.find(KEY)) is not None

    async def test_old_answers_are_forgotten_by_workspace(self, storage: SqlStorage, stranger: SqlStorage) -> None:
        """The table must not grow for ever, and one salon's cleaning is not another's."""
        for one in (storage, stranger):
            await one.write(lambda tx: tx.answers.claim(KEY, BEGUN))
        assert await storage.write(lambda tx: tx.answers.forget(before=NOW)) == 0
        assert await storage.write(lambda tx: tx.answers.forget(before=NOW + MINUTE)) == 1
        assert await storage.read(lambda tx: tx.answers.find(KEY)) is None
        assert await stranger.read(lambda tx: tx.answers.find(KEY)) == BEGUN

    async def test_a_companion_goes_with_the_unit_or_not_at_all(self, storage: SqlStorage) -> None:
        """An effect without its kept answer is done twice by a repeat; an answer without its effect is a lie."""
        heard: list[object] = []

        def refuse(_tx: Transaction, _result: object) -> None:
            raise LeaseLostError("taken over")

        with pytest.raises(LeaseLostError), storage.joined(refuse):
            await storage.write(lambda tx: tx.tokens.add(TOKEN, b"h" * 32))
        assert await storage.read(lambda tx: list(tx.tokens.all())) == []

        def follow(tx: Transaction, result: object) -> None:
            tx.answers.claim(KEY, BEGUN)
            heard.append(result)

        with storage.joined(follow):
            await storage.write(lambda tx: tx.tokens.revoke("tok_9", at=NOW))
        assert heard == [False]
        assert await storage.read(lambda tx: tx.answers.find(KEY)) == BEGUN
        await storage.write(lambda tx: tx.tokens.revoke("tok_9", at=NOW))
        assert heard == [False], "outside the block nobody goes along"


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
