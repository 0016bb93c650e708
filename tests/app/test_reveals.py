"""Who looked at a client's data: the reason in the journal, the words sealed under the client's key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from leadgate.app.reveals import MAX_WORDS, Reveals
from leadgate.errors import ConfigurationError, JournalUnavailableError
from leadgate.model.reveals import RevealReason
from leadgate.ports.stores import Transaction
from leadgate.storage.schema import data_keys
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW, CountedIds, FixedClock
from leadgate.testing.databases import bring_up, open_storage, sqlite_url
from leadgate.testing.journal import MemoryJournal
from leadgate.vault.ciphers import new_cipher_keyset
from leadgate.vault.envelope import Vault, subject_scope
from leadgate.vault.key_file import FileKeyWrapper
from tests.delivery.rig import all_bytes

WORDS = "жалуется Светлана с Лимонной"
SCOPE = subject_scope("subj_a")


class Looks:
    """Reveals of one client."""

    def __init__(self, storage: SqlStorage) -> None:
        self.storage, self.clock = storage, FixedClock()
        self.journal = MemoryJournal(self.clock)
        self.vault = Vault(FileKeyWrapper(new_cipher_keyset()), self.clock)
        self.reveals = Reveals(storage, self.vault, self.journal, clock=self.clock, ids=CountedIds())

    def destroy_key(self, tx: Transaction) -> None:
        """As an erasure does."""
        assert isinstance(tx, SqlTransaction)
        tx.connection.execute(delete(data_keys))

    async def look(self, words: str = WORDS, on: str = "evt_1") -> None:
        await self.reveals.note(on, scope=SCOPE, by="staff_1", reason=RevealReason.COMPLAINT, words=words)


@pytest.fixture(params=["sqlite", "postgresql"])
async def looks(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Looks]:
    """On each engine; the client has a key."""
    if request.param == "sqlite":
        database_url = sqlite_url(tmp_path)
    else:
        database_url = request.getfixturevalue("postgres_database")
        bring_up(database_url)
    opened = Looks(open_storage(database_url))
    await opened.storage.write(lambda tx: opened.vault.create_scope(tx, SCOPE))
    yield opened
    opened.storage.close()


async def test_the_journal_has_the_reason_and_never_the_words(looks: Looks, tmp_path: Path) -> None:
    """They may hold a name; on the disk they are sealed as well."""
    await looks.look()
    (row,) = looks.journal.rows
    assert (row.entry.tag.value, row.entry.by, row.entry.on) == ("event.revealed", "staff_1", "evt_1")
    assert row.entry.details["reason"] == "complaint"
    assert "Светлана" not in str(row)
    assert WORDS.encode() not in all_bytes(tmp_path)
    (told,) = (await looks.reveals.page(limit=5)).items
    assert (told.words, told.reason, told.at) == (WORDS, RevealReason.COMPLAINT, NOW)


async def test_nothing_is_noted_and_so_nothing_shown_without_the_journal(looks: Looks) -> None:
    """The caller shows the data only when this returns."""
    looks.journal.is_broken = True
    with pytest.raises(JournalUnavailableError):
        await looks.look()
    assert (await looks.reveals.page(limit=5)).items == []


async def test_the_words_go_with_the_clients_key(looks: Looks) -> None:
    """After an erasure it still stands who looked and why; what was written beside it is unreadable for good."""
    await looks.look()
    await looks.storage.write(looks.destroy_key)
    looks.vault.forget("ws", SCOPE)
    (told,) = (await looks.reveals.page(limit=5)).items
    assert (told.words, told.by) == (None, "staff_1")
    await looks.look()
    assert len((await looks.reveals.page(limit=5)).items) == 2


async def test_looks_are_listed_newest_first_page_by_page(looks: Looks) -> None:
    """Of one thing when it is named."""
    for number in range(5):
        await looks.look(f"раз {number}", on=f"evt_{number % 2}")
    first = await looks.reveals.page(limit=2)
    then = await looks.reveals.page(limit=2, cursor=first.next_cursor)
    assert [one.words for one in (*first.items, *then.items)] == ["раз 4", "раз 3", "раз 2", "раз 1"]
    assert [one.words for one in (await looks.reveals.page(limit=5, on="evt_1")).items] == ["раз 3", "раз 1"]


async def test_a_letter_is_no_reason(looks: Looks) -> None:
    """Five hundred characters are enough."""
    with pytest.raises(ConfigurationError, match="500"):
        await looks.look("ж" * (MAX_WORDS + 1))
