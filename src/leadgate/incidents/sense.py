"""What the alarms see of an incident; a `Sense` of `alerts.watch`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from leadgate.catalogue.texts import load_texts
from leadgate.incidents.clocks import troubles_of
from leadgate.model.alerts import Cause, Signs, Trouble
from leadgate.model.incidents import EVERYTHING, Freeze, Incident, Notice
from leadgate.ports.stores import Storage, Transaction


class IncidentSense:
    """Reads the open incident at every look."""

    def __init__(self, storage: Storage, *, locale: str) -> None:
        """Name the notices in this language."""
        self._storage = storage
        self._texts = load_texts("incident", locale)

    async def look(self, signs: Signs, *, now: datetime) -> Sequence[Trouble]:
        """Deadlines that are near or past, and what is frozen with how much waits behind it."""

        def read(tx: Transaction) -> tuple[Incident | None, Sequence[Freeze]]:
            stored = tx.incidents.find_open()
            return None if stored is None else stored.incident, tx.incidents.freezes()

        incident, freezes = await self._storage.read(read)
        if incident is None:
            return []
        suffix = self._texts.get("alarm.drill") if incident.is_drill else ""
        names = {notice: self._texts.get(f"alarm.notice.{notice.value}") + suffix for notice in Notice}
        return troubles_of(incident, names, frozen=_frozen(freezes, signs, suffix), now=now)


def waiting_behind(freezes: Sequence[Freeze], signs: Signs) -> int:
    """How many deliveries wait behind the freezes."""
    frozen = {freeze.connection_id for freeze in freezes}
    if not frozen:
        return 0
    return sum(one.waiting for one in signs.connections if EVERYTHING in frozen or one.connection_id in frozen)


def _frozen(freezes: Sequence[Freeze], signs: Signs, suffix: str) -> Trouble | None:
    if not freezes:
        return None
    return Trouble(
        cause=Cause.FROZEN,
        who=suffix,
        count=waiting_behind(freezes, signs),
        since=min(freeze.frozen_at for freeze in freezes),
    )
