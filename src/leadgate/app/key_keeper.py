"""What goes on by itself around the key encryption key: a due rotation, data keys wrapped anew, old generations destroyed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec

from leadgate.app.key_bridge import build_bridge, ensure_bridge
from leadgate.app.key_state import KeyState, read_key_state, write_key_state
from leadgate.app.keys import ROTATE_LANE, KeyDesk, KeyHouse
from leadgate.app.one_node import as_only_node, look_again_and_again
from leadgate.app.rewrap import rewrap_keys
from leadgate.audit.trail import recorded
from leadgate.errors import LeadgateError
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.keys import KEY_TERM
from leadgate.observability import get_logger, metrics
from leadgate.ports.stores import Transaction
from leadgate.vault.custodians import BRIDGE

REWRAP_LANE = "keys.rewrap"
SYSTEM = "system"
LOOK_INTERVAL_S = 2.0
REST_S = 60.0
"""After a look that failed: what a person has to see to is not logged every other second."""

KEPT_FOR_BACKUPS = timedelta(days=35)
"""An older generation that wraps nothing still opens backups for so long; after that they open with the recovery key alone."""

ANNOUNCED_FOR = timedelta(days=1)
"""So long a node that was switched off finds the new generation in the database."""

_log = get_logger("keys")


class KeyKeeper:
    """Looks every other second; one node of the cluster works at a time."""

    def __init__(self, desk: KeyDesk, house: KeyHouse) -> None:
        """Rotate through this desk."""
        self._desk = desk
        self._house = house
        self._rests_until_s = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until `stop`."""
        await look_again_and_again(self._look_safely, stop, interval_s=LOOK_INTERVAL_S)

    async def look(self) -> None:
        """Do everything that is to be done now.

        Raises:
            ConfigurationError: a rotation is due and needs the recovery key on paper.
            CustodianUnavailableError: the custodian cannot be asked now; the next look goes on.
            JournalUnavailableError: the journal cannot be written; likewise.
        """
        state = await self._desk.follow()
        if self._house.custodian.absence is not None:
            return  # what can be done without it is done by others; it is looked for again in two seconds
        await self._keep_bridge()
        await self.rewrap()
        await self._tidy()
        since = self._house.workspace.created_at if state is None else state.rotated_at
        if self._house.clock.now() >= since + KEY_TERM:
            await self._desk.rotate(by=SYSTEM)

    async def rewrap(self) -> int:
        """Wrap anew what older generations still wrap; how many were. Another node at it: none.

        Raises:
            CustodianUnavailableError: the custodian cannot be asked now; the next call goes on.
        """
        house = self._house
        state = await house.storage.read(read_key_state)
        if state is None or state.rewrapped_at is not None or house.custodian.key_id() != state.primary:
            return 0
        async with as_only_node(house.storage, REWRAP_LANE, holder=house.holder, clock=house.clock) as has_lease:
            if not has_lease:
                return 0
            done = await rewrap_keys(house.storage, house.custodian, house.workspace.workspace_id)
            await self._note_finished(state)
        return done

    async def _keep_bridge(self) -> None:
        """For a custodian that may be away one day; and whoever came over it meanwhile is wrapped by the custodian itself."""
        house = self._house
        if house.custodian.file is not None:
            return
        if not house.custodian.has_bridge:
            await house.storage.write(lambda tx: ensure_bridge(tx, house.vault))
            await house.storage.read(lambda tx: build_bridge(tx, house.vault, house.custodian))
        counts = await house.storage.read(lambda tx: tx.keys.counts())
        if any(key_id.startswith(f"{BRIDGE}:") for key_id in counts):
            done = await rewrap_keys(house.storage, house.custodian, house.workspace.workspace_id)
            _log.info("keys.bridge_crossed", count=done)

    async def _note_finished(self, state: KeyState) -> None:
        house = self._house
        counts = await house.storage.read(lambda tx: tx.keys.counts())
        if counts.keys() - {state.primary}:
            return
        now, count = house.clock.now(), sum(counts.values())

        def note(tx: Transaction) -> None:
            current = read_key_state(tx)
            if current is not None and current.primary == state.primary:
                finished = msgspec.structs.replace(current, rewrapped_at=now)
                write_key_state(tx, finished, by=SYSTEM, at=now)

        details: dict[str, str | int] = {"data_keys": count, "custodian": house.custodian.kind}
        await house.journal.record(JournalEntry(tag=Tag.KEY_REWRAPPED, by=SYSTEM, on=state.primary, details=details))
        await house.storage.write(note)
        _log.info("keys.rewrapped", count=count)

    async def _tidy(self) -> None:
        """Destroy this node's generations that wrap nothing and are too old for backups; what was announced is heard by now."""
        house = self._house
        state = await house.storage.read(read_key_state)
        if state is None or not (self._find_over(state) or self._is_heard(state)):
            return
        async with as_only_node(house.storage, ROTATE_LANE, holder=house.holder, clock=house.clock) as has_lease:
            if not has_lease:
                return
            state = await self._desk.follow() or state
            if self._is_heard(state):
                await house.storage.write(self._forget_announced)
            used = await house.storage.read(lambda tx: tx.keys.counts())
            over = self._find_over(state) - used.keys()
            if over:
                details: dict[str, str | int] = {"count": len(over), "custodian": house.custodian.kind}
                entry = JournalEntry(tag=Tag.KEY_DROPPED, by=SYSTEM, on=state.primary, details=details)
                async with recorded(house.journal, entry):
                    await asyncio.to_thread(house.custodian.drop, over)

    def _find_over(self, state: KeyState) -> frozenset[str]:
        """What a killed rotation left unused is not among them: it harms nobody, and a later copy of the house may use it."""
        now = self._house.clock.now()
        over = frozenset(key_id for key_id, since in state.retired.items() if now - since >= KEPT_FOR_BACKUPS)
        return (over & self._house.custodian.key_ids()) - {state.primary, self._house.custodian.key_id()}

    def _is_heard(self, state: KeyState) -> bool:
        return bool(state.announced) and self._house.clock.now() - state.rotated_at >= ANNOUNCED_FOR

    def _forget_announced(self, tx: Transaction) -> None:
        state = read_key_state(tx)
        if state is not None and self._is_heard(state):
            write_key_state(tx, msgspec.structs.replace(state, announced={}), by=SYSTEM, at=self._house.clock.now())

    async def _look_safely(self) -> None:
        if self._house.clock.monotonic_s() < self._rests_until_s:
            return
        try:
            await self.look()
        except LeadgateError as error:
            _log.error("keys.not_kept", error_code=error.code)
        except Exception:  # noqa: BLE001 -- a loop that serves for months: it is logged, counted and tried again
            _log.exception("keys.not_kept")
            metrics.crashes.labels("keys").inc()
        else:
            return
        self._rests_until_s = self._house.clock.monotonic_s() + REST_S
