"""The workspace itself: read before any store can be opened, made by `init`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from leadgate.errors import ServiceUnavailableError
from leadgate.ports.stores import Transaction, Workspace
from leadgate.storage.schema import workspaces
from leadgate.storage.transaction import SqlTransaction
from leadgate.storage.upgrade import TRY_AGAIN


def find_workspace(engine: Engine) -> Workspace | None:
    """The oldest workspace of the database, or None when it is empty.

    Raises:
        ServiceUnavailableError: the database cannot be read.
    """
    try:
        with engine.connect() as connection:
            row = connection.execute(select(workspaces).order_by(workspaces.c.created_at).limit(1)).one_or_none()
    except SQLAlchemyError as error:
        raise ServiceUnavailableError("The database cannot be read.") from error
    if row is None:
        return None
    return Workspace(
        workspace_id=row.workspace_id,
        name=row.name,
        locale=row.locale,
        time_zone=row.time_zone,
        created_at=row.created_at,
    )


def add_workspace(
    engine: Engine, workspace: Workspace, *, sealed_recovery: bytes, furnish: Callable[[Transaction], None]
) -> None:
    """Keep a new workspace and what `furnish` puts into it, in one transaction.

    Args:
        sealed_recovery: the key encryption key under the recovery key, to lie beside the data.

    Raises:
        ServiceUnavailableError: the database cannot be written to; nothing was kept, or nobody knows.
    """
    with _in_one_commit(engine) as connection:
        connection.execute(
            insert(workspaces).values(
                workspace_id=workspace.workspace_id,
                name=workspace.name,
                locale=workspace.locale,
                time_zone=workspace.time_zone,
                sealed_recovery=sealed_recovery,
                created_at=workspace.created_at,
            )
        )
        furnish(SqlTransaction(connection, workspace.workspace_id))


def reseal_workspace(
    engine: Engine, workspace: Workspace, *, sealed_recovery: bytes, furnish: Callable[[Transaction], None]
) -> None:
    """Put the key encryption key under another recovery key, and do what `furnish` does, in one transaction.

    Raises:
        ServiceUnavailableError: as `add_workspace`.
    """
    with _in_one_commit(engine) as connection:
        mine = workspaces.c.workspace_id == workspace.workspace_id
        connection.execute(update(workspaces).where(mine).values(sealed_recovery=sealed_recovery))
        furnish(SqlTransaction(connection, workspace.workspace_id))


@contextlib.contextmanager
def _in_one_commit(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise ServiceUnavailableError("The database cannot be written to.", hint=TRY_AGAIN) from error
