"""The log of SQLite on a disk with little room: it never takes the room that it needs to be brought into the database."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from leadgate.testing.databases import sqlite_url
from tests.faults.disks import open_small_disk

SCRIPT = Path(__file__).with_name("fill_disk.py")


async def test_a_full_disk_still_takes_what_the_log_holds(tmp_path: Path) -> None:
    """Else room that somebody makes is eaten by the log, and the gateway stays shut until somebody makes much more."""
    (tmp_path / "database").mkdir()
    sqlite_url(tmp_path / "database")
    async with open_small_disk(tmp_path / "disk") as disk:
        database = disk.folder / "leadgate.sqlite3"
        (disk.outside / database.name).write_bytes((tmp_path / "database" / database.name).read_bytes())
        process = await asyncio.create_subprocess_exec(
            *(*disk.entrance, sys.executable, str(SCRIPT), str(database)),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        left = os.statvfs(disk.outside)
    assert process.returncode == 0
    told = json.loads(out)
    assert told["rows"] == told["beside_reader"] + told["alone"]
    assert told["left_in_log"] == 0
    # A reader keeps the log from being brought in: half of the room is the log's, the other half must wait for it.
    assert told["beside_reader"] > 50
    assert told["alone"] > 50
    assert left.f_bavail * left.f_frsize < 2_000_000, "the room was used"
