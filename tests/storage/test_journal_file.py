"""The audit journal keeps every act in a file of its own, and what must leave a trace is refused when it cannot."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from leadgate.errors import JournalUnavailableError
from leadgate.model.journal import JournalEntry, JournalFault, JournalFaultKind, Result, Tag
from leadgate.storage.journal_archive import JournalArchive
from leadgate.storage.journal_file import FILE, JournalFile
from leadgate.storage.journal_keys import CHECKPOINT_FILE, KEY_FILE, PUBLIC_FILE
from leadgate.system import SystemClock

ACT = JournalEntry(tag=Tag.BACKUP_CREATED, by="command")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[JournalFile]:
    """A new one."""
    made = JournalFile(tmp_path, SystemClock())
    yield made
    await made.close()


def names_in(folder: Path) -> set[str]:
    """Names of the files there."""
    return {path.name for path in folder.iterdir()}


async def again(folder: Path) -> JournalFile:
    """As another process opens it."""
    return JournalFile(folder, SystemClock())


async def test_entries_are_numbered_without_a_gap_and_read_from_the_newest_back(journal: JournalFile) -> None:
    """Whoever looks at one person's entries sees those alone."""
    first = JournalEntry(tag=Tag.SUBJECT_EXPORTED, by="staff_1", on="subj_1", details={"conversations": 2})
    second = JournalEntry(tag=Tag.SUBJECT_ERASED, by="command", on="subj_2", result=Result.REFUSED)
    assert [await journal.record(first), await journal.record(second), await journal.record(ACT)] == [1, 2, 3]
    assert [row.entry for row in await journal.newest(limit=10)] == [ACT, second, first]
    assert [row.number for row in await journal.newest(limit=10, before=2)] == [1]
    assert [row.entry for row in await journal.newest(limit=10, on="subj_1")] == [first]
    assert [row.entry for row in await journal.newest(limit=1, area="subject")] == [second]
    assert [row.entry for row in await journal.newest(limit=9, area="subject", before=2)] == [first]
    assert await journal.newest(limit=9, area="sub") == []


async def test_reading_makes_no_journal(journal: JournalFile, tmp_path: Path) -> None:
    """A house in which nothing happened has nothing to show, and a checkpoint of nothing is not needed."""
    assert list(await journal.newest(limit=3)) == []
    assert await journal.checkpoint() is None
    assert names_in(tmp_path) == set()


async def test_others_cannot_read_it(journal: JournalFile, tmp_path: Path) -> None:
    """It names nobody, but it tells what was done when; and the key signs for the house."""
    await journal.record(ACT)
    assert {
        name: (tmp_path / name).stat().st_mode & 0o777
        for name in names_in(tmp_path)
        if not name.endswith(("-wal", "-shm"))
    } == dict.fromkeys([FILE, KEY_FILE, PUBLIC_FILE, CHECKPOINT_FILE], 0o600)


async def test_an_act_is_refused_when_the_journal_cannot_be_written(journal: JournalFile, tmp_path: Path) -> None:
    """A file that is no journal is neither used nor replaced."""
    (tmp_path / FILE).write_bytes(b"not a database at all, but long enough to be taken for one" * 20)
    with pytest.raises(JournalUnavailableError) as refused:
        await journal.record(ACT)
    assert refused.value.hint
    (tmp_path / FILE).unlink()
    assert await journal.record(ACT) == 1


async def test_one_thread_writes_and_it_goes_with_the_journal(tmp_path: Path) -> None:
    """The file is opened once and not for each entry."""
    journal = JournalFile(tmp_path, SystemClock())
    await asyncio.gather(*(journal.record(ACT) for _ in range(20)))
    mine = [thread for thread in threading.enumerate() if thread.name.startswith("journal")]
    assert len(mine) <= 1
    await journal.close()
    for thread in mine:
        await asyncio.to_thread(thread.join, 5)
    assert not any(thread.is_alive() for thread in mine)
    assert not (tmp_path / f"{FILE}-wal").exists()


async def test_two_processes_add_to_one_journal(journal: JournalFile, tmp_path: Path) -> None:
    """A command beside the running gateway: each goes on where the other stopped."""
    other = await again(tmp_path)
    numbers = [await one.record(ACT) for one in (journal, other, other, journal, other, journal)]
    await other.close()
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert JournalArchive(tmp_path).verify().fault is None


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("DELETE FROM journal WHERE number = 3", "gone"),
        ("DELETE FROM journal", "gone"),
        ("UPDATE journal SET signature = zeroblob(64) WHERE number = 3", "signed"),
        ("UPDATE journal SET hashes = zeroblob(32) WHERE number = 3", "signed"),
        ("UPDATE journal SET hashes = 'x' WHERE number = 2", "hashes"),
        ("UPDATE journal SET hashes = x'00' WHERE number = 2", "hashes"),
        ("UPDATE journal SET signature = 5 WHERE number = 3", "signature"),
    ],
)
@pytest.mark.parametrize("is_running", [True, False])
async def test_a_changed_end_is_not_added_to(tmp_path: Path, statement: str, word: str, *, is_running: bool) -> None:
    """Signing on top of a change would make it look true; the act is refused instead."""
    journal = await again(tmp_path)
    for _ in range(3):
        await journal.record(ACT)
    if not is_running:
        await journal.close()
        journal = await again(tmp_path)
    file = sqlite3.connect(tmp_path / FILE)
    with file:
        file.execute(statement)
    file.close()
    if is_running and "hashes" in statement:
        # What the process knows by itself is the truth, so the change cannot get into what it signs; verify finds it.
        await journal.record(ACT)
        verdict = await asyncio.to_thread(journal.archive.verify)
        assert verdict.fault is not None
        await journal.close()
        return
    for _ in range(2):
        with pytest.raises(JournalUnavailableError, match=f"{word}|others|signed") as refused:
            await journal.record(ACT)
        assert refused.value.code == "journal.damaged"
    await journal.close()


