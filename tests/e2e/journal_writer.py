"""Adds entries to the journal of a data directory until it is killed, and says each number after it is on disk."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from leadgate.model.journal import JournalEntry, Tag
from leadgate.storage.journal_file import JournalFile
from leadgate.system import SystemClock


async def write(folder: Path, count: int) -> None:
    """So many entries; 0 for no end."""
    journal = JournalFile(folder, SystemClock())
    written = 0
    while not count or written < count:
        number = await journal.record(JournalEntry(tag=Tag.SUBJECT_SEARCHED, by="staff_1", details={"n": written}))
        written += 1
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
    await journal.close()


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2])))
