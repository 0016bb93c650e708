"""Databases for tests, brought up to date: SQLite as a copy of one made once, PostgreSQL as a database of its own."""

from __future__ import annotations

import atexit
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from leadgate.storage.engines import make_engine
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.upgrade import upgrade


def sqlite_url(folder: Path) -> str:
    """The address of a fresh, empty database in the folder; a second call for the folder finds the same one."""
    path = folder / "leadgate.sqlite3"
    if not path.exists():
        shutil.copy(_template(), path)
    return f"sqlite:///{path}"


@contextmanager
def postgres_copy(postgres_url: str) -> Iterator[str]:
    """The address of an up-to-date PostgreSQL database; dropped at the end. Tests share it, each with a workspace of its own."""
    url = make_url(postgres_url)
    name = f"suite_{uuid.uuid4().hex}"
    admin = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        database_url = url.set(database=name).render_as_string(hide_password=False)
        bring_up(database_url)
        yield database_url
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def open_storage(database_url: str, workspace_id: str = "ws") -> SqlStorage:
    """A storage on an engine of its own, as one node has; close it."""
    return SqlStorage(make_engine(database_url), workspace_id)


def bring_up(database_url: str) -> None:
    """Run the migrations."""
    engine = make_engine(database_url)
    upgrade(engine)
    engine.dispose()


@cache
def _template() -> Path:
    folder = Path(mkdtemp(prefix="leadgate-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "template.sqlite3"
    bring_up(f"sqlite:///{path}")
    return path
