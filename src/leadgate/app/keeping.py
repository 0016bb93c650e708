"""A backup as an act of the house: made, written into the audit journal, remembered for the alarm about old ones."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Protocol

from leadgate.alerts.causes import BACKUP_MADE
from leadgate.app.backup import BackupMade, make_backup
from leadgate.errors import OverloadedError
from leadgate.model.alerts import Note
from leadgate.model.journal import JournalEntry, Tag
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Journal
from leadgate.ports.stores import Workspace
from leadgate.settings import Settings
from leadgate.storage.engines import make_engine
from leadgate.storage.sql_storage import SqlStorage
from leadgate.vault.custodians import Custodians, WithoutBridge


class House(Protocol):
    """What a backup needs of `App`."""

    settings: Settings
    workspace: Workspace
    storage: SqlStorage
    journal: Journal
    clock: Clock
    custodian: Custodians


async def keep_backup(house: House, target: Path, *, by: str) -> BackupMade:
    """Make a backup, journal it before it takes its name, and note its time.

    Raises:
        ConfigurationError: the file cannot be written there.
        ConflictError: another process writes a backup of this name.
        JournalUnavailableError: the audit journal cannot be written; no backup was kept.
        ServiceUnavailableError: the database cannot be read.
        CustodianUnavailableError: whoever keeps the key is away; no backup was made.
    """
    loop = asyncio.get_running_loop()

    def confirm(made: BackupMade) -> None:
        entry = _entry(made, house.workspace.workspace_id, by=by)
        asyncio.run_coroutine_threadsafe(house.journal.record(entry), loop).result()

    def make() -> BackupMade:
        engine = make_engine(house.settings.database_url)
        try:
            return make_backup(
                engine,
                house.settings,
                house.workspace,
                WithoutBridge(house.custodian),
                target=target,
                clock=house.clock,
                confirm=confirm,
            )
        finally:
            engine.dispose()

    made = await asyncio.to_thread(make)
    note = Note(topic=BACKUP_MADE, subject="", at=made.created_at, detail="")
    with contextlib.suppress(OverloadedError):  # the backup stands; a full disk costs the alarm its news
        await house.storage.write(lambda tx: tx.alerts.note(note))
    return made


def _entry(made: BackupMade, workspace_id: str, *, by: str) -> JournalEntry:
    details: dict[str, str | int] = {
        "created_at": made.created_at.isoformat(),
        "size_bytes": made.size_bytes,
        "sha256": made.sha256,
        "rows": sum(made.rows.values()),
        "files": len(made.files),
    }
    return JournalEntry(tag=Tag.BACKUP_CREATED, by=by, on=workspace_id, details=details)
