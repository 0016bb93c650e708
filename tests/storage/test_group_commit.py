import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection

from leadgate.errors import OverloadedError, StorageUnavailableError
from leadgate.model.webhooks import Receipt
from leadgate.ports.stores import Transaction
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW
from leadgate.testing.databases import sqlite_url
from leadgate.testing.storage_suite import new_event

CHILD = Path(__file__).parent / "full_disk_child.py"


class Gate:
    """Keeps the writer busy, so that what is sent meanwhile has to wait together."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def unit(self, _: Transaction) -> None:
        self.entered.set()
        assert self.opened.wait(10)


async def behind_a_gate(storage: SqlStorage, *work: object) -> list[object]:
    """Results (or errors) of work that waited in line together."""
    gate = Gate()
    first = asyncio.ensure_future(storage.write(gate.unit))
    await asyncio.to_thread(gate.entered.wait, 10)
    rest = [asyncio.ensure_future(item) for item in work]  # type: ignore[call-overload]  # coroutines of several kinds
    await asyncio.sleep(0)
    gate.opened.set()
    await first
    return list(await asyncio.gather(*rest, return_exceptions=True))


@contextmanager
def counted_commits(storage: SqlStorage) -> Iterator[list[str]]:
    """Every COMMIT of the writer, as SQLite itself reports it."""
    commits: list[str] = []
    engine = storage._engine  # noqa: SLF001 - the driver's own hook is the only witness that cannot be fooled

    def trace(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_trace_callback(lambda sql: commits.append(sql) if sql.startswith("COMMIT") else None)

    event.listen(engine, "connect", trace)
    yield commits
    event.remove(engine, "connect", trace)


def add(tx: Transaction, name: str) -> str:
    """Keep a subject."""
    tx.subjects.add(name, at=NOW)
    return name


async def kept(storage: SqlStorage) -> set[str]:
    """Subjects on disk."""

    def unit(tx: Transaction) -> set[str]:
        assert isinstance(tx, SqlTransaction)
        return {row[0] for row in tx.connection.execute(text("SELECT subject_id FROM subjects"))}

    return await storage.read(unit)


async def test_many_arrivals_share_one_commit(tmp_path: Path, storage: SqlStorage) -> None:
    """One wait for the disk per webhook would be the end of the throughput."""
    with counted_commits(storage) as commits:
        receipts = await behind_a_gate(storage, *(storage.receive(new_event(str(n))) for n in range(100)))
    assert all(isinstance(receipt, Receipt) and not receipt.duplicate for receipt in receipts)
    assert len(commits) <= 3, "the gate, the arrivals, and none for each"


async def test_units_share_commits(storage: SqlStorage) -> None:
    """Likewise for the work behind the door."""
    with counted_commits(storage) as commits:
        await behind_a_gate(storage, *(storage.write(lambda tx, n=n: add(tx, str(n))) for n in range(50)))  # type: ignore[misc]  # a default binds n now
    assert len(commits) < 25
    assert await kept(storage) == {str(n) for n in range(50)}


async def test_nothing_is_acknowledged_before_its_commit(storage: SqlStorage) -> None:
    """An answer before the commit is a lead lost when the plug is pulled."""
    order: list[str] = []
    engine = storage._engine  # noqa: SLF001 - as above

    def slow_commit(_: Connection) -> None:
        order.append("commit")

    event.listen(engine, "commit", slow_commit)
    await storage.write(lambda tx: add(tx, "1"))
    order.append("answer")
    assert order == ["commit", "answer"]


async def test_a_failing_unit_takes_nothing_of_its_group(storage: SqlStorage) -> None:
    """One bad event must not undo the leads beside it."""

    def bad(tx: Transaction) -> None:
        add(tx, "half")
        raise ZeroDivisionError

    def clash(tx: Transaction) -> None:
        add(tx, "1")

    results = await behind_a_gate(
        storage,
        storage.write(lambda tx: add(tx, "1")),
        storage.write(bad),
        storage.write(lambda tx: add(tx, "2")),
        storage.receive(new_event("1")),
    )
    assert isinstance(results[1], ZeroDivisionError)
    assert [results[0], results[2]] == ["1", "2"]
    assert isinstance(results[3], Receipt)
    assert await kept(storage) == {"1", "2"}


async def test_a_commit_that_fails_fails_every_unit_and_the_next_one_works(
    storage: SqlStorage,
) -> None:
    """Nobody may be told that something is kept which is not; and one bad moment is no end."""
    await storage.write(lambda tx: add(tx, "before"))
    engine = storage._engine  # noqa: SLF001 - as above

    def fail(_: Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    event.listen(engine, "commit", fail)
    work = (storage.write(lambda tx, n=n: add(tx, str(n))) for n in range(5))  # type: ignore[misc]  # a default binds n now
    results = await asyncio.gather(*work, return_exceptions=True)
    assert all(isinstance(result, StorageUnavailableError) for result in results), results
    event.remove(engine, "commit", fail)
    assert await storage.write(lambda tx: add(tx, "after")) == "after"
    assert await kept(storage) == {"before", "after"}


async def test_an_error_nobody_thought_of_does_not_end_the_writer(
    storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the writer's thread to end, every webhook from then on would wait for ever."""
    writer = storage._writer  # noqa: SLF001 - as above
    assert writer is not None
    whole = writer._keep_arrivals  # noqa: SLF001 - as above

    def broken(*_: object) -> list[Receipt]:
        raise MemoryError

    monkeypatch.setattr(writer, "_keep_arrivals", broken)
    with pytest.raises(StorageUnavailableError):
        await asyncio.wait_for(storage.receive(new_event("1")), 10)
    monkeypatch.setattr(writer, "_keep_arrivals", whole)
    assert not (await asyncio.wait_for(storage.receive(new_event("1")), 10)).duplicate


