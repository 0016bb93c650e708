"""The canary: once a day an event of our own walks the way that clients' events walk, and the CRM is asked whether it knows us.

The event is received, committed, sealed, claimed, opened and parsed like any other, and ends as `ignored` with the reason `canary`:
nothing of it reaches a client or the CRM, and it counts in none of the owner's numbers. Asking the CRM finds a webhook that was
revoked on a quiet evening before the first lead of the morning does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from leadgate.alerts.causes import NEEDS_PERSON
from leadgate.catalogue.meanings import meaning_of
from leadgate.errors import LeadgateError, OverloadedError, StorageUnavailableError
from leadgate.model.alerts import CANARY_ID, CANARY_KIND, Cause, Note, Signs, Trouble
from leadgate.model.connections import Connection, ConnectionState, OpenConnection
from leadgate.model.events import EventKind, EventState, NormalisedEvent
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook, WebhookAnswer
from leadgate.observability import get_logger
from leadgate.ports.integration import Integration, Manifest
from leadgate.ports.stores import Storage, Transaction

SENT = "canary"
"""Topic of the note with the time and the event of the last canary."""

CRM_FAILING = "canary_crm"
"""Topic of the note that says since when the CRM does not know us, and its code."""

LATE = "canary_late"
"""Topic of the note that says since when canaries do not come through; it outlives the next canary."""

EVERY = timedelta(days=1)
LATE_AFTER = timedelta(minutes=10)
ASK_AGAIN_AFTER = timedelta(minutes=5)
REASON = "canary"
_log = get_logger("alerts")

SendCanary = Callable[[RawWebhook], Awaitable[str]]
"""Receives a canary through the intake; gives the event's id. Raises OverloadedError."""


@dataclass(frozen=True, slots=True)
class CrmAnswer:
    """What the CRM said: whose answer it is, and the code of the gravest finding that fails, or None."""

    connection_id: str
    who: str
    error_code: str | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """The newest canary, whether it came through, and what is known to fail."""

    sent: Note | None
    is_through: bool
    late: Note | None
    failing: Note | None


AskCrm = Callable[[], Awaitable[CrmAnswer | None]]
"""Asks the CRM that leads go to; None when there is none or it is paused."""


