"""A process keeps up with the generation that wraps: also with one that another process or node made."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from leadgate.app.custodian_book import Entry, is_known, keep_entry, open_known
from leadgate.app.key_state import ADOPTION_TIME, KeyState, SealedGeneration, generation_context, read_key_state
from leadgate.errors import UnknownKeyError
from leadgate.ports.custodian import Wrapped
from leadgate.storage.sql_storage import SqlStorage
from leadgate.vault.custodians import Custodians
from leadgate.vault.key_file import KIND as FILE


def keep_up(
    custodian: Custodians, state: KeyState | None, data: Path, workspace_id: str, *, is_shared: bool, now: datetime
) -> None:
    """Take over what is new, and wrap with what was decided. A second call is harmless.

    Args:
        custodian: of this process.
        state: what the database says; None while the first generation wraps.
        data: the data directory.
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
        _adopt(custodian, key_id, generation, data, workspace_id)
    _meet(custodian, state.primary, data)
    if not is_shared or now - state.rotated_at >= ADOPTION_TIME:
        _use(custodian, state.primary)


async def open_keys(custodian: Custodians, storage: SqlStorage, data: Path, *, now: datetime) -> None:
    """Wrap with what was decided, before anything is opened.

    Raises:
        UnknownKeyError: this node's key file is older than what the database still knows of.
        CustodianUnavailableError: the custodian cannot be asked, and nothing was opened before.
    """
    state = await storage.read(read_key_state)
    keep_up(custodian, state, data, storage.workspace_id, is_shared=not storage.is_local, now=now)


def _adopt(custodians: Custodians, key_id: str, generation: SealedGeneration, data: Path, workspace_id: str) -> None:
    kind, file = key_id.partition(":")[0], custodians.any_file
    sealed = Wrapped(generation.sealed, generation.by)
    context = generation_context(workspace_id, key_id)
    if kind == FILE and file is not None and key_id not in file.key_ids():
        file.adopt(file.unwrap(sealed, context), key_id)
    elif kind not in {FILE, *custodians.kinds()} and not is_known(data, kind):
        keep_entry(data, kind, msgspec.json.decode(custodians.unwrap(sealed, context), type=Entry))


def _meet(custodians: Custodians, key_id: str, data: Path) -> None:
    """Another process of this directory moved to a custodian that this one does not know yet."""
    kind = key_id.partition(":")[0]
    if kind not in custodians.kinds() and is_known(data, kind):
        custodians.add(open_known(data, kind))


def _use(custodian: Custodians, key_id: str) -> None:
    if custodian.key_id_known() == key_id:
        return
    try:
        custodian.use(key_id)
    except UnknownKeyError:
        raise UnknownKeyError(
            "The key file of this node is older than the database.",
            code="keys.old_file",
            hint="Copy the key file of another node into this data directory, or restore a backup with the recovery key.",
        ) from None
