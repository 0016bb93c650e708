"""Incident mode: stop what goes out, count who may be affected, tell Roskomnadzor in time, hand out what shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from leadgate.app.incident_export import ExportSources, make_export
from leadgate.app.incident_records import IncidentRecords
from leadgate.audit.trail import recorded
from leadgate.connections.book import ConnectionBook
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.incidents.clocks import clocks_of
from leadgate.incidents.fines import classes_touched
from leadgate.incidents.notices import NoticeFacts, NoticeWords
from leadgate.incidents.sense import waiting_behind
from leadgate.model.incidents import (
    EVERYTHING,
    STORY_FIELDS,
    Freeze,
    Incident,
    IncidentView,
    Notice,
    Sent,
    Story,
)
from leadgate.model.journal import JournalEntry, Tag
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.journal import Journal
from leadgate.ports.stores import Transaction, Workspace
from leadgate.ports.stores.incidents import Scope, StoredIncident
from leadgate.reports.paper import print_paper
from leadgate.storage.sql_storage import SqlStorage
from leadgate.vault.envelope import Vault

STILL_WITHIN_S = 12.0
"""A call that began before a freeze is over by then, or its holder is gone: a lease lasts ten seconds."""

MAX_STORY_LENGTH = 4000
MAX_NUMBER_LENGTH = 100
_STILL_POLL_S = 0.1
_log = get_logger("incident")
T = TypeVar("T")


class IncidentDesk:
    """See `web.house.Incidents`."""

    def __init__(
        self,
        storage: SqlStorage,
        vault: Vault,
        journal: Journal,
        book: ConnectionBook,
        *,
        workspace: Workspace,
        sources: ExportSources,
        clock: Clock,
        ids: IdSource,
        on_change: Callable[[], None],
    ) -> None:
        """Call `on_change` when deliveries may go again."""
        self._storage = storage
        self._records = IncidentRecords(vault)
        self._journal = journal
        self._book = book
        self._workspace = workspace
        self._sources = sources
        self._clock = clock
        self._ids = ids
        self._on_change = on_change

    async def show(self, incident_id: str | None = None) -> IncidentView:
        """One incident; the open one when none is named. Raises NotFoundError."""
        now = self._clock.now()

        def read(tx: Transaction) -> IncidentView:
            stored = tx.incidents.find_open() if incident_id is None else tx.incidents.find(incident_id)
            return self._view(tx, _known(stored, incident_id), now)

        return await self._storage.read(read)

    async def all(self, *, limit: int) -> Sequence[Incident]:
        """Newest first."""
        return await self._storage.read(lambda tx: tx.incidents.all(limit=limit))

    async def open(
        self,
        *,
        found_at: datetime | None,
        what: str,
        is_drill: bool,
        freeze: bool,
        connection_id: str | None,
        by: str,
    ) -> IncidentView:
        """Open an incident and, with `freeze`, stop what goes out in the same commit; returns when nothing is on its way.

        Args:
            found_at: when somebody found it, aware; None: now. The clocks run from then.
            what: the owner's words, or "".
            is_drill: a rehearsal: everything works alike and is marked on every paper.
            connection_id: stop this connection alone; None: all of them.

        Raises:
            ConflictError: an incident is open already (`incident.open_already`).
            ConfigurationError: found in the future, or the words are too long.
            NotFoundError: there is no such connection.
        """
        now = self._clock.now()
        found = found_at or now
        if found > now:
            raise ConfigurationError("An incident cannot be found in the future.", code="incident.time_wrong")
        self._want_connection(connection_id)
        story = Story(what=_checked("what", what))
        incident = Incident(
            incident_id=self._ids.new("inc"), is_drill=is_drill, found_at=found, opened_at=now, opened_by=by
        )
        details: dict[str, str | int] = {"drill": int(is_drill), "frozen": int(freeze)}

        def unit(tx: Transaction) -> None:
            if tx.incidents.lock_open() is not None:
                raise _open_already()
            self._records.add(tx, incident, story)
            if freeze:
                tx.incidents.freeze(_freeze(incident, connection_id, at=now, by=by))

        # Stopping harms nobody, and must not wait for a disk.
        async with self._recorded(Tag.INCIDENT_OPENED, incident.incident_id, by, details, is_required=False):
            await self._storage.write(unit)
        _log.warning("incident.opened", action=by, connection_id=connection_id)
        if freeze:
            await self._wait_until_still([connection_id or EVERYTHING])
        return await self.show(incident.incident_id)

    async def freeze(self, *, connection_id: str | None = None, by: str) -> IncidentView:
        """Send nothing from now on, on any node; what arrives is kept and answered. Alarms still go.

        Returns when no call that began before is on its way, or says in the view how many still are.

        Raises:
            NotFoundError: no incident is open, or there is no such connection.
        """
        self._want_connection(connection_id)
        incident_id, now = await self._open_id(), self._clock.now()
        details = _change("frozen", connection_id)

        def unit(tx: Transaction) -> None:
            incident = _known(tx.incidents.lock_open(), None).incident
            tx.incidents.freeze(_freeze(incident, connection_id, at=now, by=by))

        async with self._recorded(Tag.INCIDENT_CHANGED, incident_id, by, details, is_required=False):
            await self._storage.write(unit)
        _log.warning("incident.frozen", action=by, connection_id=connection_id)
        await self._wait_until_still([connection_id or EVERYTHING])
        return await self.show(incident_id)

    async def unfreeze(self, *, connection_id: str | None = None, by: str) -> IncidentView:
        """Send again what waits, in order. Without a connection every freeze ends.

        Raises:
            NotFoundError: no incident is open.
            ConflictError: it is not frozen (`incident.not_frozen`).
            JournalUnavailableError: nothing was changed.
        """
        incident_id, now = await self._open_id(), self._clock.now()
        details = _change("unfrozen", connection_id)

        def unit(tx: Transaction) -> None:
            frozen = {freeze.connection_id for freeze in tx.incidents.freezes()}
            ended = frozen if connection_id is None else frozen & {connection_id}
            if not ended:
                raise ConflictError(
                    "This is not stopped.", code="incident.not_frozen", hint="See: leadgate incident show"
                )
            for name in sorted(ended):
                tx.incidents.unfreeze(name)
            for connection in tx.connections.all():
                if ended & {EVERYTHING, connection.connection_id}:
                    tx.lanes.resume(connection.connection_id, now=now)

        async with self._recorded(Tag.INCIDENT_CHANGED, incident_id, by, details):
            await self._storage.write(unit)
        _log.warning("incident.unfrozen", action=by, connection_id=connection_id)
        self._on_change()
        return await self.show(incident_id)

    async def note(self, words: Mapping[str, str], *, found_at: datetime | None = None, by: str) -> IncidentView:
        """Write down what is known: any of `STORY_FIELDS`, and when it was found if that was wrong.

        Raises:
            NotFoundError: no incident is open.
            ConfigurationError: a field is unknown or too long, or the time lies in the future.
            JournalUnavailableError: nothing was changed.
        """
        checked = {name: _checked(name, text) for name, text in words.items()}
        if found_at is not None and found_at > self._clock.now():
            raise ConfigurationError("An incident cannot be found in the future.", code="incident.time_wrong")
        details: dict[str, str | int] = {
            "change": "noted",
            "fields": ",".join(sorted(checked)),
            "found_at": int(found_at is not None),
        }
        return await self._change(
            lambda incident, story: (
                replace(incident, found_at=found_at or incident.found_at),
                replace(story, **checked),
            ),
            details,
            by,
        )

    async def count(
        self, *, since: datetime | None, until: datetime | None, connection_id: str | None, by: str
    ) -> IncidentView:
        """Count who may be affected and keep the numbers with the incident.

        Raises:
            NotFoundError: no incident is open.
            JournalUnavailableError: nothing was changed.
        """
        scope, now = Scope(since=since, until=until, connection_id=connection_id), self._clock.now()
        affected = await self._storage.read(lambda tx: self._records.count(tx, scope, now))
        details: dict[str, str | int] = {
            "change": "counted",
            "persons": affected.persons,
            "identifiers": affected.all_identifiers,
            "health": affected.health,
        }
        return await self._change(lambda incident, story: (replace(incident, affected=affected), story), details, by)

    async def mark_sent(self, notice: Notice, *, number: str, sent_at: datetime | None, by: str) -> IncidentView:
        """A notice was sent; its number as Roskomnadzor gave it.

        Raises:
            NotFoundError: no incident is open.
            ConfigurationError: no number (`incident.number_missing`).
            JournalUnavailableError: nothing was changed.
        """
        number, at = " ".join(number.split()), sent_at or self._clock.now()
        if not 0 < len(number) <= MAX_NUMBER_LENGTH or at > self._clock.now():
            raise ConfigurationError(
                "Give the number of the notice as Roskomnadzor shows it, and no time of the future.",
                code="incident.number_missing",
            )
        details: dict[str, str | int] = {"change": "notice_sent", "notice": notice.value}
        return await self._change(
            lambda incident, story: (
                replace(incident, sent={**incident.sent, notice: Sent(at=at, number=number)}),
                story,
            ),
            details,
            by,
        )

    async def close(self, *, reason: str, by: str) -> IncidentView:
        """Close it: both notices are sent, or `reason` says why not. Nothing may be stopped any more.

        Raises:
            NotFoundError: no incident is open.
            ConflictError: something is stopped still (`incident.still_frozen`).
            ConfigurationError: a notice is missing and there is no reason (`incident.notice_missing`).
            JournalUnavailableError: nothing was changed.
        """
        view, now = await self.show(), self._clock.now()
        if view.freezes:
            raise ConflictError(
                "Sending is still stopped.", code="incident.still_frozen", hint="First: leadgate incident unfreeze"
            )
        because = _checked("closed_because", reason)
        if len(view.incident.sent) < len(Notice) and not because:
            raise ConfigurationError(
                "Not every notice is marked as sent.",
                code="incident.notice_missing",
                hint="Enter the numbers with leadgate incident notice, or close with --reason.",
            )
        details: dict[str, str | int] = {"notices": len(view.incident.sent), "reason": int(bool(because))}
        incident_id = view.incident.incident_id

        def unit(tx: Transaction) -> None:
            stored = _known(tx.incidents.lock_open(), None)
            if tx.incidents.freezes():
                raise ConflictError("Sending is still stopped.", code="incident.still_frozen")
            story = replace(self._records.story(tx, stored), closed_because=because)
            incident = replace(stored.incident, closed_at=now, closed_by=by)
            self._records.replace(tx, incident, story)

        async with self._recorded(Tag.INCIDENT_CLOSED, incident_id, by, details):
            await self._storage.write(unit)
        _log.warning("incident.closed", action=by)
        return await self.show(incident_id)

    async def notice_text(self, notice: Notice, incident_id: str | None = None) -> str:
        """The draft of a notice as text to copy. Raises NotFoundError."""
        facts, words = await self._facts(incident_id)
        return words.text(notice, facts)

    async def notice_paper(self, notice: Notice, incident_id: str | None = None) -> bytes:
        """The draft of a notice as PDF. Raises NotFoundError."""
        facts, words = await self._facts(incident_id)
        paper = words.paper(notice, facts)
        return await asyncio.to_thread(print_paper, f"incident_notice_{notice.value}", paper, at=facts.now)

    async def export(self, incident_id: str | None = None, *, by: str) -> bytes:
        """One zip with the journal's extract, connections, who has access, the map and the facts: nothing personal of a client.

        Raises:
            NotFoundError: there is no such incident.
            JournalUnavailableError: nothing is handed out.
        """
        view = await self.show(incident_id)
        await self._journal.record(JournalEntry(tag=Tag.JOURNAL_EXPORTED, by=by, on=view.incident.incident_id))
        return await make_export(self._sources, view, self._clock.now())

    async def _facts(self, incident_id: str | None) -> tuple[NoticeFacts, NoticeWords]:
        view = await self.show(incident_id)
        affected = view.incident.affected
        opened = None if affected is None or affected.connection_id is None else self._book.find(affected.connection_id)
        facts = NoticeFacts(
            incident=view.incident,
            story=view.story,
            salon=self._workspace.name,
            connection=None if opened is None else opened.connection.name,
            frozen_since=min((freeze.frozen_at for freeze in view.freezes), default=None),
            now=self._clock.now(),
        )
        return facts, NoticeWords(self._workspace.locale, ZoneInfo(self._workspace.time_zone))

    async def _wait_until_still(self, connection_ids: Sequence[str]) -> None:
        """Whoever holds a lane may be in the middle of a call: an acknowledged freeze must mean that nothing leaves any more."""
        until_s = self._clock.monotonic_s() + STILL_WITHIN_S
        while self._clock.monotonic_s() < until_s:
            now = self._clock.now()
            held = await self._storage.read(partial(_held, connection_ids=connection_ids, now=now))
            if not held:
                return
            await asyncio.sleep(_STILL_POLL_S)

    async def _change(
        self,
        change: Callable[[Incident, Story], tuple[Incident, Story]],
        details: Mapping[str, str | int],
        by: str,
    ) -> IncidentView:
        incident_id = await self._open_id()

        def unit(tx: Transaction) -> None:
            stored = _known(tx.incidents.lock_open(), None)
            incident, story = change(stored.incident, self._records.story(tx, stored))
            self._records.replace(tx, incident, story)

        async with self._recorded(Tag.INCIDENT_CHANGED, incident_id, by, details):
            await self._storage.write(unit)
        return await self.show(incident_id)

    async def _open_id(self) -> str:
        stored = await self._storage.read(lambda tx: tx.incidents.find_open())
        return _known(stored, None).incident.incident_id

    def _recorded(
        self, tag: Tag, incident_id: str, by: str, details: Mapping[str, str | int], *, is_required: bool = True
    ) -> AbstractAsyncContextManager[None]:
        return recorded(
            self._journal, JournalEntry(tag=tag, by=by, on=incident_id, details=details), is_required=is_required
        )

    def _want_connection(self, connection_id: str | None) -> None:
        if connection_id is not None and self._book.find(connection_id) is None:
            raise NotFoundError(f"There is no connection {connection_id}.", hint="See: leadgate connections list")

    def _view(self, tx: Transaction, stored: StoredIncident, now: datetime) -> IncidentView:
        incident = stored.incident
        freezes = tx.incidents.freezes() if incident.is_open else ()
        names = [freeze.connection_id for freeze in freezes]
        return IncidentView(
            incident=incident,
            story=self._records.story(tx, stored),
            clocks=clocks_of(incident, now=now),
            freezes=freezes,
            waiting=waiting_behind(freezes, tx.alerts.signs(now=now)) if freezes else 0,
            on_their_way=tx.incidents.on_their_way(names, now=now) if names else 0,
            fines=classes_touched(incident.affected),
        )


def _held(tx: Transaction, *, connection_ids: Sequence[str], now: datetime) -> int:
    return tx.incidents.on_their_way(connection_ids, now=now)


def _freeze(incident: Incident, connection_id: str | None, *, at: datetime, by: str) -> Freeze:
    return Freeze(
        connection_id=connection_id or EVERYTHING, incident_id=incident.incident_id, frozen_at=at, frozen_by=by
    )


def _change(change: str, connection_id: str | None) -> dict[str, str | int]:
    return {"change": change, "connection": connection_id or "all"}


def _known(stored: StoredIncident | None, incident_id: str | None) -> StoredIncident:
    if stored is None and incident_id is None:
        raise NotFoundError(
            "No incident is open.", code="incident.none_open", hint="Open one with: leadgate incident open --help"
        )
    if stored is None:
        raise NotFoundError(f"There is no incident {incident_id}.", hint="See: leadgate incident show --all")
    return stored


def _open_already() -> ConflictError:
    return ConflictError(
        "An incident is open already.", code="incident.open_already", hint="See: leadgate incident show"
    )


def _checked(name: str, text: str) -> str:
    text = text.strip()
    if name not in {*STORY_FIELDS, "closed_because"} or len(text) > MAX_STORY_LENGTH:
        raise ConfigurationError(
            f"What is noted of an incident is one of {', '.join(STORY_FIELDS)}, up to {MAX_STORY_LENGTH} characters.",
            code="incident.note_wrong",
        )
    return text