async def test_a_database_that_cannot_be_opened_is_an_answer_too(
    storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before the first connection stands."""
    engine = storage._engine  # noqa: SLF001 - as above

    def refuse() -> Connection:
        raise TimeoutError

    monkeypatch.setattr(engine, "connect", refuse)
    with pytest.raises(StorageUnavailableError):
        await asyncio.wait_for(storage.receive(new_event("1")), 10)


async def test_too_much_waiting_is_overload(storage: SqlStorage) -> None:
    """A sender that hears 503 comes again; one that waits in an endless line times out and nobody knows."""

    async def receive(number: int) -> object:
        return await storage.receive(new_event(str(number)))

    results = await behind_a_gate(storage, *(receive(n) for n in range(6000)))
    refused = [result for result in results if isinstance(result, BaseException)]
    assert 1000 < len(refused) < 5000
    assert all(isinstance(error, OverloadedError) and error.retry_after_s > 0 for error in refused)
    assert not any(isinstance(error, StorageUnavailableError) for error in refused)
    assert not (await storage.receive(new_event("5999"))).duplicate


async def test_a_cancelled_unit_that_waits_is_not_run(storage: SqlStorage) -> None:
    """The work of a caller that is gone is dropped while it can be; the others of the line go on."""
    gate = Gate()
    first = asyncio.ensure_future(storage.write(gate.unit))
    await asyncio.to_thread(gate.entered.wait, 10)
    gone = asyncio.ensure_future(storage.write(lambda tx: add(tx, "gone")))
    stays = asyncio.ensure_future(storage.write(lambda tx: add(tx, "stays")))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    gate.opened.set()
    await asyncio.gather(first, stays)
    assert await kept(storage) == {"stays"}


async def test_closing_finishes_what_waits(tmp_path: Path, storage: SqlStorage) -> None:
    """What was taken before the end is answered, not dropped."""
    gate = Gate()
    first = asyncio.ensure_future(storage.write(gate.unit))
    await asyncio.to_thread(gate.entered.wait, 10)
    waiting = [asyncio.ensure_future(storage.receive(new_event(str(n)))) for n in range(10)]
    waiting_units = [asyncio.ensure_future(storage.write(lambda tx, n=n: add(tx, str(n)))) for n in range(10)]  # type: ignore[misc]  # a default binds n now
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(storage.close))
    gate.opened.set()
    await closing
    await first
    assert not any(receipt.duplicate for receipt in await asyncio.gather(*waiting))
    assert await asyncio.gather(*waiting_units) == [str(n) for n in range(10)]


def test_a_full_disk_loses_nothing_acknowledged_and_passes(tmp_path: Path) -> None:
    """The real thing: writes fail with "file too large" until there is room again, in a process of its own."""
    url = sqlite_url(tmp_path)
    child = subprocess.run([sys.executable, CHILD, url], capture_output=True, text=True, timeout=60, check=False)
    assert child.returncode == 0, child.stderr
    acknowledged = child.stdout.split()
    with sqlite3.connect(tmp_path / "leadgate.sqlite3") as connection:
        on_disk = [row[0] for row in connection.execute("SELECT event_id FROM events ORDER BY seq")]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert on_disk == acknowledged
    assert acknowledged[-1] == "evt_after"
    assert len(acknowledged) > 10
