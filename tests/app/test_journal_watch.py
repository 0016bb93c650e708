"""A running gateway looks after its journal: checkpoints on disk, a daily walk, an alarm that begins and ends."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from leadgate.alerts.causes import JOURNAL_CHECK, JOURNAL_OUTSIDE
from leadgate.app.journal_desk import JournalDesk, read_cursor
from leadgate.app.journal_watch import VERIFY_INTERVAL, JournalWatch
from leadgate.errors import ConfigurationError
from leadgate.model.journal import JournalEntry, JournalFault, JournalFaultKind, Tag
from leadgate.model.staff import Role, Staff
from leadgate.storage.journal_file import FILE, JournalFile
from leadgate.storage.journal_keys import CHECKPOINT_FILE
from leadgate.storage.sql_storage import SqlStorage
from leadgate.system import SystemClock

ACT = JournalEntry(tag=Tag.BACKUP_CREATED, by="command")


class LateClock(SystemClock):
    """The real one, moved on."""

    late = timedelta()

    def now(self) -> datetime:
        return super().now() + self.late


async def send_to_nobody(_: str) -> int:
    """A house without addresses."""
    return 0


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[JournalFile]:
    """A journal of three entries."""
    made = JournalFile(tmp_path, SystemClock())
    for _ in range(3):
        await made.record(ACT)
    yield made
    await made.close()


def edit(folder: Path, statement: str) -> None:
    """What somebody does who can write the file."""
    with sqlite3.connect(folder / FILE) as file:
        file.execute(statement)


async def test_a_sound_journal_is_verified_and_its_checkpoint_written(
    journal: JournalFile, storage: SqlStorage, tmp_path: Path
) -> None:
    """The page can say since when it was known to be whole."""
    watch = JournalWatch(journal, storage, SystemClock(), send_to_nobody)
    assert (await watch.state()).verdict is None
    (tmp_path / CHECKPOINT_FILE).unlink()
    await watch.look()
    state = await watch.state()
    assert state.verdict is not None
    assert (state.verdict.entries, state.verdict.fault) == (3, None)
    assert state.checkpoint_at is not None
    assert (tmp_path / CHECKPOINT_FILE).exists()
    assert await storage.read(lambda tx: tx.alerts.find_note(JOURNAL_CHECK)) is None


async def test_a_change_is_found_once_a_day_and_raises_an_alarm_until_it_is_mended(
    journal: JournalFile, storage: SqlStorage, tmp_path: Path
) -> None:
    """Nobody opens the page every day; the alarm goes to whoever is told of trouble."""
    clock = LateClock()
    watch = JournalWatch(journal, storage, clock, send_to_nobody)
    await watch.look()
    edit(tmp_path, "UPDATE journal SET made_by = 'nobody' WHERE number = 2")
    await watch.look()
    assert await storage.read(lambda tx: tx.alerts.find_note(JOURNAL_CHECK)) is None, "it is not time yet"
    clock.late = VERIFY_INTERVAL
    with capture_logs() as logs:
        await watch.look()
    assert [(line["event"], line["error_code"]) for line in logs] == [("journal.damaged", "journal.changed")]
    state = await watch.state()
    assert state.verdict is not None
    assert state.verdict.fault == JournalFault(2, JournalFaultKind.CHANGED)
    note = await storage.read(lambda tx: tx.alerts.find_note(JOURNAL_CHECK))
    assert note is not None
    assert note.detail == "journal.changed"
    edit(tmp_path, "UPDATE journal SET made_by = 'command' WHERE number = 2")
    clock.late = 2 * VERIFY_INTERVAL
    await watch.look()
    assert await storage.read(lambda tx: tx.alerts.find_note(JOURNAL_CHECK)) is None


async def test_a_journal_that_cannot_be_written_is_an_alarm_at_the_next_look(
    journal: JournalFile, storage: SqlStorage, tmp_path: Path
) -> None:
    """Acts on personal data are refused from then on, so somebody has to know."""
    watch = JournalWatch(journal, storage, SystemClock(), send_to_nobody)
    await watch.look()
    edit(tmp_path, "DELETE FROM journal WHERE number = 3")
    with capture_logs() as logs:
        await watch.look()
    assert [line["event"] for line in logs] == ["journal.checkpoint_failed", "journal.damaged"]
    note = await storage.read(lambda tx: tx.alerts.find_note(JOURNAL_CHECK))
    assert note is not None
    assert note.detail == "journal.missing"


async def test_a_checkpoint_goes_outside_once_a_day_when_something_was_recorded(
    journal: JournalFile, storage: SqlStorage
) -> None:
    """The owner keeps it without a thought; a quiet day sends nothing, an address that fails is tried at the next look.

    Nobody who has just given an address wants a checkpoint before the first alarm.
    """
    clock, sent, takers = LateClock(), [], [0, 2, 2, 2]

    async def send(checkpoint: str) -> int:
        sent.append(checkpoint.split("\n")[1])
        return takers.pop(0)

    watch = JournalWatch(journal, storage, clock, send)
    await watch.look()
    assert sent == []
    clock.late = timedelta(hours=24)
    for _ in range(3):
        await watch.look()
    assert sent == ["3", "3"], "nobody took the first, the second was taken"
    await journal.record(ACT)
    await watch.look()
    assert len(sent) == 2, "not twice a day"
    clock.late = timedelta(hours=48)
    await watch.look()
    assert sent == ["3", "3", "4"]
    clock.late = timedelta(hours=72)
    await JournalWatch(journal, storage, clock, send).look()
    assert len(sent) == 3, "nothing was recorded since"


async def test_a_checkpoint_is_put_into_the_folder_outside_every_hour(
    journal: JournalFile, storage: SqlStorage, tmp_path: Path
) -> None:
    """A second place, which whoever rules this server does not rule; each file is what `--checkpoint` takes."""
    clock, outside = LateClock(), tmp_path / "share"
    outside.mkdir()
    watch = JournalWatch(journal, storage, clock, send_to_nobody, outside=outside)
    await watch.look()
    await journal.record(ACT)
    await watch.look()
    (kept,) = outside.iterdir()
    assert kept.name.endswith(f"-{clock.now():%Y-%m-%d}.txt")
    assert kept.read_text("utf-8") == await journal.checkpoint()
    assert journal.archive.verify([kept.read_text("utf-8")]).fault is None
    clock.late = timedelta(days=1)
    await journal.record(ACT)
    await watch.look()
    assert len(list(outside.iterdir())) == 2
    sizes = sorted(file.read_text("utf-8").split("\n")[1] for file in outside.iterdir())
    assert sizes == ["4", "5"]


async def test_a_place_outside_that_is_gone_is_an_alarm_of_its_own(
    journal: JournalFile, storage: SqlStorage, tmp_path: Path
) -> None:
    """Nobody looks at a share; and the journal itself is well, so nothing is said against it."""
    outside = tmp_path / "share"
    watch = JournalWatch(journal, storage, SystemClock(), send_to_nobody, outside=outside)
    with capture_logs() as logs:
        await watch.look()
    assert [line["event"] for line in logs] == ["journal.not_outside"]
    note = await storage.read(lambda tx: tx.alerts.find_note(JOURNAL_OUTSIDE))
    assert note is not None
    assert await storage.read(lambda tx: tx.alerts.find_note(JOURNAL_CHECK)) is None
    outside.mkdir()
    await watch.look()
    assert await storage.read(lambda tx: tx.alerts.find_note(JOURNAL_OUTSIDE)) is None


async def test_it_ends_when_the_house_does(journal: JournalFile, storage: SqlStorage) -> None:
    """The first look is made at once."""
    stop = asyncio.Event()
    stop.set()
    await JournalWatch(journal, storage, SystemClock(), send_to_nobody).run(stop)


async def test_entries_are_listed_with_the_names_of_those_who_acted(journal: JournalFile, storage: SqlStorage) -> None:
    """The journal holds ids alone; names come from the people of today."""
    workspace = await storage.read(lambda tx: tx.workspace_id)
    now = SystemClock().now()
    person = Staff(workspace_id=workspace, staff_id="staff_7", name="Ирина", role=Role.OWNER, created_at=now)
    await storage.write(lambda tx: tx.staff.add(person))
    for by in ("staff_7", "staff_8"):
        await journal.record(JournalEntry(tag=Tag.SUBJECT_EXPORTED, by=by, on="subj_1"))
    desk = JournalDesk(journal, JournalWatch(journal, storage, SystemClock(), send_to_nobody), storage)
    page = await desk.page(limit=2)
    assert [(view.row.number, view.by_name) for view in page.items] == [(5, None), (4, "Ирина")]
    rest = await desk.page(limit=3, cursor=page.next_cursor)
    assert ([view.row.number for view in rest.items], rest.next_cursor) == ([3, 2, 1], None)
    assert [view.row.number for view in (await desk.page(limit=9, area="subject")).items] == [5, 4]
    assert (await desk.head()).split("\n")[1] == "5"
    assert (await desk.state()).verdict is None


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "9" * 16, "٣"])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    """Not read as the first page."""
    with pytest.raises(ConfigurationError):
        read_cursor(cursor)
