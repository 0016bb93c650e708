import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from leadgate.errors import ConfigurationError
from leadgate.storage.engines import POSTGRES_CONNECTIONS, READERS, make_engine
from leadgate.testing.databases import sqlite_url

FULL = 2
PROMISES = {"journal_mode": "wal", "synchronous": FULL, "secure_delete": 1, "foreign_keys": 1}


def test_every_sqlite_connection_keeps_the_promises(tmp_path: Path) -> None:
    """`synchronous` and `secure_delete` belong to a connection, not to the file: one that forgets them loses or leaves data."""
    engine = make_engine(sqlite_url(tmp_path))
    opened = [engine.connect().execution_options(leadgate_reader=True) for _ in range(READERS + 1)]
    for connection in opened:
        found = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in PROMISES}
        assert found == PROMISES
    for connection in opened:
        connection.close()
    engine.dispose()


def test_deleted_words_do_not_stay_in_the_sqlite_file(tmp_path: Path) -> None:
    """Erased personal data must not be readable in free pages, whatever SQLite's own default is."""
    engine = make_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (words TEXT)"))
        connection.execute(text("INSERT INTO t VALUES ('алсу-из-казани')"))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM t"))
    engine.dispose()  # the last connection writes the log back into the file
    assert "алсу-из-казани".encode() not in (tmp_path / "a.sqlite3").read_bytes()


def test_a_write_takes_the_lock_at_its_begin(tmp_path: Path) -> None:
    """A transaction that reads first and takes the lock later fails in the middle when another one wrote in between."""
    engine = make_engine(sqlite_url(tmp_path))
    with engine.begin(), sqlite3.connect(tmp_path / "leadgate.sqlite3", timeout=0, isolation_level=None) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN")  # a reader is not kept out
        other.execute("SELECT count(*) FROM events")
        other.execute("COMMIT")
    other.close()
    engine.dispose()


def test_every_postgres_connection_waits_for_the_disk(postgres_database: str) -> None:
    """A server configured to answer before the disk would lose acknowledged webhooks in a crash."""
    admin = make_engine(postgres_database)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        name = connection.execute(text("SELECT current_database()")).scalar()
        connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    admin.dispose()
    engine = make_engine(postgres_database)
    opened = [engine.connect() for _ in range(POSTGRES_CONNECTIONS)]
    assert {c.execute(text("SHOW synchronous_commit")).scalar() for c in opened} == {"on"}
    assert {c.execute(text("SHOW statement_timeout")).scalar() for c in opened} == {"30s"}
    for connection in opened:
        connection.close()
    engine.dispose()


@pytest.mark.parametrize("address", ["mysql://u:geheim@127.0.0.1/x", "no address", "://geheim"])
def test_another_database_is_refused_without_its_password(address: str) -> None:
    """A newcomer's mistake gets a cure, and its password stays out of logs."""
    with pytest.raises(ConfigurationError) as caught:
        make_engine(address)
    assert caught.value.hint
    assert "geheim" not in f"{caught.value} {caught.value.hint}"
