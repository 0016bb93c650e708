"""Does intake, or claiming work, get dearer with history? The same load on an empty database and on one with a million events."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from bench.house import House, make_house, run_gateway
from bench.load import press
from bench.report import Figure
from bench.webhooks import leads
from leadgate.settings import DATABASE_FILE
from leadgate.storage.engines import make_engine
from leadgate.storage.transaction import SqlTransaction

_DAY_US = 86_400_000_000
_CHATS_SHARE, _LEADS_SHARE = 10, 4  # one chat in ten events, one lead in four


def measure_history(folder: Path, *, events: int, requests: int, rounds: int) -> list[Figure]:
    """Rounds in turn over both databases."""
    empty, old = make_house(folder / "empty"), make_house(folder / "old")
    started = time.perf_counter()
    fill(old, events)
    filled_s = time.perf_counter() - started
    with run_gateway(empty, role="intake") as young_gateway, run_gateway(old, role="intake") as old_gateway:
        ratios = []
        for _ in range(rounds):
            young = asyncio.run(press(young_gateway.address, leads(empty, requests)))
            aged = asyncio.run(press(old_gateway.address, leads(old, requests)))
            ratios.append(young.per_second / aged.per_second)
    claiming = [_claim_ms(empty, old) for _ in range(3)]
    size_mb = (old.data / DATABASE_FILE).stat().st_size / 1e6
    return [
        Figure(f"{events} old events: time to write them", filled_s, "s"),
        Figure(f"{events} old events: size of the database", size_mb, "MB"),
        Figure(f"{events} old events: intake, times the cost of an empty database", median(ratios), "", at_most=1.3),
        Figure(f"{events} old events: claiming work", median(aged for _, aged in claiming), "ms"),
        Figure(
            f"{events} old events: claiming work, times the cost of an empty database",
            median(aged / young for young, aged in claiming),
            "",
            at_most=1.3,
        ),
    ]


def fill(house: House, events: int) -> None:
    """Write events that were worked on long ago, with their deliveries, leads and lanes, straight into the tables."""
    database = sqlite3.connect(house.data / DATABASE_FILE, isolation_level=None)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("PRAGMA cache_size=-400000")
    (workspace,) = database.execute("SELECT workspace_id FROM workspaces").fetchone()
    start_us = time.time_ns() // 1000 - 400 * _DAY_US
    database.execute("BEGIN")
    for table, (columns, row, count) in _TABLES.items():
        marks = ", ".join("?" * (1 + len(columns.split(","))))
        rows: Iterator[tuple[object, ...]] = (
            (workspace, *row(house, number, start_us + number * 30_000_000)) for number in range(events // count)
        )
        insert = f"INSERT INTO {table} (workspace_id, {columns}) VALUES ({marks})"  # noqa: S608 - made of the constants below
        database.executemany(insert, rows)
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def _event(house: House, number: int, at_us: int) -> tuple[object, ...]:
    scope = f"subject:subj_{number // _LEADS_SHARE:026d}"
    lead = f"lead_{number // _LEADS_SHARE:026d}"
    keys = (f"evt_{number:026d}", house.bot, os.urandom(16), number % 16)
    return *keys, "lead", at_us, at_us, scope, os.urandom(200), lead


def _delivery(house: House, number: int, at_us: int) -> tuple[object, ...]:
    lane = f"chat:{house.telegram}:{number // _CHATS_SHARE:032x}"
    keys = (f"dlv_{number:026d}", lane, "message", house.telegram, f"evt_{number:026d}")
    return *keys, f"subj_{number // _LEADS_SHARE:026d}", "done", 1, os.urandom(100), at_us, at_us


def _lead(_house: House, number: int, at_us: int) -> tuple[object, ...]:
    return f"lead_{number:026d}", f"subj_{number:026d}", f"conn:{number}", "closed", at_us, at_us


def _lane(house: House, number: int, _at_us: int) -> tuple[object, ...]:
    return f"chat:{house.telegram}:{number:032x}", house.telegram, 1


_Row = Callable[[House, int, int], tuple[object, ...]]
_TABLES: dict[str, tuple[str, _Row, int]] = {
    "events": (
        "event_id, connection_id, natural_key, part, state, received_at, processed_at, key_scope, sealed_body, lead_id",
        _event,
        1,
    ),
    "deliveries": (
        "delivery_id, lane, kind, connection_id, event_id, subject_id, state, attempts, sealed_payload, created_at, done_at",
        _delivery,
        1,
    ),
    "leads": ("lead_id, subject_id, origin_id, state, created_at, closed_at", _lead, _LEADS_SHARE),
    "lanes": ("lane, connection_id, fence", _lane, _CHATS_SHARE),
}
"""Columns after the workspace, what fills them, and how many events there are to one row."""


def _claim_ms(empty: House, old: House) -> tuple[float, float]:
    """What a worker asks again and again, with nothing to do: milliseconds on either database."""
    return _claim_once_ms(empty), _claim_once_ms(old)


def _claim_once_ms(house: House) -> float:
    engine = make_engine(f"sqlite:///{house.data / DATABASE_FILE}")
    times = []
    with engine.connect() as connection:
        (workspace,) = connection.exec_driver_sql("SELECT workspace_id FROM workspaces").one()
        tx = SqlTransaction(connection, workspace)
        for _ in range(50):
            started = time.perf_counter()
            _claim(tx)
            times.append(time.perf_counter() - started)
    engine.dispose()
    return 1000 * median(times)


def _claim(tx: SqlTransaction) -> None:
    now = datetime.now(UTC)
    tx.events.pending_parts()
    tx.events.pending(3, limit=50)
    tx.lanes.claim(holder="bench", now=now, until=now + timedelta(seconds=1), limit=64)
    tx.deliveries.open_in_lane("crm:none", limit=400)
    tx.leads.find_current("subj_none")
