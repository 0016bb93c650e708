"""How long appending, proving and verifying takes in a large journal. Figures for people; nothing depends on them."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from leadgate.audit.encoding import Line, leaf_of
from leadgate.audit.merkle import Frontier, leaf_hash
from leadgate.model.journal import JournalEntry, Tag
from leadgate.storage.journal_archive import JournalArchive
from leadgate.storage.journal_file import JournalFile
from leadgate.storage.journal_keys import make_keys
from leadgate.storage.journal_rows import ADD, FILE, connect_for_writing
from leadgate.system import SystemClock

_SAMPLES = 1000
_ROWS_AT_ONCE = 20_000


def measure(folder: Path, size: int) -> list[str]:
    """Fill a journal quickly (its signatures among it), then use it as the product does."""
    started_s = time.perf_counter()
    _fill(folder, size)
    lines = [f"filled with {size} entries in {time.perf_counter() - started_s:.0f} s"]
    lines.append(f"file: {(folder / FILE).stat().st_size / size:.0f} bytes an entry")
    appends = asyncio.run(_append(folder))
    lines.append(_tell("append, on disk", appends))
    archive = JournalArchive(folder)
    proofs = [_timed_proof(archive, 1 + number * (size // _SAMPLES)) for number in range(_SAMPLES)]
    lines.append(_tell("proof of one entry, file opened anew each time", proofs))
    consistency = []
    for number in range(_SAMPLES):
        started_s = time.perf_counter()
        archive.prove_consistency(1 + number * (size // _SAMPLES))
        consistency.append(time.perf_counter() - started_s)
    lines.append(_tell("consistency proof, likewise", consistency))
    started_s = time.perf_counter()
    verdict = archive.verify()
    took_s = time.perf_counter() - started_s
    lines.append(f"verify: {verdict.entries} entries in {took_s:.1f} s, fault: {verdict.fault}")
    return lines


def _fill(folder: Path, size: int) -> None:
    key = make_keys(folder)
    file = connect_for_writing(folder / FILE)
    file.execute("PRAGMA synchronous = OFF")
    tree, previous = Frontier(), b""

    def rows(first: int, end: int) -> Iterator[tuple[object, ...]]:
        nonlocal previous
        for number in range(first, end):
            line = Line(
                number, 1_790_000_000_000_000 + number, "subject.searched", "staff_01", f"subj_{number % 50_000}",
                "done", '{"conversations":3}', b"", b"",
            )  # fmt: skip
            hashes = b"".join(tree.append(leaf_hash(leaf_of(line, previous))))
            previous = key.sign(tree.size, tree.root())
            yield (line.number, line.at, line.tag, line.by, line.on, line.result, line.details, hashes, previous)

    for first in range(1, size + 1, _ROWS_AT_ONCE):
        file.execute("BEGIN")
        file.executemany(ADD, rows(first, min(first + _ROWS_AT_ONCE, size + 1)))
        file.execute("COMMIT")
    file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.close()


async def _append(folder: Path) -> list[float]:
    journal = JournalFile(folder, SystemClock())
    times = []
    for number in range(_SAMPLES):
        entry = JournalEntry(tag=Tag.SUBJECT_SEARCHED, by="staff_01", on=f"subj_{number}", details={"conversations": 3})
        started_s = time.perf_counter()
        await journal.record(entry)
        times.append(time.perf_counter() - started_s)
    await journal.close()
    return times[1:]  # the first opens the file


def _timed_proof(archive: JournalArchive, number: int) -> float:
    started_s = time.perf_counter()
    archive.extract([number])
    return time.perf_counter() - started_s


def _tell(what: str, times_s: list[float]) -> str:
    times_ms = sorted(1000 * time_s for time_s in times_s)
    p50, p99 = statistics.median(times_ms), times_ms[len(times_ms) * 99 // 100]
    return f"{what}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, worst {times_ms[-1]:.2f} ms (SQLite {sqlite3.sqlite_version})"
