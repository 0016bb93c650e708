"""Learns how much each channel usually brings, hour by hour, and hears when one is silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from leadgate.alerts.causes import NameKind, name_connection
from leadgate.alerts.silence import HISTORY, HOUR, Silence, find_silence, floor_hour
from leadgate.model.alerts import Cause, ConnectionSigns, Note, Signs, Trouble
from leadgate.ports.stores import Storage, Transaction

LEARNED = "flow_learned"
"""Topic of the note whose time is the end of the newest hour that was counted."""

SILENT = "silent"
"""Topic of the notes on channels whose silence was noticed."""

HOURS_AT_ONCE = 24
READ_EVERY = timedelta(minutes=5)
_LATE_COMMITS = timedelta(minutes=1)


class Listening:
    """A sense of `AlertWatch`. Counts are read from the events once an hour; what is kept says how many, never whose."""

    def __init__(self, storage: Storage, *, zone: tzinfo, name_kind: NameKind) -> None:
        """Hours of the clock are those of the zone."""
        self._storage = storage
        self._zone = zone
        self._name_kind = name_kind
        self._flow: Mapping[str, Mapping[datetime, int]] = {}
        self._read_at: datetime | None = None

    async def look(self, signs: Signs, *, now: datetime) -> Sequence[Trouble]:
        """Every channel that is silent now. One whose events wait to be worked on is not.

        Once noticed, a silence lasts until something comes: a quiet Sunday after it is no end.
        """
        await self._learn(now)
        if self._read_at is None or now - self._read_at >= READ_EVERY:
            self._flow, self._read_at = await self._storage.read(lambda tx: tx.alerts.flow()), now
        noted = {note.subject: note for note in signs.notes if note.topic == SILENT}
        troubles = []
        for one in signs.connections:
            note = noted.pop(one.connection_id, None)
            silence = None if one.is_paused or one.pending else self._find(one, note, now)
            await self._remember(one.connection_id, silence, note)
            if silence is not None:
                who, count = name_connection(one, self._name_kind), silence.usual
                troubles.append(
                    Trouble(cause=Cause.SILENCE, subject=one.connection_id, who=who, count=count, since=silence.since)
                )
        for gone, note in noted.items():
            await self._remember(gone, None, note)
        return troubles

    def _find(self, one: ConnectionSigns, note: Note | None, now: datetime) -> Silence | None:
        last, history = one.last_event_at, self._flow.get(one.connection_id)
        if last is None:
            return None
        if note is not None and note.at == last:
            return Silence(last, int(note.detail))
        return find_silence(history, last, now=now, zone=self._zone) if history else None

    async def _remember(self, connection_id: str, silence: Silence | None, note: Note | None) -> None:
        """The note holds the last event's time and what is usual, so that another node and a restart know too."""
        if silence is None and note is not None:
            await self._storage.write(lambda tx: tx.alerts.drop_note(SILENT, connection_id))
        elif silence is not None and (note is None or note.at != silence.since):
            kept = Note(topic=SILENT, subject=connection_id, at=silence.since, detail=str(silence.usual))
            await self._storage.write(lambda tx: tx.alerts.note(kept))

    async def _learn(self, now: datetime) -> None:
        """Count the hours that have ended since the last time; after a first start a day of them at a look."""
        last = floor_hour(now - _LATE_COMMITS)
        note = await self._storage.read(lambda tx: tx.alerts.find_note(LEARNED))
        oldest = floor_hour(now) - HISTORY - timedelta(days=1)
        hour = oldest if note is None else max(note.at, oldest)
        for _ in range(HOURS_AT_ONCE):
            if hour >= last:
                return
            hour = await self._count(hour, oldest)
            self._read_at = None

    async def _count(self, hour: datetime, oldest: datetime) -> datetime:
        counts = await self._storage.read(lambda tx: tx.alerts.count_hour(hour))

        def keep(tx: Transaction) -> None:
            tx.alerts.add_flow(hour, counts, forget_before=oldest)
            tx.alerts.note(Note(topic=LEARNED, subject="", at=hour + HOUR, detail=""))

        await self._storage.write(keep)
        return hour + HOUR
