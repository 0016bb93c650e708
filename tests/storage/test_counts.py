"""The counts of the page of deliveries: right for its tabs, and cheap whatever lies in history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, insert

from leadgate.model.deliveries import DeliveryState
from leadgate.model.views import DeliveryCounts
from leadgate.storage.engines import make_engine
from leadgate.storage.queries import SqlQueries
from leadgate.storage.schema import deliveries
from leadgate.storage.upgrade import upgrade

WORKSPACE = "ws_counts"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """One delivery of every state today, one of every state two days ago to another connection."""
    engine = make_engine(f"sqlite:///{tmp_path / 'counts.sqlite3'}")
    upgrade(engine)
    with engine.connect() as opened:
        opened.exec_driver_sql("PRAGMA foreign_keys = OFF")
        for days, connection_id in ((0, "conn_1"), (2, "conn_2")):
            opened.execute(
                insert(deliveries),
                [
                    {
                        "workspace_id": WORKSPACE,
                        "delivery_id": f"dlv_{connection_id}_{state}",
                        "lane": f"crm:{connection_id}",
                        "kind": "lead.create",
                        "connection_id": connection_id,
                        "subject_id": "subj_1",
                        "state": state.value,
                        "sealed_payload": b"",
                        "created_at": NOW - days * DAY,
                    }
                    for state in DeliveryState
                ],
            )
        yield opened
    engine.dispose()


def test_the_counts_are_those_of_the_tabs(connection: Connection) -> None:
    """What is sent now waits, what nobody can look up is unknown, what was given up is over."""
    queries = SqlQueries(connection, WORKSPACE)
    of_today = queries.delivery_counts(since=NOW - DAY, until=None, connection_id=None)
    assert of_today == DeliveryCounts(waiting=2, unknown=2, dead=1, done=2)
    of_a_day_before = queries.delivery_counts(since=NOW - 3 * DAY, until=NOW - DAY, connection_id=None)
    assert of_a_day_before == DeliveryCounts(waiting=2, unknown=2, dead=1, done=2)


def test_what_is_over_is_counted_for_a_period_alone(connection: Connection) -> None:
    """All that ever went well may be millions of rows: no tab is worth reading them."""
    queries = SqlQueries(connection, WORKSPACE)
    assert queries.delivery_counts(since=None, until=None, connection_id=None).done is None
    of_one = queries.delivery_counts(since=None, until=None, connection_id="conn_2")
    assert of_one == DeliveryCounts(waiting=2, unknown=2, dead=1, done=None)


@pytest.mark.parametrize("since", [None, NOW - DAY])
def test_the_counts_are_read_from_indexes(connection: Connection, since: datetime | None) -> None:
    """Open and dead from their partial indexes, the rest from the index of creation, without touching a row."""
    asked: list[tuple[str, tuple[object, ...]]] = []

    def note(_connection: object, _cursor: object, statement: str, values: tuple[object, ...], *_rest: object) -> None:
        asked.append((statement, values))

    event.listen(connection, "before_cursor_execute", note)
    SqlQueries(connection, WORKSPACE).delivery_counts(since=since, until=None, connection_id=None)
    event.remove(connection, "before_cursor_execute", note)
    plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()[0][3] for text, values in asked]
    indexes = ["INDEX deliveries_open", "INDEX deliveries_dead", "COVERING INDEX deliveries_created_at"]
    expected = indexes if since is not None else indexes[:2]
    assert len(plans) == len(expected)
    assert all(index in plan for index, plan in zip(expected, plans, strict=True)), plans


def test_a_list_ends_where_its_period_ends(connection: Connection) -> None:
    """Yesterday's page shows yesterday's rows."""
    page = SqlQueries(connection, WORKSPACE).deliveries(
        limit=50, cursor=None, states=(), connection_id=None, since=NOW - 3 * DAY, until=NOW, query=None
    )
    assert {row.connection_id for row in page.items} == {"conn_2"}
    assert len(page.items) == len(DeliveryState)
