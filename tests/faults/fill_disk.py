"""`fill_disk.py DATABASE`: takes events until the disk is full, and says what can still be done. One JSON line."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from leadgate.errors import StorageUnavailableError
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.databases import open_storage
from leadgate.testing.storage_suite import new_event

_MOST = 5000
_BODY = bytes(16_000)


async def fill_up(storage: SqlStorage, begin: str) -> int:
    """Events until one is refused; how many were kept."""
    for number in range(_MOST):
        try:
            await storage.receive(replace(new_event(f"{begin}{number}"), sealed_body=_BODY))
        except StorageUnavailableError:
            return number
    raise AssertionError("the disk took them all")


async def run(database: Path) -> dict[str, object]:
    """Fill it while a reader is in the way, and once more without."""
    storage = open_storage(f"sqlite:///{database}")
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM events").fetchone()
            beside_reader = await fill_up(storage, "a")
        alone = await fill_up(storage, "b")
    finally:
        await asyncio.to_thread(storage.close)
    with closing(sqlite3.connect(database, isolation_level=None)) as last:
        _, in_log, brought_in = last.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        (rows,) = last.execute("SELECT count(*) FROM events").fetchone()
    return {"beside_reader": beside_reader, "alone": alone, "rows": rows, "left_in_log": in_log - brought_in}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(run(Path(sys.argv[1])))))