class CanaryReceiver:
    """Reads canaries. No address leads here: the event is made by this process, so there is nobody to mistrust."""

    def handshake(self, request: RawWebhook, connection: OpenConnection) -> WebhookAnswer | None:
        """Nobody asks."""
        _ = request, connection
        return None

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        """The body, which holds the time, names the event."""
        _ = connection, now
        return VerifiedWebhook(natural_key=request.body.decode(), conversation_key=None, body=request.body)

    def parse(self, webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
        """One fact that asks for nothing."""
        _ = connection
        return [NormalisedEvent(kind=EventKind.IGNORED, event_key=webhook.body.decode(), reason=REASON)]

    def accepted(self, receipt: Receipt) -> WebhookAnswer:
        """Nobody waits for it."""
        _ = receipt
        return WebhookAnswer(204)


CANARY = Integration(
    manifest=Manifest(kind=CANARY_KIND, title="Canary", title_ru="Канарейка", mark="CA", fields=()),
    receiver=CanaryReceiver(),
)


def canary_connection(workspace_id: str, at: datetime) -> OpenConnection:
    """The connection that canaries come from; it is in no list."""
    return OpenConnection(
        Connection(
            workspace_id=workspace_id,
            connection_id=CANARY_ID,
            kind=CANARY_KIND,
            name=CANARY_ID,
            settings={},
            state=ConnectionState.ACTIVE,
            created_at=at,
        ),
        {},
    )


class CanaryWalk:
    """A sense of `AlertWatch`. The first canary starts a day after the first look."""

    def __init__(
        self, storage: Storage, send: SendCanary, ask_crm: AskCrm, *, workspace_id: str, down_after: timedelta
    ) -> None:
        """A CRM that cannot be reached is a trouble after `down_after`."""
        self._storage = storage
        self._send = send
        self._ask_crm = ask_crm
        self._workspace_id = workspace_id
        self._down_after = down_after
        self._ask_at: datetime | None = None

    async def look(self, signs: Signs, *, now: datetime) -> Sequence[Trouble]:
        """Send a canary when it is time; tell of one that is late, and of a CRM that does not know us."""
        _ = signs
        seen = await self._storage.read(self._read)
        if seen.sent is None:
            await self._storage.write(lambda tx: tx.alerts.note(Note(topic=SENT, subject="", at=now, detail="")))
            return []
        late = await self._judge_canary(seen, now)
        if now - seen.sent.at >= EVERY:
            await self._start_one(now)
            return late
        if self._ask_at is None and seen.failing is not None:
            self._ask_at = now  # a restart forgets when to ask, not that there is something to ask
        return [*await self._look_at_crm(seen.failing, now), *late]

    def _read(self, tx: Transaction) -> _Seen:
        sent = tx.alerts.find_note(SENT)
        event = tx.events.find(sent.detail) if sent is not None and sent.detail else None
        is_through = event is not None and event.state is EventState.IGNORED
        return _Seen(sent, is_through, tx.alerts.find_note(LATE), tx.alerts.find_note(CRM_FAILING))

    async def _judge_canary(self, seen: _Seen, now: datetime) -> list[Trouble]:
        """Late until one comes through, also when the next one is on its way already."""
        if seen.sent is None or not seen.sent.detail:
            return []
        if seen.is_through:
            if seen.late is not None:
                await self._storage.write(lambda tx: tx.alerts.drop_note(LATE))
            return []
        late = seen.late
        if late is None and now - seen.sent.at >= LATE_AFTER:
            late = Note(topic=LATE, subject="", at=seen.sent.at, detail="")
            await self._storage.write(partial(_keep, note=late))
        return [] if late is None else [Trouble(cause=Cause.CANARY, since=late.at)]

    async def _start_one(self, now: datetime) -> None:
        """The intake may be crowded just now: then at the next look."""
        try:
            event_id = await self._start(now)
        except StorageUnavailableError:
            raise
        except OverloadedError as error:
            _log.warning("canary.not_started", error_code=error.code)
            return
        _log.info("canary.started", event_id=event_id)
        self._ask_at = now

    async def _start(self, now: datetime) -> str:
        connection = canary_connection(self._workspace_id, now).connection

        def prepare(tx: Transaction) -> None:
            if tx.connections.find(CANARY_ID) is None:
                tx.connections.add(connection)

        await self._storage.write(prepare)
        event_id = await self._send(RawWebhook("POST", {}, now.isoformat().encode()))
        await self._storage.write(lambda tx: tx.alerts.note(Note(topic=SENT, subject="", at=now, detail=event_id)))
        return event_id

    async def _look_at_crm(self, failing: Note | None, now: datetime) -> list[Trouble]:
        if self._ask_at is None or now < self._ask_at:
            return [] if failing is None else self._judge(failing, now)
        try:
            answer = await self._ask_crm()
        except LeadgateError as error:
            _log.warning("canary.crm_not_asked", error_code=error.code)
            self._ask_at = now + ASK_AGAIN_AFTER  # no answer is no news: what was known of it stays
            return [] if failing is None else self._judge(failing, now)
        if answer is None or answer.error_code is None or not _matters(answer.error_code):
            self._ask_at = None
            if failing is not None:
                await self._storage.write(lambda tx: tx.alerts.drop_note(CRM_FAILING))
            return []
        self._ask_at = now + ASK_AGAIN_AFTER
        detail = f"{answer.connection_id} {answer.error_code} {answer.who}"
        since = now if failing is None else failing.at
        kept = Note(topic=CRM_FAILING, subject="", at=since, detail=detail)
        await self._storage.write(lambda tx: tx.alerts.note(kept))
        return self._judge(kept, now)

    def _judge(self, failing: Note, now: datetime) -> list[Trouble]:
        connection_id, code, who = failing.detail.split(" ", 2)
        needs_person = meaning_of(code) in NEEDS_PERSON
        if not needs_person and now - failing.at < self._down_after:
            return []
        return [
            Trouble(
                cause=Cause.CONNECTION,
                subject=connection_id,
                who=who,
                detail=code,
                since=failing.at,
                needs_person=needs_person,
            )
        ]


def _keep(tx: Transaction, *, note: Note) -> None:
    tx.alerts.note(note)


def _matters(code: str) -> bool:
    """Other findings belong to the check of the connection, not to an alarm."""
    return meaning_of(code) in NEEDS_PERSON | {"unreachable"}
