"""The audit journal keeps every act in a file of its own, and what must leave a trace is refused when it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadgate.errors import JournalUnavailableError
from leadgate.model.journal import JournalEntry, Result, Tag
from leadgate.storage.journal_file import FILE, JournalFile
from leadgate.system import SystemClock


async def test_entries_are_numbered_without_a_gap_and_read_from_the_newest_back(tmp_path: Path) -> None:
    """Whoever looks at one person's entries sees those alone."""
    journal = JournalFile(tmp_path, SystemClock())
    first = JournalEntry(tag=Tag.SUBJECT_EXPORTED, by="staff_1", on="subj_1", details={"conversations": 2})
    second = JournalEntry(tag=Tag.SUBJECT_ERASED, by="command", on="subj_2", result=Result.REFUSED)
    assert [await journal.record(first), await journal.record(second)] == [1, 2]
    assert [row.entry for row in await journal.newest(limit=10)] == [second, first]
    assert [row.number for row in await journal.newest(limit=10, before=2)] == [1]
    assert [row.entry for row in await journal.newest(limit=10, on="subj_1")] == [first]


async def test_others_cannot_read_it(tmp_path: Path) -> None:
    """It names nobody, but it tells what was done when."""
    await JournalFile(tmp_path, SystemClock()).record(JournalEntry(tag=Tag.BACKUP_CREATED, by="command"))
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


async def test_an_act_is_refused_when_the_journal_cannot_be_written(tmp_path: Path) -> None:
    """A file that is no journal is neither used nor replaced."""
    (tmp_path / FILE).write_bytes(b"not a database at all, but long enough to be taken for one" * 20)
    with pytest.raises(JournalUnavailableError) as refused:
        await JournalFile(tmp_path, SystemClock()).record(JournalEntry(tag=Tag.BACKUP_CREATED, by="command"))
    assert refused.value.hint
