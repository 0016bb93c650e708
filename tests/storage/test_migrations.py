import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from leadgate.errors import ConfigurationError, ServiceUnavailableError
from leadgate.storage.engines import make_engine
from leadgate.storage.schema import metadata
from leadgate.storage.upgrade import HEAD, alembic_config, find_version, upgrade


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    return str(request.getfixturevalue("postgres_database"))


@pytest.fixture
def engine(database_url: str) -> Engine:
    """An engine on it."""
    return make_engine(database_url)


def test_an_empty_database_comes_up_to_date_and_a_second_time_is_harmless(engine: Engine) -> None:
    """Every start asks; only the first has something to do."""
    assert find_version(engine) is None
    assert upgrade(engine)
    assert find_version(engine) == HEAD
    assert not upgrade(engine)
    engine.dispose()


def test_the_migrations_make_what_the_code_expects(engine: Engine) -> None:
    """A column that only the code knows breaks the first salon that upgrades."""
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_checks_of_the_tables_hold(engine: Engine) -> None:
    """Alembic does not compare them: a state that no code knows must not be storable."""
    upgrade(engine)
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            wanted = {c.name for c in table.constraints if type(c).__name__ == "CheckConstraint"}
            found = {str(c["name"]) for c in connection.dialect.get_check_constraints(connection, table.name)}
            assert found == wanted, table.name
    engine.dispose()


def test_the_newest_script_is_the_one_that_the_start_expects() -> None:
    """Otherwise a start would think an old schema up to date."""
    config = alembic_config()
    assert isinstance(config, Config)
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_leaner_indexes_keep_every_event(engine: Engine) -> None:
    """SQLite copies the table to change a constraint; what clients wrote must come along, and a known key must stay known."""
    columns = "workspace_id, event_id, connection_id, natural_key, part, state, received_at, key_scope, sealed_body"
    add = f"INSERT INTO events ({columns}) VALUES ('ws', :id, 'conn', :key, 3, 'received', 7, 'intake', :body)"  # noqa: S608 - made of constants
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), "0001")
        for name in ("evt_1", "evt_2"):
            connection.execute(text(add), {"id": name, "key": name.encode().ljust(16), "body": b"\x00sealed"})
        connection.commit()
    assert upgrade(engine)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT seq, event_id, sealed_body FROM events ORDER BY seq")).all()
        assert [(row.seq, row.event_id, bytes(row.sealed_body)) for row in rows] == [
            (1, "evt_1", b"\x00sealed"),
            (2, "evt_2", b"\x00sealed"),
        ]
        with pytest.raises(IntegrityError):
            connection.execute(text(add), {"id": "evt_3", "key": b"evt_1".ljust(16), "body": b""})
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused(engine: Engine) -> None:
    """An old program on a new schema would write what the new one cannot read."""
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="newer") as caught:
        upgrade(engine)
    assert caught.value.hint
    engine.dispose()


def test_two_that_start_at_once_do_not_stumble(database_url: str, engine: Engine) -> None:
    """A cluster rolls out two nodes in the same second."""
    child = [sys.executable, str(Path(__file__).parent / "upgrade_child.py"), database_url]
    starts = [subprocess.Popen(child, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for start in starts:
        assert start.stdout is not None
        assert start.stdout.readline() == "ready\n"
    for start in starts:
        assert start.stdin is not None
        start.stdin.write("go\n")
        start.stdin.flush()
    ends = [start.communicate(timeout=60)[0].strip() for start in starts]
    assert [start.returncode for start in starts] == [0, 0], ends
    assert find_version(engine) == HEAD
    engine.dispose()


def test_a_server_that_is_away_is_said_so_without_the_password() -> None:
    """The address of a database holds a password."""
    engine = make_engine("postgresql://user:geheim@127.0.0.1:1/none")
    with pytest.raises(ServiceUnavailableError) as caught:
        find_version(engine)
    assert "geheim" not in f"{caught.value} {caught.value.hint}"
    engine.dispose()
