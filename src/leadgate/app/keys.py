"""The key encryption key as its owner sees it: how it stands, its rotation, and where its file is open or sealed.

A rotation is decided in one transaction: which generation wraps, and the copy for the paper that opens it. What a kill before it
leaves behind is a generation that nothing uses; after it everything else is done by whoever runs next (`key_keeper`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from leadgate.app.key_follow import keep_up
from leadgate.app.key_state import (
    KeyState,
    SealedGeneration,
    generation_context,
    read_key_state,
    write_key_state,
)
from leadgate.app.one_node import as_only_node
from leadgate.audit.trail import recorded
from leadgate.errors import ConfigurationError, ConflictError
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.keys import KEY_TERM, KeyStatus
from leadgate.model.secret import Secret
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Trail
from leadgate.ports.stores import Transaction, Workspace
from leadgate.storage.sql_storage import SqlStorage
from leadgate.vault.custodians import Custodians
from leadgate.vault.envelope import Vault
from leadgate.vault.file_custodian import FileCustodian

ROTATE_LANE = "keys.rotate"
_log = get_logger("keys")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHouse:
    """What works on the key encryption key works with; `holder` is unique for the process."""

    storage: SqlStorage
    custodian: Custodians
    vault: Vault
    journal: Trail
    data: Path
    passphrase_file: Path | None
    workspace: Workspace
    clock: Clock
    holder: str


class KeyDesk:
    """The key encryption key of one salon."""

    def __init__(self, house: KeyHouse) -> None:
        """Of this house."""
        self._house = house
        self._storage = house.storage
        self._custodian = house.custodian
        self._journal = house.journal
        self._workspace = house.workspace
        self._clock = house.clock

    async def status(self) -> KeyStatus:
        """How it stands now; a custodian that is no file is asked whether it serves."""
        if self._custodian.file is None:
            await asyncio.to_thread(self._custodian.look)
        return await self._storage.read(self._read_status)

    async def rotate(self, *, by: str, recovery_key: Secret | None = None) -> KeyStatus:
        """Wrap with a new generation from now on; the data keys that are there are wrapped anew in the background.

        Args:
            by: who wants it.
            recovery_key: the paper; needed once where the copy for it was made by an old version.

        Raises:
            ConfigurationError: the recovery key is needed, or the custodian does not let us.
            UnknownKeyError: that is not the recovery key.
            ConflictError: another process rotates just now.
            CustodianUnavailableError: the custodian cannot be asked now.
            JournalUnavailableError: the journal cannot be written; nothing was changed.
        """
        async with as_only_node(self._storage, ROTATE_LANE, holder=self._house.holder, clock=self._clock) as has_lease:
            if not has_lease:
                raise ConflictError(
                    "The key encryption key is being rotated just now.",
                    code="keys.busy",
                    hint="See: leadgate keys status",
                )
            await self.follow()
            await self._rotate(by=by, recovery_key=recovery_key)
        return await self.status()

    async def protect(self, passphrase: Secret | None, *, by: str) -> KeyStatus:
        """Seal the key file under a passphrase from now on; None: keep it in clear again.

        Raises:
            ConfigurationError: the passphrase is too short, or the custodian keeps no key file.
            JournalUnavailableError: the journal cannot be written; nothing was changed.
        """
        custodian = self._custodian.any_file
        if custodian is None:
            raise ConfigurationError("This custodian keeps no key file.", code="keys.no_file")
        tag = Tag.KEY_FILE_OPENED if passphrase is None else Tag.KEY_FILE_SEALED
        async with recorded(self._journal, JournalEntry(tag=tag, by=by, on=custodian.key_id())):
            await asyncio.to_thread(custodian.protect, passphrase)
        return await self.status()

    async def follow(self) -> KeyState | None:
        """Keep up with what another process or node decided; what was decided.

        Raises:
            UnknownKeyError: this node's key file is too old.
        """
        state = await self._storage.read(read_key_state)
        await asyncio.to_thread(self._keep_up, state)
        if self._custodian.file is None:
            await asyncio.to_thread(self._custodian.look)
        return state

    async def _rotate(self, *, by: str, recovery_key: Secret | None) -> None:
        before = self._custodian.key_id()
        copy = await self._storage.read(lambda tx: tx.keys.find_recovery())
        if copy is not None and (file := self._custodian.file) is not None:
            await asyncio.to_thread(_check_paper, file, copy, recovery_key)
        entry = JournalEntry(tag=Tag.KEY_ROTATED, by=by, on=before, details={"custodian": self._custodian.kind})
        async with recorded(self._journal, entry):
            made = await asyncio.to_thread(self._custodian.rotate)
            now = self._clock.now()
            await self._storage.write(lambda tx: self._decide(tx, before, made, recovery_key, by=by, at=now))
            await self.follow()
        _log.info("keys.rotated", action=by)

    def _decide(
        self, tx: Transaction, before: str, made: str, recovery_key: Secret | None, *, by: str, at: datetime
    ) -> None:
        old, custodian = read_key_state(tx), self._custodian.file
        announced = {} if old is None else dict(old.announced)
        if custodian is not None:
            copy = tx.keys.find_recovery()
            if copy is not None:
                tx.keys.keep_recovery(custodian.recovery_copy(copy, recovery_key, key_id=made))
            if not self._storage.is_local:
                sealed = custodian.wrap(custodian.keyset(made), generation_context(tx.workspace_id, made))
                announced[made] = SealedGeneration(sealed=sealed.content, by=sealed.key_id)
        retired = {} if old is None else dict(old.retired)
        state = KeyState(
            primary=made,
            rotated_at=at,
            retired={**retired, before: at},
            announced=announced,
            moving_from=None if old is None else old.moving_from,
        )
        write_key_state(tx, state, by=by, at=at)

    def _read_status(self, tx: Transaction) -> KeyStatus:
        state, counts, custodian = read_key_state(tx), tx.keys.counts(), self._custodian
        primary = custodian.key_id() if state is None else state.primary
        rotated_at = self._workspace.created_at if state is None else state.rotated_at
        next_due = rotated_at + KEY_TERM
        return KeyStatus(
            primary=primary,
            custodian=custodian.kind,
            data_keys=sum(counts.values()),
            waiting=sum(count for key_id, count in counts.items() if key_id != primary),
            rotated_at=rotated_at,
            next_due=next_due,
            is_overdue=self._clock.now() >= next_due,
            is_locked=None if custodian.file is None else custodian.file.is_locked,
            away_since=None if custodian.absence is None else custodian.absence.since,
            moving_from=None if state is None else state.moving_from,
        )

    def _keep_up(self, state: KeyState | None) -> None:
        keep_up(
            self._custodian,
            state,
            self._house.data,
            self._workspace.workspace_id,
            is_shared=not self._storage.is_local,
            now=self._clock.now(),
        )


def _check_paper(custodian: FileCustodian, copy: bytes, recovery_key: Secret | None) -> None:
    if custodian.recovery_copy(copy, recovery_key, key_id=custodian.key_id()) is None:
        raise ConfigurationError(
            "The recovery key on paper is needed once: the copy for it was made by an older version.",
            code="keys.recovery_needed",
            hint='Give it: leadgate keys rotate --secrets-file FILE with {"recovery_key": "…"}.',
        )
