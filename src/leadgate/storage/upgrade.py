"""Making a database and bringing it up to date, through Alembic. Start-up asks cheaply first and migrates only when it must."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from leadgate.errors import ConfigurationError, ServiceUnavailableError

if TYPE_CHECKING:
    from alembic.config import Config

TRY_AGAIN = "Make room or see to it, then run the same command again: it goes on where this one stopped."
_LOCK_KEY = 0x6C656164  # any number will do as long as it stays the same
HEAD = "0018"
"""Newest migration in `migrations/versions`; a test compares it with what Alembic finds."""


def find_version(engine: Engine) -> str | None:
    """The database's migration, or None for an empty database.

    Raises:
        ServiceUnavailableError: the database cannot be reached.
    """
    try:
        with engine.connect() as bare:
            connection = bare.execution_options(leadgate_reader=True)  # on SQLite: asks without locking out the writer
            if not inspect(connection).has_table("alembic_version"):
                return None
            version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return version
    except SQLAlchemyError as error:
        raise ServiceUnavailableError(
            "The database cannot be reached.", hint="Check LEADGATE_DATABASE_URL and that the server runs."
        ) from error


def upgrade(engine: Engine) -> bool:
    """Bring the schema to `HEAD`; True when there was something to do. Each migration is one transaction.

    Raises:
        ConfigurationError: the database was made by a newer version.
        ServiceUnavailableError: it cannot be reached or written to; what was done stands, and a second call goes on.
    """
    version = find_version(engine)
    if version == HEAD:
        return False
    if version is not None and version > HEAD:
        raise ConfigurationError(
            "This database was upgraded by a newer version of Leadgate.", hint="Install that version or a newer one."
        )
    from alembic import command  # noqa: PLC0415 -- a quarter of a second that an up-to-date start need not spend

    try:
        with engine.connect() as connection, _alone(connection):
            command.upgrade(alembic_config(connection), "head")
    except SQLAlchemyError as error:
        raise ServiceUnavailableError("The database cannot be written to.", hint=TRY_AGAIN) from error
    return True


@contextlib.contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Of two processes that start at once on PostgreSQL the second waits and then finds nothing to do. SQLite has one writer."""
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK_KEY})
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK_KEY})
        connection.commit()


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration: the scripts lie in the package, the connection is handed over."""
    from alembic.config import Config  # noqa: PLC0415 -- as above

    config = Config()
    config.set_main_option("script_location", "leadgate.storage:migrations")
    config.attributes["connection"] = connection
    return config
