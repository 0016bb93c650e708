"""The look for damage reads the whole file: seconds for each gigabyte, right when the senders come back after a start."""

import asyncio
import threading
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from leadgate.testing.connections import NOW
from leadgate.testing.databases import open_storage, sqlite_url


async def test_nobody_is_refused_while_the_database_is_looked_at(tmp_path: Path) -> None:
    """With the lock of the writer in its hands it made every sender of the first ten seconds come again (1.5 GB)."""
    storage = open_storage(sqlite_url(tmp_path))
    is_looking, may_go_on = threading.Event(), threading.Event()

    def hold(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("PRAGMA quick_check"):
            is_looking.set()
            may_go_on.wait(30)

    event.listen(Engine, "before_cursor_execute", hold)
    try:
        look = asyncio.create_task(storage.find_damage())
        assert await asyncio.to_thread(is_looking.wait, 30)
        async with asyncio.timeout(3):  # SQLite gives up waiting for a lock after five seconds
            await storage.write(lambda tx: tx.subjects.add("subj_1", at=NOW))
        assert not look.done()
        may_go_on.set()
        assert await look is None
    finally:
        may_go_on.set()
        event.remove(Engine, "before_cursor_execute", hold)
        storage.close()
