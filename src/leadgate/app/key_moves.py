"""The key encryption key goes from one custodian to another: without a stop, and undoable until it is confirmed.

A move is a rotation to a key of somebody else: from its one transaction on the new custodian wraps, and the data keys that are
there follow in the background. The former one goes on opening, and stays as it is until the move is confirmed and for some weeks
longer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from datetime import datetime

import msgspec

from leadgate.app.custodian_book import Entry, keep_entry, open_member
from leadgate.app.key_state import KeyState, SealedGeneration, generation_context, read_key_state, write_key_state
from leadgate.app.keys import ROTATE_LANE, KeyDesk, KeyHouse
from leadgate.app.one_node import as_only_node
from leadgate.audit.trail import recorded
from leadgate.errors import ConfigurationError, ConflictError, UnknownKeyError
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.keys import KeyStatus
from leadgate.model.secret import Secret
from leadgate.observability import get_logger
from leadgate.ports.custodian import Custodian
from leadgate.ports.stores import Transaction
from leadgate.vault.file_custodian import FileCustodian
from leadgate.vault.key_file import KEY_FILE, KIND, create_key_file, new_recovery_key

_PROBE, _PROBE_CONTEXT = b"leadgate probe of a custodian", b"leadgate\0probe"
_log = get_logger("keys")


class KeyMoves:
    """Moves of one salon."""

    def __init__(self, desk: KeyDesk, house: KeyHouse) -> None:
        """Beside this desk."""
        self._desk = desk
        self._house = house

    async def move(
        self, kind: str, settings: Mapping[str, str], secrets: Mapping[str, Secret], *, by: str
    ) -> tuple[KeyStatus, Secret | None]:
        """Have this custodian wrap from now on; with the new recovery key when it is the key file.

        Raises:
            ConfigurationError: no such custodian, its settings are wrong, or it is the present one.
            ConflictError: a move is not confirmed yet, or the key is being rotated just now.
            CustodianUnavailableError: the new one does not serve; nothing was changed.
            JournalUnavailableError: the journal cannot be written; nothing was changed.
        """
        house = self._house
        async with self._alone() as state:
            if state is not None and state.moving_from is not None:
                raise ConflictError(
                    "A move is not confirmed yet.",
                    code="keys.move_open",
                    hint="End it: leadgate keys move --confirm, or --undo.",
                )
            if kind == house.custodian.kind:
                raise ConfigurationError(
                    f"{kind} keeps the key already.", code="keys.same_custodian", hint="See: leadgate keys status"
                )
            entry = Entry(dict(settings), {name: value.reveal() for name, value in secrets.items()})
            member = None if kind == KIND else open_member(kind, entry)
            if member is not None:
                await asyncio.to_thread(_prove, member)
            before = house.custodian.key_id()
            details: dict[str, str | int] = {"from": house.custodian.kind, "to": kind}
            async with recorded(house.journal, JournalEntry(tag=Tag.KEY_MOVED, by=by, on=before, details=details)):
                paper = await self._settle_in(member, kind, entry, before, by=by)
                await self._desk.follow()
        _log.info("keys.moved", kind=kind, action=by)
        return await self._desk.status(), paper

    async def confirm(self, *, by: str) -> KeyStatus:
        """The former custodian is not needed any more; from now on there is no way back.

        Raises:
            ConflictError: there is no move, or data keys still wait for the new custodian.
            JournalUnavailableError: the journal cannot be written; nothing was changed.
        """
        async with self._alone() as state:
            former = _former(state)
            status = await self._desk.status()
            if status.waiting:
                raise ConflictError(
                    f"{status.waiting} data keys still wait for the new custodian.",
                    code="keys.move_unfinished",
                    hint="A running gateway wraps them; see: leadgate keys status",
                )
            async with recorded(
                self._house.journal, JournalEntry(tag=Tag.KEY_MOVE_CONFIRMED, by=by, on=status.primary)
            ):
                await self._house.storage.write(lambda tx: self._end(tx, former, by=by))
        return await self._desk.status()

    async def undo(self, *, by: str) -> KeyStatus:
        """Have the former custodian wrap again; the data keys go back in the background.

        Raises:
            ConflictError: there is no move that could be undone.
            CustodianUnavailableError: the former custodian does not serve; nothing was changed.
            JournalUnavailableError: the journal cannot be written; nothing was changed.
        """
        house = self._house
        async with self._alone() as state:
            former = _former(state)
            entry = JournalEntry(tag=Tag.KEY_MOVE_UNDONE, by=by, on=house.custodian.key_id())
            async with recorded(house.journal, entry):
                now = house.clock.now()
                await house.storage.write(lambda tx: _decide(tx, former, None, by=by, at=now))
                await self._desk.follow()
        return await self._desk.status()

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[KeyState | None]:
        house = self._house
        async with as_only_node(house.storage, ROTATE_LANE, holder=house.holder, clock=house.clock) as has_lease:
            if not has_lease:
                raise ConflictError(
                    "The key encryption key is being rotated just now.",
                    code="keys.busy",
                    hint="See: leadgate keys status",
                )
            yield await self._desk.follow()

    async def _settle_in(
        self, member: Custodian | None, kind: str, entry: Entry, before: str, *, by: str
    ) -> Secret | None:
        house, paper, copy, announced = self._house, None, None, {}
        if member is None:
            file, made = await asyncio.to_thread(self._open_file)
            paper = Secret(new_recovery_key(os.urandom(30)))
            copy = file.new_recovery_copy(paper, key_id=made)
            house.custodian.add(file)
        else:
            made = await asyncio.to_thread(member.key_id)
            await asyncio.to_thread(keep_entry, house.data, kind, entry)
            if not house.storage.is_local:
                context = generation_context(house.workspace.workspace_id, made)
                sealed = await asyncio.to_thread(house.custodian.wrap_for_good, msgspec.json.encode(entry), context)
                announced = {made: SealedGeneration(sealed=sealed.content, by=sealed.key_id)}
            house.custodian.add(member)
        now = house.clock.now()

        def unit(tx: Transaction) -> None:
            _decide(tx, made, before, by=by, at=now, announced=announced)
            if copy is not None:
                tx.keys.keep_recovery(copy)

        await house.storage.write(unit)
        return paper

    def _open_file(self) -> tuple[FileCustodian, str]:
        """The key file with a key that was never used, made when there is none."""
        house = self._house
        if (house.data / KEY_FILE).exists():
            file = FileCustodian(house.data, house.passphrase_file)
            return file, file.rotate()
        made = create_key_file(house.data, house.passphrase_file)
        return FileCustodian(house.data, house.passphrase_file), made.key_id()

    def _end(self, tx: Transaction, former: str, *, by: str) -> None:
        state, now = read_key_state(tx), self._house.clock.now()
        if state is None:
            return
        retired = {**state.retired, former: now}
        write_key_state(tx, msgspec.structs.replace(state, moving_from=None, retired=retired), by=by, at=now)
        if self._house.custodian.file is None:
            tx.keys.keep_recovery(None)


def _decide(
    tx: Transaction,
    primary: str,
    moving_from: str | None,
    *,
    by: str,
    at: datetime,
    announced: Mapping[str, SealedGeneration] | None = None,
) -> None:
    old = read_key_state(tx)
    # What is on its way back, or opens what the former one wrapped, is not destroyed before the move has ended.
    retired = {key_id: since for key_id, since in (old.retired if old else {}).items() if key_id != primary}
    known = {**(old.announced if old else {}), **(announced or {})}
    state = KeyState(primary=primary, rotated_at=at, retired=retired, announced=known, moving_from=moving_from)
    write_key_state(tx, state, by=by, at=at)


def _former(state: KeyState | None) -> str:
    if state is None or state.moving_from is None:
        raise ConflictError("There is no move that waits.", code="keys.no_move", hint="See: leadgate keys status")
    return state.moving_from


def _prove(member: Custodian) -> None:
    """It wraps and opens again, before anything is entrusted to it."""
    if member.unwrap(member.wrap(_PROBE, _PROBE_CONTEXT), _PROBE_CONTEXT) != _PROBE:
        raise UnknownKeyError("The new custodian does not open what it wrapped.", hint="Nothing was changed.")
