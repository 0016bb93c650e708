import re
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.errors import AccessDeniedError, ConfigurationError, NotFoundError
from leadgate.model.staff import ApiToken, Role
from leadgate.staff.tokens import ApiTokens
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import CountedIds, FixedClock
from leadgate.testing.databases import open_storage, sqlite_url
from leadgate.testing.journal import MemoryJournal
from tests.delivery.rig import all_bytes

SCANNER = re.compile(r"leadgate_[0-9A-Z]{26}_[A-Za-z0-9_-]{43}[0-9a-f]{8}")


class Desk:
    """Tokens with a clock that can be moved."""

    def __init__(self, storage: SqlStorage) -> None:
        self.storage = storage
        self.clock = FixedClock()
        self.journal = MemoryJournal(self.clock)
        self.tokens = ApiTokens(storage, self.journal, clock=self.clock, ids=CountedIds())

    async def make(self, days: int = 30) -> tuple[ApiToken, str]:
        token, secret = await self.tokens.create(role=Role.MANAGER, days=days, name=" Ночной  отчёт ")
        return token, secret.reveal()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """On an empty workspace."""
    storage = open_storage(sqlite_url(tmp_path))
    yield Desk(storage)
    storage.close()


async def refused(desk: Desk, text: str) -> str:
    """The code of the refusal."""
    with pytest.raises(AccessDeniedError) as caught:
        await desk.tokens.recognise(text)
    return caught.value.code


async def test_a_token_is_recognised_with_its_role(desk: Desk) -> None:
    """The role decides everything else."""
    made, text = await desk.make()
    assert await desk.tokens.recognise(text) == made
    assert (made.role, made.name) == (Role.MANAGER, "Ночной отчёт")
    assert SCANNER.fullmatch(text), "the shape that secret scanners are told of"


async def test_the_disk_holds_no_token(desk: Desk, tmp_path: Path) -> None:
    """A stolen copy of the database must open nothing."""
    _, text = await desk.make()
    secret = text.rpartition("_")[2][:43]
    desk.storage.close()
    assert secret.encode() not in all_bytes(tmp_path)


async def test_a_changed_or_foreign_token_is_refused(desk: Desk) -> None:
    """One wrong character is as wrong as all; the answer does not say what was wrong."""
    made, text = await desk.make()
    number, secret = made.token_id.removeprefix("tok_"), "A" * 43
    unknown = f"{number[:-1]}9"
    forged = [f"leadgate_{one}_{secret}{zlib.crc32(f'{one}_{secret}'.encode()):08x}" for one in (number, unknown)]
    for wrong in ("", "leadgate_", text[:-1], text + "0", text.replace(number, unknown), text.upper(), *forged):
        assert await refused(desk, wrong) == "access.token_wrong", wrong


async def test_a_token_of_another_workspace_is_refused(desk: Desk, tmp_path: Path) -> None:
    """Its checksum is right and its secret is real, but it belongs to somebody else."""
    other = open_storage(sqlite_url(tmp_path), "ws_other")
    _, secret = await ApiTokens(other, desk.journal, clock=desk.clock, ids=CountedIds(50)).create(
        role=Role.OWNER, days=1
    )
    other.close()
    assert await refused(desk, secret.reveal()) == "access.token_wrong"


async def test_a_token_ends_by_itself(desk: Desk) -> None:
    """To the moment; the program is told to get another."""
    _, text = await desk.make(days=1)
    desk.clock.move(timedelta(days=1) - timedelta(seconds=1))
    await desk.tokens.recognise(text)
    desk.clock.move(timedelta(seconds=1))
    assert await refused(desk, text) == "access.token_expired"


async def test_a_revoked_token_opens_nothing_at_once(desk: Desk) -> None:
    """Whoever found a leak must be sure."""
    made, text = await desk.make()
    await desk.tokens.revoke(made.token_id)
    assert await refused(desk, text) == "access.token_wrong"
    await desk.tokens.revoke(made.token_id)
    with pytest.raises(NotFoundError):
        await desk.tokens.revoke("tok_nothing")


async def test_the_last_use_is_kept_to_the_minute(desk: Desk) -> None:
    """A token that nobody uses is one to revoke; a write for every request would be too dear."""
    _, text = await desk.make()
    first = desk.clock.now()
    await desk.tokens.recognise(text)
    desk.clock.move(timedelta(seconds=50))
    await desk.tokens.recognise(text)
    assert [token.last_used_at for token in await desk.tokens.all()] == [first]
    desk.clock.move(timedelta(seconds=20))
    await desk.tokens.recognise(text)
    assert [token.last_used_at for token in await desk.tokens.all()] == [desk.clock.now()]


@pytest.mark.parametrize("days", [0, -1, 367])
async def test_a_token_lives_a_year_at_most(desk: Desk, days: int) -> None:
    """One for ever is one that is forgotten."""
    with pytest.raises(ConfigurationError):
        await desk.tokens.create(role=Role.AUDITOR, days=days)


async def test_a_name_is_short_and_printable(desk: Desk) -> None:
    """It stands in lists."""
    for name in ("x" * 81, "a\x00b"):
        with pytest.raises(ConfigurationError):
            await desk.tokens.create(role=Role.AUDITOR, days=1, name=name)
