"""An ear of the alarms for the custodian of the key encryption key."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from leadgate.model.alerts import Cause, Signs, Trouble
from leadgate.vault.custodians import Custodians


class CustodianSense:
    """See `alerts.watch.Sense`. Told at the first look: what is open in memory serves on, but nobody may restart us now."""

    def __init__(self, custodians: Custodians) -> None:
        """Listen to these."""
        self._custodians = custodians

    async def look(self, signs: Signs, *, now: datetime) -> Sequence[Trouble]:
        """One trouble, or none."""
        _ = signs, now
        absence = None if self._custodians.file is not None else await asyncio.to_thread(self._custodians.look)
        if absence is None:
            return []
        return [Trouble(cause=Cause.CUSTODIAN, subject=absence.kind, who=absence.kind, since=absence.since)]
