import asyncio
import os
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from leadgate.app.initialise import initialise
from leadgate.errors import ServiceUnavailableError
from leadgate.settings import read_settings
from leadgate.storage import engines
from leadgate.storage.engines import make_engine
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.upgrade import upgrade
from leadgate.system import SystemClock, SystemIds
from leadgate.testing.databases import sqlite_url
from tests.faults.power import Flushed, Promised, RecordingVfs, RecordInMemory, cuts, put, throw_dice
from tests.faults.salon_day import FILE, deliver, found_in, keep
from tests.faults.sqlite_files import database_url, lend

ROUNDS = 40
CUTS = 400
SEED = 20261122
_names = (f"recording-{number}" for number in count(1))


class Recorded:
    """A database whose file calls are recorded."""

    def __init__(self, folder: Path) -> None:
        self.record = RecordInMemory()
        name = next(_names)
        lend(RecordingVfs(name, self.record), name)
        self.url = database_url(folder / FILE, name)
        self.content = {path.name: path.read_bytes() for path in folder.glob("*")}

    def promise(self, what: str) -> None:
        """Somebody was told."""
        self.record.add(Promised(what))


async def work(recorded: Recorded, dice: Random, *, rounds: int) -> None:
    """Arrivals in bursts and units of work between them, as in a busy hour."""
    storage = SqlStorage(make_engine(recorded.url), "ws")
    for number in range(rounds):
        burst = [keep(storage, recorded.promise, f"{number}x{one}") for one in range(dice.choice((1, 1, 3, 12)))]
        await asyncio.gather(deliver(storage, recorded.promise, str(number)), *burst)
    storage.close()


def losses(recorded: Recorded, folder: Path, dice: Random, *, most: int) -> tuple[int, list[str]]:
    """Cut the power at so many moments; how often that was done, and what was lost or damaged."""
    folder.mkdir()
    moments = set(dice.sample(range(recorded.record.length), min(most, recorded.record.length)))
    wrong: list[str] = []
    for moment, (disk, promised) in enumerate(cuts(recorded.content, recorded.record.steps)):
        if moment not in moments:
            continue
        put(disk.after_a_cut(dice), folder)
        try:
            found = found_in(folder)
        except (DBAPIError, ServiceUnavailableError) as error:
            found = {f"damage: {error}"}
        missing = sorted(promised - found)
        damaged = sorted(one for one in found if one.startswith(("damage", "half")))
        wrong += [f"step {moment}: {one}" for one in (*missing, *damaged)]
    return len(moments), wrong


@pytest.fixture
def often_checkpointed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of SQLite goes to the database every few commits instead of every few thousand: there the order of flushes counts."""
    add_pragma(monkeypatch, "wal_autocheckpoint=60")


def add_pragma(monkeypatch: pytest.MonkeyPatch, pragma: str) -> None:
    """One more pragma after those of the product."""
    prepare: Callable[[sqlite3.Connection, Any], None] = engines._prepare_sqlite  # noqa: SLF001 - where pragmas are given

    def prepare_and_add(connection: sqlite3.Connection, record: object) -> None:
        prepare(connection, record)
        connection.execute(f"PRAGMA {pragma}")

    monkeypatch.setattr(engines, "_prepare_sqlite", prepare_and_add)


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    """A salon's database that was made long ago."""
    folder = tmp_path / "salon"
    folder.mkdir()
    sqlite_url(folder)
    return Recorded(folder)


@pytest.mark.usefixtures("often_checkpointed")
async def test_no_power_cut_takes_what_was_acknowledged_or_committed(recorded: Recorded, tmp_path: Path) -> None:
    """A 202 and a committed unit are promises to people; no subset of the writes that were under way may break one."""
    dice = throw_dice(SEED)
    await work(recorded, dice, rounds=ROUNDS)
    tried, wrong = losses(recorded, tmp_path / "cut", dice, most=CUTS)
    assert wrong == []
    assert tried == CUTS


@pytest.mark.usefixtures("often_checkpointed")
async def test_the_same_campaign_finds_losses_when_commits_are_not_flushed(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A campaign that cannot go red proves nothing: `synchronous=NORMAL` acknowledges what lies in memory alone."""
    add_pragma(monkeypatch, "synchronous=NORMAL")
    dice = throw_dice(SEED)
    await work(recorded, dice, rounds=ROUNDS)
    tried, wrong = losses(recorded, tmp_path / "cut", dice, most=CUTS // 5)
    assert len({one.partition(":")[0] for one in wrong}) > tried / 4, wrong[:20]
    assert any("event" in one for one in wrong)
    assert any("sending" in one for one in wrong)


@pytest.mark.usefixtures("often_checkpointed")
@pytest.mark.parametrize("lying", [FILE, f"{FILE}-wal"])
async def test_the_same_campaign_finds_losses_when_a_flush_of_either_file_is_left_out(
    recorded: Recorded, tmp_path: Path, lying: str
) -> None:
    """The log may only be used again after the database was flushed; the campaign must come to the moments where that counts."""
    dice = throw_dice(SEED)
    await work(recorded, dice, rounds=ROUNDS)
    for number, step in enumerate(recorded.record.steps):
        if isinstance(step, Flushed) and step.file.endswith(lying):
            recorded.record.steps[number] = Flushed(step.file, since=0)
    tried, wrong = losses(recorded, tmp_path / "cut", dice, most=CUTS // 5)
    assert len({one.partition(":")[0] for one in wrong}) > tried / 10


async def test_a_power_cut_while_the_database_is_made_leaves_one_that_can_be_made_again(tmp_path: Path) -> None:
    """The first minute of a salon: names in the folder, migrations and the first event come to the disk one after the other."""
    folder, dice = tmp_path / "new", throw_dice(SEED)
    folder.mkdir()
    recorded = Recorded(folder)
    engine = make_engine(recorded.url)
    upgrade(engine)
    engine.dispose()
    await work(recorded, dice, rounds=2)
    tried, wrong = losses(recorded, tmp_path / "cut", dice, most=CUTS // 5)
    assert wrong == []
    assert tried == CUTS // 5


def test_a_new_data_directory_is_on_the_disk_before_its_keys_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recovery key is shown once: what it belongs to must be there after a power cut, with every folder above it."""
    flushed: list[Path] = []
    flush = os.fsync

    def watch(descriptor: int) -> None:
        flush(descriptor)
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(os, "fsync", watch)
    settings = read_settings(data=tmp_path / "new" / "salon", environment={})
    with initialise(
        settings, name="Лимон", locale="ru", time_zone="Europe/Moscow", clock=SystemClock(), ids=SystemIds()
    ):
        assert {tmp_path, tmp_path / "new", tmp_path / "new" / "salon"} <= set(flushed)
