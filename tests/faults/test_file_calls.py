"""The n-th file call of SQLite fails, for every n of a small day. Calls, answers and other files are struck in `proof.sweep`."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from pathlib import Path

import pytest

from leadgate.errors import StorageUnavailableError
from leadgate.storage.engines import make_engine
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.databases import sqlite_url
from tests.faults.failing_files import FailingFiles
from tests.faults.salon_day import FILE, deliver, found_in, keep
from tests.faults.sqlite_files import database_url

VFS = "failing"


class Day:
    """A few arrivals, a lead and its delivery, and what was promised meanwhile."""

    def __init__(self, folder: Path, files: FailingFiles) -> None:
        self.files = files
        self.folder = folder
        folder.mkdir()
        sqlite_url(folder)
        self.promised: set[str] = set()
        self.refusals = 0

    async def live(self, at: int) -> None:
        """Do everything, with the failure of one file call; whoever is refused tries again."""
        self.files.fail_at(at)
        storage = SqlStorage(make_engine(database_url(self.folder / FILE, VFS)), "ws")
        try:
            for number in range(2):
                await asyncio.gather(*(self._insist(storage, f"{number}x{one}") for one in range(3)))
                await self._deliver(storage, str(number))
            await storage.read(lambda tx: tx.deliveries.find("dlv_1"))
        except StorageUnavailableError:
            self.refusals += 1
        await self._insist(storage, "after")
        storage.close()

    async def _insist(self, storage: SqlStorage, name: str) -> None:
        try:
            await keep(storage, self.promised.add, name)
        except StorageUnavailableError:
            self.refusals += 1
            await keep(storage, self.promised.add, name)

    async def _deliver(self, storage: SqlStorage, name: str) -> None:
        try:
            await deliver(storage, self.promised.add, name)
        except StorageUnavailableError:
            self.refusals += 1  # where it stopped is for the worker of the product; what was promised must hold


@pytest.mark.timeout(300)
async def test_the_failure_of_any_file_call_of_sqlite_is_a_named_refusal_and_loses_nothing(tmp_path: Path) -> None:
    """A disk may fail anywhere, also between two calls of one commit, where no statement of ours can be struck."""
    files = FailingFiles(VFS)
    failed: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    wrong: list[str] = []
    for at in range(1, 2000):
        day = Day(tmp_path / f"day-{at}", files)
        await day.live(at)
        if not files.failed:
            break
        call = files.failed
        files.fail_at(0)
        failed[call] += 1
        refused[call] += bool(day.refusals)
        found = found_in(day.folder)
        missing = sorted(day.promised - found)
        damaged = sorted(one for one in found if one.startswith(("damage", "half")))
        wrong += [f"{call} at {at}: {one}" for one in (*missing, *damaged)]
        shutil.rmtree(day.folder)
    print(failed, refused)  # noqa: T201 - pytest shows it beside a failure
    assert wrong == []
    assert {"xOpen", "xRead", "xWrite", "xSync", "xLock"} <= set(failed)
    assert refused["xWrite"] > 0
    assert refused["xSync"] > 0
