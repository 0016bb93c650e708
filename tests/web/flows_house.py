"""Sample data of the data map and of incident mode for the tests of the pages, hostile names among it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from leadgate.app.data_map_words import MapWords, ToldRecipient
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.incidents.clocks import clocks_of
from leadgate.incidents.fines import classes_touched
from leadgate.incidents.notices import NoticeFacts, NoticeWords
from leadgate.model.incidents import EVERYTHING, Affected, Freeze, Incident, IncidentView, Notice, Sent, Story
from leadgate.model.recipients import DataKind, DataMap, Decision, HostFacts, Place, Recipient, Role, Standing
from leadgate.ports.stores import Workspace
from leadgate.privacy.recipients import facts_of, stand

NOW = datetime(2026, 11, 24, 11, 52, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script>'
WORKSPACE = Workspace(workspace_id="ws", name="Салон «Лимон»", locale="ru", time_zone="Europe/Moscow", created_at=NOW)


def recipient(key: str, role: Role, host: str, *, title: str = "", decision: Decision | None = None) -> Recipient:
    """A row as the desk makes it."""
    facts = facts_of(host) if host else HostFacts(host="", place=Place.HOUSE)
    return Recipient(
        key=key,
        role=role,
        kind=role.value,
        title=title,
        host=host,
        place=facts.place,
        country=facts.country,
        standing=stand(role, facts, decision),
        goes=(DataKind.NAME, DataKind.PHONE, DataKind.WORDS),
        comes=(DataKind.WORDS,),
        labels=("PERSON", "PHONE"),
        since=NOW - timedelta(days=30),
        is_paused=False,
        facts=facts,
        decision=decision,
    )


@dataclass
class MemoryMaps:
    """See `web.house.DataMaps`."""

    acts: list[tuple[str, str]] = field(default_factory=list)
    rows: list[Recipient] = field(
        default_factory=lambda: [
            recipient("conn_9", Role.CRM, "crm.example", title=HOSTILE),
            recipient("conn_1", Role.CRM, "salon.bitrix24.ru", title="Битрикс24"),
            recipient("conn_2", Role.CHANNEL, "api.telegram.org", title="Telegram"),
            recipient("database", Role.DATABASE, "localhost"),
        ]
    )

    async def draw(self) -> DataMap:
        return DataMap(made_at=NOW, recipients=self.rows)

    def tell(self, drawn: DataMap, *, locale: str) -> Sequence[ToldRecipient]:
        words = MapWords(WORKSPACE, locale)
        return [words.tell(row) for row in drawn.recipients]

    async def decide(
        self, host: str, *, is_allowed: bool, country: str, reason: str, rkn_notice: str, by: str
    ) -> Sequence[Recipient]:
        if not reason:
            raise ConfigurationError("No reason.", code="recipient.reason_missing")
        self.acts.append((host, "allow" if is_allowed else "refuse"))
        decision = Decision(
            is_allowed=is_allowed, country=country, reason=reason, rkn_notice=rkn_notice, decided_by=by, decided_at=NOW
        )
        self.rows = [
            replace(row, decision=decision, standing=Standing.ALLOWED) if row.host == host else row for row in self.rows
        ]
        return [row for row in self.rows if row.host == host]

    async def paper(self) -> bytes:
        return b"%PDF-1.7"


@dataclass
class MemoryIncidents:
    """See `web.house.Incidents`."""

    view: IncidentView | None = None
    past: list[Incident] = field(default_factory=list)
    acts: list[tuple[str, str]] = field(default_factory=list)

    def opened(self, hours_ago: float = 20, *, is_frozen: bool = True) -> None:
        """An incident as it stands some hours after it was found, counted, its words a hostile text."""
        found = NOW - timedelta(hours=hours_ago)
        affected = Affected(
            counted_at=NOW,
            since=None,
            until=None,
            connection_id=None,
            persons=1284,
            identifiers={"phone": 1100, "channel_id": 1200},
            messages=9000,
            looked_at=2000,
            health=12,
        )
        incident = Incident(
            incident_id="inc_1",
            is_drill=True,
            found_at=found,
            opened_at=found,
            opened_by="staff_owner",
            affected=affected,
        )
        freeze = Freeze(connection_id=EVERYTHING, incident_id="inc_1", frozen_at=found, frozen_by="staff_owner")
        self.view = IncidentView(
            incident=incident,
            story=Story(what=HOSTILE),
            clocks=clocks_of(incident, now=NOW),
            freezes=[freeze] if is_frozen else [],
            waiting=7,
            on_their_way=0,
            fines=classes_touched(affected),
        )

    async def show(self, incident_id: str | None = None) -> IncidentView:
        if self.view is None:
            raise NotFoundError("No incident is open.", code="incident.none_open")
        return self.view

    async def all(self, *, limit: int) -> Sequence[Incident]:
        return self.past[:limit]

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
        if self.view is not None:
            raise ConflictError("Open already.", code="incident.open_already")
        if found_at is not None and found_at > NOW:
            raise ConfigurationError("In the future.", code="incident.time_wrong")
        self.acts.append(("drill" if is_drill else "open", by))
        self.opened(0, is_frozen=freeze)
        return await self.show()

    async def freeze(self, *, connection_id: str | None = None, by: str) -> IncidentView:
        self.acts.append(("freeze", by))
        return await self.show()

    async def unfreeze(self, *, connection_id: str | None = None, by: str) -> IncidentView:
        view = await self.show()
        self.acts.append(("unfreeze", by))
        self.view = replace(view, freezes=[])
        return self.view

    async def note(self, words: Mapping[str, str], *, found_at: datetime | None = None, by: str) -> IncidentView:
        view = await self.show()
        self.acts.append(("note", ",".join(words)))
        return view

    async def count(
        self, *, since: datetime | None, until: datetime | None, connection_id: str | None, by: str
    ) -> IncidentView:
        view = await self.show()
        self.acts.append(("count", "" if until is None else until.isoformat()))
        return view

    async def mark_sent(self, notice: Notice, *, number: str, sent_at: datetime | None, by: str) -> IncidentView:
        view = await self.show()
        if not number:
            raise ConfigurationError("No number.", code="incident.number_missing")
        incident = replace(view.incident, sent={**view.incident.sent, notice: Sent(at=NOW, number=number)})
        self.view = replace(view, incident=incident, clocks=clocks_of(incident, now=NOW))
        return self.view

    async def close(self, *, reason: str, by: str) -> IncidentView:
        view = await self.show()
        if view.freezes:
            raise ConflictError("Frozen.", code="incident.still_frozen")
        if not reason:
            raise ConfigurationError("No notice.", code="incident.notice_missing")
        self.acts.append(("close", by))
        closed = replace(view.incident, closed_at=NOW, closed_by=by)
        self.past.append(closed)
        self.view = None
        return replace(view, incident=closed)

    async def notice_text(self, notice: Notice, incident_id: str | None = None) -> str:
        view = await self.show(incident_id)
        facts = NoticeFacts(
            incident=view.incident, story=view.story, salon=WORKSPACE.name, connection=None, frozen_since=None, now=NOW
        )
        return NoticeWords("ru", ZoneInfo("Europe/Moscow")).text(notice, facts)

    async def notice_paper(self, notice: Notice, incident_id: str | None = None) -> bytes:
        await self.show(incident_id)
        return b"%PDF-1.7"

    async def export(self, incident_id: str | None = None, *, by: str) -> bytes:
        await self.show(incident_id)
        self.acts.append(("export", by))
        return b"PK"
