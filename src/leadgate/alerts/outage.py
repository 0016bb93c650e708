"""Telling that the database is away: nothing can be read or written then, so the process that looked last tells it from memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from leadgate.alerts.raising import review
from leadgate.alerts.telling import Messenger, is_resting
from leadgate.model.alerts import Alert, AlertTarget, Cause, MessageKind, Trouble
from leadgate.model.secret import Secret
from leadgate.ports.clock import Clock

AWAY_AFTER_S = 120.0
END_TOLD_FOR = timedelta(hours=1)
"""So long an address that does not take the end is tried; afterwards the news is old."""

Known = Sequence[tuple[AlertTarget, Secret]]


class OutageMemory:
    """What one process remembers: addresses, since when the database is away, and who has heard of it."""

    def __init__(self, messenger: Messenger, clock: Clock) -> None:
        """All is well."""
        self.known: Known = ()
        self._messenger = messenger
        self._clock = clock
        self._away_since_s: float | None = None
        self._alert: Alert | None = None
        self._untold: Known = ()
        self._heard: Known = ()

    async def note_away(self) -> None:
        """The database does not answer. After two minutes that is an alarm, tried until every address has taken it."""
        now_s, now = self._clock.monotonic_s(), self._clock.now()
        if self._away_since_s is None:
            self._away_since_s, self._alert = now_s, None
        if now_s - self._away_since_s < AWAY_AFTER_S:
            return
        if self._alert is None:
            began = now - timedelta(seconds=now_s - self._away_since_s)
            (self._alert,) = review([], [Trouble(cause=Cause.DATABASE, since=began)], now=now, calm=timedelta())
            self._untold, self._heard = self.known, ()
        await self._tell(self._alert, MessageKind.RAISED)

    async def note_back(self) -> None:
        """It answers; whoever heard that it was away hears the end."""
        self._away_since_s = None
        if self._alert is None:
            return
        now = self._clock.now()
        if self._alert.solved_at is None:
            self._alert = replace(self._alert, solved_at=now)
            self._untold, self._heard = self._heard, ()
        await self._tell(self._alert, MessageKind.SOLVED)
        if not self._untold or now - (self._alert.solved_at or now) > END_TOLD_FOR:
            self._alert = None

    async def _tell(self, alert: Alert, kind: MessageKind) -> None:
        still: list[tuple[AlertTarget, Secret]] = []
        for planned, address in self._untold:
            target = planned
            if not is_resting(planned, now=self._clock.now()):
                target = await self._messenger.send(alert, kind, planned, address)
                if target.failures == 0:
                    self._heard = (*self._heard, (target, address))
                    continue
            still.append((target, address))
        self._untold = still