async def test_an_older_file_put_back_under_a_running_gateway_is_noticed(journal: JournalFile, tmp_path: Path) -> None:
    """An open file that was replaced would take entries that nobody ever sees again."""
    await journal.record(ACT)
    await journal.checkpoint()
    with sqlite3.connect(tmp_path / FILE) as source, sqlite3.connect(tmp_path / "older") as target:
        source.backup(target)
    await journal.record(ACT)
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"{FILE}{suffix}").unlink()
    shutil.move(tmp_path / "older", tmp_path / FILE)
    with pytest.raises(JournalUnavailableError, match="after number 1 are gone"):
        await journal.record(ACT)


@pytest.mark.parametrize("name", [KEY_FILE, CHECKPOINT_FILE])
async def test_a_key_that_is_gone_is_not_replaced(tmp_path: Path, name: str) -> None:
    """Another key would part the journal from every checkpoint that was taken out. A checkpoint is written anew, and said so."""
    journal = await again(tmp_path)
    await journal.record(ACT)
    await journal.close()
    (tmp_path / name).unlink()
    journal = await again(tmp_path)
    if name == KEY_FILE:
        with pytest.raises(JournalUnavailableError, match="signing key"):
            await journal.record(ACT)
    else:
        with capture_logs() as logs:
            await journal.record(ACT)
        assert [line["event"] for line in logs] == ["journal.checkpoint_missing"]
        assert (tmp_path / name).exists()
    await journal.close()


async def test_a_checkpoint_that_a_power_cut_left_empty_stops_nothing(tmp_path: Path) -> None:
    """It is forced to the disk every hour and not with every entry; the entries themselves are."""
    journal = await again(tmp_path)
    await journal.record(ACT)
    await journal.close()
    (tmp_path / CHECKPOINT_FILE).write_text("")
    verdict = JournalArchive(tmp_path).verify()
    assert verdict.fault == JournalFault(None, JournalFaultKind.CHECKPOINT_MISSING)
    journal = await again(tmp_path)
    with capture_logs() as logs:
        await journal.record(ACT)
    assert [line["event"] for line in logs] == ["journal.checkpoint_missing"]
    await journal.close()
    assert JournalArchive(tmp_path).verify().fault is None


async def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    """As with the key of the vault."""
    journal = await again(tmp_path)
    await journal.record(ACT)
    await journal.close()
    (tmp_path / KEY_FILE).chmod(0o644)
    journal = await again(tmp_path)
    with pytest.raises(JournalUnavailableError, match="Others can read"):
        await journal.record(ACT)
    await journal.close()


async def test_a_checkpoint_that_cannot_be_written_refuses_no_act(journal: JournalFile, tmp_path: Path) -> None:
    """The entry stands by then; refusing would leave an entry of something that was not done."""
    await journal.record(ACT)
    (tmp_path / CHECKPOINT_FILE).unlink()
    (tmp_path / CHECKPOINT_FILE).mkdir()
    with capture_logs() as logs:
        assert await journal.record(ACT) == 2
    assert [line["event"] for line in logs] == ["journal.checkpoint_failed"]
    with pytest.raises(JournalUnavailableError):
        await journal.checkpoint()
    (tmp_path / CHECKPOINT_FILE).rmdir()


async def test_a_row_that_cannot_be_read_is_named(journal: JournalFile, tmp_path: Path) -> None:
    """Neither a traceback nor a page that leaves it out."""
    await journal.record(ACT)
    file = sqlite3.connect(tmp_path / FILE)
    for change in ("tag = 'made.up'", "details = '[]'", "made_by = 5", "at = 9223372036854775807", "made_by = x'ff'"):
        with file:
            file.execute("SAVEPOINT one")
            file.execute(f"UPDATE journal SET {change}")  # noqa: S608 - written above
            file.execute("RELEASE one")
        if change == "made_by = 5":
            continue  # SQLite makes a text of it, which can be read; verify finds it
        with pytest.raises(JournalUnavailableError, match="entry 1 cannot be read") as refused:
            await journal.newest(limit=1)
        assert refused.value.code == "journal.damaged"
    file.close()
    verdict = await asyncio.to_thread(journal.archive.verify)
    assert verdict.fault is not None
    assert (verdict.fault.number, verdict.fault.kind) == (1, JournalFaultKind.CHANGED)
