"""What the workers ask all day long must be answered from the indexes of open work, whatever lies in history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from leadgate.storage.engines import make_engine
from leadgate.storage.queries import SqlQueries
from leadgate.storage.transaction import SqlTransaction
from leadgate.storage.upgrade import upgrade

WORKSPACE = "ws_plans"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

QUESTIONS: dict[str, tuple[Callable[[SqlTransaction], object], str]] = {
    "parts with work": (lambda tx: tx.events.pending_parts(), "COVERING INDEX events_pending (workspace_id=?)"),
    "work of a part": (lambda tx: tx.events.pending(3, limit=50), "INDEX events_pending (workspace_id=?)"),
    "due lanes": (
        lambda tx: tx.lanes.claim(holder="h", now=NOW, until=NOW, limit=64),
        "lanes_due (workspace_id=? AND due_at<?)",
    ),
    "deliveries of a lane": (
        lambda tx: tx.deliveries.work_in_lane("crm:c", now=NOW, limit=0, fresh_since=NOW, fresh_limit=9),
        "deliveries_open (workspace_id=? AND lane=?)",
    ),
    "next due time of a lane": (
        lambda tx: tx.deliveries.next_due("crm:c", now=NOW),
        "deliveries_open (workspace_id=? AND lane=?)",
    ),
    "current lead": (
        lambda tx: tx.leads.find_current("subj_1"),
        "leads_one_open (workspace_id=? AND subject_id=?)",
    ),
    "dead letters": (lambda tx: tx.deliveries.dead(limit=50), "deliveries_dead (workspace_id=?)"),
    **{
        f"signs of trouble in {index.partition(' ')[0]}": (lambda tx: tx.alerts.signs(now=NOW), f"INDEX {index}")
        for index in (
            "lanes_due (workspace_id=? AND due_at>?)",
            "deliveries_open (workspace_id=?)",
            "deliveries_dead (workspace_id=? AND seq>?)",
            "events_pending (workspace_id=?)",
            "events_failed (workspace_id=? AND processed_at>?)",
        )
    },
}


def plans_of(connection: Connection, ask: Callable[[], object]) -> list[str]:
    """How SQLite would answer each question that `ask` puts."""
    statements: list[tuple[str, tuple[object, ...]]] = []

    def note(_connection: object, _cursor: object, statement: str, values: tuple[object, ...], *_rest: object) -> None:
        statements.append((statement, values))

    event.listen(connection, "before_cursor_execute", note)
    ask()
    event.remove(connection, "before_cursor_execute", note)
    selects = [(text, values) for text, values in statements if text.startswith(("SELECT", "WITH"))]
    return [
        "; ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values))
        for text, values in selects
    ]


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    """An empty database with today's schema."""
    engine = make_engine(f"sqlite:///{tmp_path / 'plans.sqlite3'}")
    upgrade(engine)
    return engine.connect()


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_of_the_workers_reads_open_work_only(connection: Connection, question: str) -> None:
    """A planner that cannot use the partial index reads a million old rows for each claim; nothing else would show it so early."""
    ask, index = QUESTIONS[question]
    tx = SqlTransaction(connection, WORKSPACE)
    plans = plans_of(connection, lambda: ask(tx))
    assert any(index in plan for plan in plans), plans
    connection.close()


def test_what_holds_a_delivery_up_is_found_by_its_lead(connection: Connection) -> None:
    """A lane with ten thousand that wait would otherwise be read once for each of them."""
    tx = SqlTransaction(connection, WORKSPACE)
    plans = plans_of(
        connection,
        lambda: tx.deliveries.work_in_lane("crm:c", now=NOW, limit=0, fresh_since=NOW, fresh_limit=9),
    )
    assert sum("earlier USING INDEX deliveries_lead (workspace_id=? AND lead_id=?" in plan for plan in plans) == 3, (
        plans
    )
    assert any("recent USING COVERING INDEX deliveries_created_at" in plan for plan in plans), plans
    connection.close()


def test_the_gauges_count_open_work_only(connection: Connection) -> None:
    """They are asked every ten seconds for ever."""
    plans = plans_of(connection, SqlQueries(connection, WORKSPACE).queue_sizes)
    indexes = ("events_pending", "deliveries_open", "deliveries_dead")
    assert all(index in plan for index, plan in zip(indexes, plans, strict=True)), plans
    connection.close()


def test_the_report_on_reach_walks_each_table_once(connection: Connection) -> None:
    """A look at the joins for each of a hundred thousand people takes minutes; it did."""
    plans = plans_of(connection, lambda: SqlQueries(connection, WORKSPACE).reach())
    assert len(plans) == 5, plans
    assert not [plan for plan in plans if "CORRELATED" in plan]
