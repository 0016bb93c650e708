"""A salon with several messengers whose webhooks are normalised events already: every kind of fact, also those no vendor has."""

import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import msgspec

from leadgate.crm.consent.rule import write_rule
from leadgate.crm.links import Door
from leadgate.crm.settlement import LeadSettlement
from leadgate.delivery.worker import DeliveryWorker
from leadgate.intake.receive import Intake
from leadgate.integrations.hello.receive import HelloReceiver
from leadgate.model.connections import OpenConnection
from leadgate.model.consents import ConsentRule
from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.model.events import EventKind, EventState, NormalisedEvent
from leadgate.model.leads import AddTimelineEntry, CreateLead, UpdateLead
from leadgate.model.messages import OutgoingMessage
from leadgate.model.views import DeliveryDetail, EventRow
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook
from leadgate.ports.channel import Channel
from leadgate.ports.integration import Integration, Manifest, Surroundings
from leadgate.ports.stores import StoredConversation, StoredEvent, StoredMessage, Transaction, Workspace
from leadgate.processing.chat_settlement import Settlements
from leadgate.processing.chats import MessageBody, open_body
from leadgate.processing.inbox import InboxWorker
from leadgate.processing.reach import Notice
from leadgate.processing.source import Source
from leadgate.processing.turn import Turns, describe_contact
from leadgate.testing.connections import NOW, open_connection
from leadgate.testing.scripted_target import ScriptedTarget
from leadgate.testing.storage_suite import BOT, CRM, new_connection
from tests.delivery.rig import Rig, open_rig

MAX, VK, SITE = "conn_max", "conn_vk", "conn_site"
KIND_OF = {BOT: "telegram", MAX: "max", VK: "vk", SITE: "site"}
ALSU, ALSU_IN_MAX = "5900000101", "88000101"
REMINDER = Notice(text="Ждём вас завтра в 12:00", template="reminder", parameters=("завтра", "12:00"))


