"""An ear of the alarms for orders to erase that the CRM has not carried out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from leadgate.alerts.erasures import find_erasure_trouble
from leadgate.app.erasing import Erasing
from leadgate.model.alerts import Signs, Trouble


class ErasureSense:
    """See `alerts.watch.Sense`."""

    def __init__(self, erasing: Erasing, zone: tzinfo) -> None:
        """Count working days in this zone."""
        self._erasing = erasing
        self._zone = zone

    async def look(self, signs: Signs, *, now: datetime) -> Sequence[Trouble]:
        """One trouble, or none."""
        _ = signs
        trouble = find_erasure_trouble(await self._erasing.unanswered(), now=now, zone=self._zone)
        return [] if trouble is None else [trouble]
