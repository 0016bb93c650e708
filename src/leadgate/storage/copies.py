"""A whole database as rows and back: read in one snapshot beside a working gateway, written in one transaction.

Values go as they stand in the columns (numbers, texts, bytes), so what one engine gave the other takes. Alembic lays the tables out
as they were at the time of the copy and then brings them up to date; nothing here knows what a row means.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Integer, Table, func, inspect, select, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from leadgate.errors import ConfigurationError, ConflictError, ServiceUnavailableError
from leadgate.storage.backup_records import Row
from leadgate.storage.schema import metadata
from leadgate.storage.upgrade import HEAD, TRY_AGAIN, alembic_config

VERSION_TABLE = "alembic_version"
_ROWS_AT_ONCE = 500
_BYTES_AT_ONCE = 1 << 20
_BUSY_WAIT_S = 2.0


@contextlib.contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one moment of the database, whatever others write meanwhile; it holds nobody up.

    Raises:
        ServiceUnavailableError: the database cannot be read.
    """
    options: dict[str, Any] = {"leadgate_reader": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        with engine.connect() as bare:
            connection = bare.execution_options(**options)
            with connection.begin():
                _take_time(connection)
                connection.execute(text(f"SELECT 1 FROM {VERSION_TABLE}")).all()  # noqa: S608 -- the first look decides the moment
                yield connection
    except SQLAlchemyError as error:
        raise ServiceUnavailableError("The database cannot be read.", hint="See to it, then try again.") from error


def read_tables(connection: Connection) -> Iterator[tuple[str, list[str], Iterator[list[list[Any]]]]]:
    """Each of our tables: name, columns, and its rows in portions that must be read before the next table."""
    for table in metadata.sorted_tables:
        name, columns = str(table.name), [str(column.name) for column in table.columns]
        yield name, columns, _portions(connection, name, columns)


def _portions(connection: Connection, table: str, columns: Sequence[str]) -> Iterator[list[list[Any]]]:
    names = ", ".join(f'"{column}"' for column in columns)
    reading = connection.execution_options(yield_per=_ROWS_AT_ONCE)
    portion: list[list[Any]] = []
    size = 0
    # Text on purpose: values as they stand in the columns, not as the stores would type them. The names are our own schema's.
    for row in reading.execute(text(f'SELECT {names} FROM "{table}"')):  # noqa: S608 -- names of our own schema
        portion.append(list(row))
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(portion) >= _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def is_empty(engine: Engine) -> bool:
    """True when nothing of ours stands in the database.

    Raises:
        ServiceUnavailableError: it cannot be reached.
    """
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists():
        return True  # asking would make one
    try:
        with engine.connect() as bare:
            connection = bare.execution_options(leadgate_reader=True)
            return not inspect(connection).has_table("workspaces")
    except SQLAlchemyError as error:
        if isinstance(getattr(error, "orig", None), sqlite3.DatabaseError):
            return False  # a file is there; that it cannot be read is why somebody restores
        raise ServiceUnavailableError("The database cannot be reached.", hint=TRY_AGAIN) from error


@contextlib.contextmanager
def filling(engine: Engine) -> Iterator[Connection]:
    """One transaction in which everything is put into the database: it is kept whole at the end of the block, or not at all.

    Raises:
        ServiceUnavailableError: it cannot be written to; it stands as before.
    """
    try:
        with engine.begin() as connection:
            _take_time(connection)
            yield connection
    except SQLAlchemyError as error:
        raise ServiceUnavailableError("The database cannot be written to.", hint=TRY_AGAIN) from error


def lay_out(connection: Connection, migration: str) -> None:
    """Empty tables as they were at this migration; what stood in them goes with the transaction.

    Raises:
        ConfigurationError: the migration belongs to a newer version.
    """
    if migration > HEAD:
        raise ConfigurationError(
            "This backup was made by a newer version of Leadgate.",
            code="backup.newer",
            hint="Install that version or a newer one.",
        )
    present = set(inspect(connection).get_table_names())
    for name in sorted(present & {*metadata.tables, VERSION_TABLE}):
        connection.execute(text(f'DROP TABLE "{name}"'))
    _migrate(connection, migration)


def bring_up_to_date(connection: Connection, migration: str) -> None:
    """From this migration to ours, inside the transaction."""
    if migration != HEAD:
        _migrate(connection, "head")


def write_rows(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Append rows to a table that `lay_out` made."""
    names = ", ".join(f'"{column}"' for column in columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        statement = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 -- checked by `check_layout`
        connection.exec_driver_sql(statement, [tuple(row) for row in rows])
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


def has_layout(connection: Connection, table: str, columns: Sequence[str]) -> bool:
    """True when such a table with all of these columns is there, so that their names may stand in a statement."""
    inspector = inspect(connection)
    if not inspector.has_table(table):
        return False
    return set(columns) <= {column["name"] for column in inspector.get_columns(table)}


def go_on_counting(connection: Connection) -> None:
    """New rows get numbers after those that were put in; SQLite does so by itself."""
    if connection.dialect.name == "sqlite":
        return
    for table in metadata.sorted_tables:
        for column in _counted(table):
            highest = connection.execute(select(func.max(table.c[column]))).scalar()
            if highest is not None:
                sequence = func.pg_get_serial_sequence(table.name, column)
                connection.execute(select(func.setval(sequence, highest)))


def find_damage(connection: Connection) -> str | None:
    """What SQLite's own thorough check finds, or None; PostgreSQL looks after itself."""
    if connection.dialect.name != "sqlite":
        return None
    found = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
    return None if found == "ok" else found


@contextlib.contextmanager
def held_alone(engine: Engine) -> Iterator[None]:
    """Nobody else has the database open while the block runs, on whatever node.

    SQLite: whoever has the file open holds a lock on it that rules an exclusive one out. PostgreSQL: every node keeps connections
    under our name. A damaged SQLite file can be opened by nobody.

    Raises:
        ConflictError: a gateway or a command works with it.
        ServiceUnavailableError: it cannot be asked.
    """
    if engine.dialect.name == "sqlite":
        with _sqlite_alone(engine.url.database or ""):
            yield
        return
    try:
        with engine.connect() as connection:
            others = connection.execute(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND application_name = 'leadgate' AND pid <> pg_backend_pid()"
                )
            ).scalar_one()
            connection.rollback()
    except SQLAlchemyError as error:
        raise ServiceUnavailableError("The database cannot be reached.", hint=TRY_AGAIN) from error
    if others:
        raise _in_use()
    yield


@contextlib.contextmanager
def _sqlite_alone(path: str) -> Iterator[None]:
    if not Path(path).exists():
        yield
        return
    file = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_WAIT_S)
    try:
        try:
            file.execute("PRAGMA locking_mode = EXCLUSIVE")
            file.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise _in_use() from None
            # Not readable at all, which is why somebody restores.
        except sqlite3.DatabaseError:
            pass
        yield
    finally:
        file.close()


def _in_use() -> ConflictError:
    return ConflictError(
        "A gateway or another command works with this database now.",
        code="backup.in_use",
        hint="Stop every node (systemctl stop leadgate), then run the same command again.",
    )


def _take_time(connection: Connection) -> None:
    """A large table takes longer than a statement of the gateway may."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))


def _migrate(connection: Connection, revision: str) -> None:
    from alembic import command  # noqa: PLC0415 -- a quarter of a second that other commands need not spend

    command.upgrade(alembic_config(connection), revision)


def _counted(table: Table) -> list[str]:
    return [column.name for column in table.primary_key if column.autoincrement is True and _is_whole(column.type)]


def _is_whole(kind: object) -> bool:
    return isinstance(kind, Integer)