class PlainReceiver(HelloReceiver):
    """Its bodies are normalised events as JSON."""

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        fact = msgspec.json.decode(request.body, type=NormalisedEvent)
        return VerifiedWebhook(fact.event_key, fact.chat_id, request.body)

    def parse(self, webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
        return [msgspec.json.decode(webhook.body, type=NormalisedEvent)]


def no_channel(_connection: OpenConnection, _surroundings: Surroundings) -> Channel:
    """Messages go to scripted targets; that there is a channel is all that is asked."""
    raise NotImplementedError


def integration_of(kind: str) -> Integration:
    """A messenger of this kind; Telegram counts messages in each chat by itself, the site fetches them."""
    return Integration(
        manifest=Manifest(
            kind=kind,
            title=kind,
            title_ru=kind,
            mark="XX",
            fields=(),
            client_pulls=kind == "site",
            message_ids_per_chat=kind == "telegram",
        ),
        receiver=PlainReceiver(),
        open_channel=None if kind == "site" else no_channel,
        start_link=None if kind == "site" else lambda _, token: f"https://{kind}.example/start?with={token}",
    )


@dataclass(slots=True)
class Salon:
    """«Лимон» in Kazan, with Telegram, MAX, VK and the chat of its site."""

    rig: Rig
    opened: dict[str, OpenConnection]
    paused: set[str] = field(default_factory=set)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    turns: Turns = field(init=False)
    intake: Intake = field(init=False)
    inbox: InboxWorker = field(init=False)
    worker: DeliveryWorker = field(init=False)

    def __post_init__(self) -> None:
        rig = self.rig
        workspace = Workspace(workspace_id="ws", name="Лимон", locale="ru", time_zone="Europe/Moscow", created_at=NOW)
        self.turns = turns = Turns(
            workspace,
            rig.vault,
            identities=rig.identities,
            leads=rig.leads,
            outbox=rig.outbox,
            ids=rig.ids,
            find_source=self.find_source,
            doors=self.doors,
        )
        leads = LeadSettlement(rig.leads, describe_contact(turns, self.find_source), lambda: turns.house)
        settlement = Settlements(leads, turns.chats, turns.fates, turns.reach, self.find_source)
        self.worker = DeliveryWorker(
            rig.storage, rig.targets, rig.outbox, settlement, clock=rig.clock, ids=rig.ids, holder="node-1"
        )
        self.inbox = InboxWorker(
            rig.storage, turns, self.find_source, clock=rig.clock, holder="node-1", on_done=lambda: None
        )
        self.intake = Intake(
            rig.storage, rig.vault, workspace_id="ws", clock=rig.clock, ids=rig.ids, on_event=lambda: None
        )

    def find_source(self, connection_id: str) -> Source | None:
        """A messenger, or nothing while it is paused."""
        opened = self.opened.get(connection_id)
        if opened is None or connection_id in self.paused:
            return None
        return Source(opened=opened, integration=integration_of(opened.connection.kind), crm_connection_id=CRM)

    def doors(self) -> Iterable[Door]:
        """Those that are not paused."""
        return [
            (opened, integration_of(opened.connection.kind))
            for connection_id, opened in self.opened.items()
            if connection_id not in self.paused
        ]

    def target(self, connection_id: str = BOT) -> ScriptedTarget:
        """What a messenger got from us."""
        return self.rig.targets.by_connection[connection_id]

    async def hear(self, kind: EventKind, connection_id: str = BOT, *, chat: str = ALSU, **fields: object) -> EventRow:
        """A webhook comes, and everything that follows from it is done; what became of it."""
        event_id = await self.knock(kind, connection_id, chat=chat, **fields)
        await self.settle()
        row = await self.rig.storage.query(lambda q: q.event(event_id))
        assert row is not None
        return row

    async def knock(self, kind: EventKind, connection_id: str = BOT, *, chat: str = ALSU, **fields: object) -> str:
        """A webhook comes and is kept; returns the event's id."""
        base = NormalisedEvent(
            kind=kind,
            event_key=f"key-{next(self.numbers)}",
            sender_id=chat,
            chat_id=chat,
            occurred_at=self.rig.clock.now(),
        )
        fact = replace(base, **fields)  # type: ignore[arg-type]  # fields of the event, by name
        request = RawWebhook(method="POST", headers={}, body=msgspec.json.encode(fact))
        return (await self.intake.receive(PlainReceiver(), request, self.opened[connection_id])).event_id

    async def write(self, text: str, connection_id: str = BOT, *, chat: str = ALSU, **fields: object) -> EventRow:
        """A client writes."""
        number = next(self.numbers)
        return await self.hear(
            EventKind.TEXT, connection_id, chat=chat, **({"text": text, "message_id": f"m{number}"} | fields)
        )

    async def settle(self) -> None:
        """Work until nothing is due."""
        await self.inbox.drain()
        await self.worker.drain()

    async def tell(self, subject_id: str, notice: Notice = REMINDER) -> str | None:
        """The salon writes first; returns the delivery's id."""
        return await self.rig.storage.write(
            lambda tx: self.turns.reach.tell(tx, subject_id, notice, at=self.rig.clock.now())
        )

    async def event(self, event_id: str) -> StoredEvent:
        """An event as it lies on disk."""
        event = await self.rig.storage.read(lambda tx: tx.events.find(event_id))
        assert event is not None
        return event

    async def subject(self, event_id: str) -> str:
        """Whose event it is."""
        subject_id = (await self.event(event_id)).subject_id
        assert subject_id is not None
        return subject_id

    async def chat(self, connection_id: str = BOT, *, chat: str = ALSU) -> StoredConversation:
        """A chat as it lies on disk."""
        found = await self.rig.storage.read(lambda tx: self.turns.chats.find(tx, connection_id, chat))
        assert found is not None
        return found.stored

    async def words(self, connection_id: str = BOT, *, chat: str = ALSU) -> list[MessageBody]:
        """What stands in a chat, oldest first."""
        conversation_id = (await self.chat(connection_id, chat=chat)).conversation_id

        def read(tx: Transaction) -> list[MessageBody]:
            stored: Iterable[StoredMessage] = tx.conversations.messages(conversation_id, after=0, limit=100)
            return [open_body(self.rig.vault, tx, message) for message in stored]

        return await self.rig.storage.read(read)

    def said(self, connection_id: str = BOT) -> list[OutgoingMessage]:
        """What a messenger was given to send, repeats included."""
        payloads = (p for batch in self.target(connection_id).batches for p in batch)
        return [payload for payload in payloads if isinstance(payload, OutgoingMessage)]

    def entries(self) -> list[str]:
        """What the CRM's history says."""
        return [p.text for batch in self.rig.crm.batches for p in batch if isinstance(p, AddTimelineEntry)]

    def leads_made(self) -> int:
        """How many leads the CRM was told to make."""
        return sum(isinstance(p, CreateLead) for batch in self.rig.crm.batches for p in batch)

    def updates(self) -> list[UpdateLead]:
        """News of people that the CRM got."""
        return [p for batch in self.rig.crm.batches for p in batch if isinstance(p, UpdateLead)]

    async def messages(self) -> list[DeliveryDetail]:
        """Deliveries of messages, oldest first."""
        return [detail for detail in await self.rig.deliveries() if detail.row.kind is DeliveryKind.MESSAGE]

    async def states(self) -> list[tuple[str, DeliveryState, str | None]]:
        """Where messages stand: connection, state, error code."""
        return [(d.row.connection_id, d.row.state, d.row.error_code) for d in await self.messages()]


@asynccontextmanager
async def open_salon(folder: Path, rule: ConsentRule | None = None) -> AsyncIterator[Salon]:
    """A salon on a fresh database.

    Unless a rule of consent is given it only informs: one greeting, one message, and what is tested here is what comes after.
    """
    rule = rule or ConsentRule(asks_processing=False)
    rig = await open_rig(folder)
    others = [connection_id for connection_id in KIND_OF if connection_id != BOT]

    def connect(tx: Transaction) -> None:
        for connection_id in others:
            tx.connections.add(replace(new_connection(connection_id), kind=KIND_OF[connection_id]))
        write_rule(tx, rule, by="test", at=NOW)

    await rig.storage.write(connect)
    rig.targets.add(*others)
    for connection_id in KIND_OF:
        rig.targets.by_connection[connection_id].size = 1
    opened = {key: open_connection(kind, connection_id=key) for key, kind in KIND_OF.items()}
    try:
        yield Salon(rig, opened)
    finally:
        rig.storage.close()


IGNORED, LEAD, ANSWERED = EventState.IGNORED, EventState.LEAD, EventState.ANSWERED
