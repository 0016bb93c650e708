"""A database as rows and back, on either engine and from one to the other; older ones are brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Integer, LargeBinary, SmallInteger, Text, inspect, text
from sqlalchemy.engine import Engine

from leadgate.errors import ConfigurationError, ConflictError
from leadgate.model.deliveries import DeliveryState
from leadgate.storage.copies import (
    bring_up_to_date,
    filling,
    find_damage,
    go_on_counting,
    has_layout,
    held_alone,
    is_empty,
    lay_out,
    read_tables,
    snapshot,
    write_rows,
)
from leadgate.storage.engines import make_engine, make_scratch_engine
from leadgate.storage.restored import Restored
from leadgate.storage.schema import UtcTime, metadata
from leadgate.storage.transaction import SqlTransaction
from leadgate.storage.upgrade import HEAD, find_version
from leadgate.testing.connections import NOW
from leadgate.testing.databases import bring_up, sqlite_url
from leadgate.testing.storage_suite import CRM, LATER, new_connection, new_delivery

Rows = dict[str, list[list[Any]]]
ENGINES = ("sqlite", "postgresql")


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An up-to-date database with a connection, a delivery, and values that are hard to write down."""
    if request.param == "sqlite":
        url = sqlite_url(tmp_path)
    else:
        url = request.getfixturevalue("postgres_database")
        bring_up(url)
    engine = make_engine(url)
    with engine.begin() as connection:
        tx = SqlTransaction(connection, "ws")
        tx.connections.add(new_connection(CRM))
        tx.deliveries.add(new_delivery("one"))
        tx.rules.set("r", b"\\x00\x00\xff\n\t\\N", by="Алсу\t«\\N»\n", at=NOW)
    yield engine
    engine.dispose()


def read(engine: Engine) -> Rows:
    """Every row of every table, in an order of its own."""
    with snapshot(engine) as connection:
        return {
            name: sorted((row for rows in portions for row in rows), key=repr)
            for name, _, portions in read_tables(connection)
        }


def copy(source: Engine, target: Engine) -> None:
    """All of it."""
    with snapshot(source) as reading, filling(target) as writing:
        lay_out(writing, HEAD)
        for name, columns, portions in read_tables(reading):
            for rows in portions:
                write_rows(writing, name, columns, rows)
        bring_up_to_date(writing, HEAD)
        go_on_counting(writing)


def test_a_copy_is_the_same_on_the_other_engine_too(database: Engine, tmp_path: Path) -> None:
    """Bytes, line ends, backslashes, nothing and numbers arrive as they were; and new rows get new numbers."""
    scratch, file = make_scratch_engine(), make_engine(f"sqlite:///{tmp_path / 'copy.sqlite3'}")
    copy(database, scratch)
    assert read(scratch) == read(database)
    assert read(database)["rules"][0][2] == b"\\x00\x00\xff\n\t\\N"
    with scratch.connect() as connection:
        assert find_damage(connection) is None
    copy(scratch, database)
    assert read(scratch) == read(database)
    copy(database, file)
    for engine in (database, file):
        with engine.begin() as connection:
            SqlTransaction(connection, "ws").deliveries.add(new_delivery("two"))
        assert len(read(engine)["deliveries"]) == 2
        assert find_version(engine) == HEAD
    scratch.dispose()
    file.dispose()


def test_a_filling_that_fails_changes_nothing(database: Engine) -> None:
    """One transaction: also the tables that were thrown away are there again."""
    before = read(database)

    def fail() -> None:
        with filling(database) as connection:
            lay_out(connection, HEAD)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert read(database) == before


def test_a_snapshot_sees_one_moment_and_holds_nobody_up(database: Engine) -> None:
    """What comes while it is read is not in it, in whichever table."""
    with snapshot(database) as connection:
        tables = read_tables(connection)
        next(tables)
        with database.begin() as writing:
            tx = SqlTransaction(writing, "ws")
            tx.deliveries.add(new_delivery("two"))
            tx.rules.set("s", b"", by="x", at=NOW)
        seen = {name: sum(len(rows) for rows in portions) for name, _, portions in tables}
    assert (seen["deliveries"], seen["rules"]) == (1, 1)
    assert len(read(database)["deliveries"]) == 2


def test_a_copy_from_before_a_migration_is_brought_up_to_date(database: Engine) -> None:
    """An old backup opens in a new version; one of a newer version does not in an old one."""
    with filling(database) as connection:
        lay_out(connection, "0007")
        assert not has_layout(connection, "deliveries", ["discarded_by"])
        assert not has_layout(connection, "rules", ["name"])
        bring_up_to_date(connection, "0007")
        assert has_layout(connection, "deliveries", ["discarded_by"])
        assert has_layout(connection, "rules", ["name"])
    assert find_version(database) == HEAD
    with pytest.raises(ConfigurationError, match="newer version"), filling(database) as connection:
        lay_out(connection, "9999")


def test_a_database_that_somebody_has_open_is_known(database: Engine) -> None:
    """Also by an idle connection, as every gateway keeps one."""
    other = make_engine(database.url.render_as_string(hide_password=False))
    with other.connect() as connection:
        connection.execute(text("SELECT count(*) FROM rules")).scalar()
    database.dispose()
    with pytest.raises(ConflictError), held_alone(database):
        pass
    other.dispose()
    with held_alone(database):
        pass
    assert not is_empty(database)


def test_asking_for_a_database_makes_none(tmp_path: Path) -> None:
    """An empty directory stays empty."""
    engine = make_engine(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    assert is_empty(engine)
    with held_alone(engine):
        pass
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x.sqlite3").write_bytes(b"no database" * 100)
    assert not is_empty(engine), "what cannot be read is there all the same"
    engine.dispose()


def test_what_was_due_is_in_doubt_and_what_is_not_due_yet_is_not(database: Engine) -> None:
    """A lead may stand in the CRM by now, a parked entry too; a reminder of next week has not gone to anybody."""
    with database.begin() as connection:
        tx = SqlTransaction(connection, "ws")
        tx.deliveries.add(new_delivery("parked"))
        tx.deliveries.park("dlv_parked")
        tx.lanes.claim_one("inbox:01", holder="gone", now=NOW, until=LATER)
        due_later = text("UPDATE deliveries SET kind = 'message.send', due_at = :at WHERE delivery_id = 'dlv_one'")
        connection.execute(due_later, {"at": 1 << 52})
        assert Restored.of(tx).forget_the_moment(at=NOW) == 1
        parked, later = tx.deliveries.find("dlv_parked"), tx.deliveries.find("dlv_one")
        assert parked is not None
        assert later is not None
        assert (parked.state, parked.due_at, later.state) == (DeliveryState.SENDING, NOW, DeliveryState.WAITING)
        assert tx.lanes.holders() == []


def test_every_column_holds_what_both_engines_write_alike() -> None:
    """Whoever adds a column of another type has to see that it goes from one engine to the other."""
    known = (Integer, BigInteger, SmallInteger, Text, LargeBinary, UtcTime)
    odd = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if not isinstance(column.type, known)
    ]
    assert odd == []


def test_every_table_of_the_database_is_one_that_is_copied(database: Engine) -> None:
    """A table that a migration makes and the schema does not know would be left out of every backup."""
    assert set(inspect(database).get_table_names()) == {*metadata.tables, "alembic_version"}
