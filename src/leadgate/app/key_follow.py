"""A process keeps up with the generation that wraps: also with one that another process or node made."""

from __future__ import annotations

from datetime import datetime

from leadgate.app.key_state import ADOPTION_TIME, KeyState, generation_context, read_key_state
from leadgate.errors import UnknownKeyError
from leadgate.ports.custodian import Custodian, Wrapped
from leadgate.storage.sql_storage import SqlStorage
from leadgate.vault.file_custodian import FileCustodian


def keep_up(custodian: Custodian, state: KeyState | None, workspace_id: str, *, is_shared: bool, now: datetime) -> None:
    """Take over what is new, and wrap with what was decided. A second call is harmless.

    Args:
        custodian: of this process.
        state: what the database says; None while the first generation wraps.
        workspace_id: whose keys they are.
        is_shared: other nodes, with key files of their own, work on the database.
        now: aware UTC.

    Raises:
        UnknownKeyError: this node's key file is older than what the database still knows of.
        ConfigurationError: the key file cannot be written.
    """
    if state is None:
        return
    for key_id, generation in state.announced.items():
        if isinstance(custodian, FileCustodian) and key_id not in custodian.key_ids():
            _adopt(custodian, key_id, Wrapped(generation.sealed, generation.by), workspace_id)
    if not is_shared or now - state.rotated_at >= ADOPTION_TIME:
        _use(custodian, state.primary)


async def open_keys(custodian: Custodian, storage: SqlStorage, *, now: datetime) -> None:
    """Wrap with what was decided, before anything is opened.

    Raises:
        UnknownKeyError: this node's key file is older than what the database still knows of.
    """
    state = await storage.read(read_key_state)
    keep_up(custodian, state, storage.workspace_id, is_shared=not storage.is_local, now=now)


def _adopt(custodian: FileCustodian, key_id: str, sealed: Wrapped, workspace_id: str) -> None:
    custodian.adopt(custodian.unwrap(sealed, generation_context(workspace_id, key_id)), key_id)


def _use(custodian: Custodian, key_id: str) -> None:
    try:
        custodian.use(key_id)
    except UnknownKeyError:
        raise UnknownKeyError(
            "The key file of this node is older than the database.",
            code="keys.old_file",
            hint="Copy the key file of another node into this data directory, or restore a backup with the recovery key.",
        ) from None
