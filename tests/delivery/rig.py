"""The core on a real database, with targets that answer by script and a clock that a test moves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from leadgate.catalogue.texts import load_texts
from leadgate.crm.identity import Identities, Known
from leadgate.crm.leads import Contact, House, Leads
from leadgate.crm.settlement import LeadSettlement
from leadgate.delivery.payloads import Outbox, chat_lane
from leadgate.delivery.worker import DeliveryWorker
from leadgate.model.deliveries import DeliveryState
from leadgate.model.leads import AddTimelineEntry, Person
from leadgate.model.messages import OutgoingMessage
from leadgate.model.views import DeliveryDetail
from leadgate.ports.stores import StoredDelivery, StoredLead, Transaction
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import CountedIds, FixedClock
from leadgate.testing.databases import open_storage, sqlite_url
from leadgate.testing.scripted_target import ScriptedTarget, ScriptedTargets
from leadgate.testing.storage_suite import BOT, CRM, new_connection
from leadgate.vault.ciphers import new_cipher_keyset
from leadgate.vault.envelope import INDEX, INTAKE, SECRETS, Vault
from leadgate.vault.key_file import FileKeyWrapper

T = TypeVar("T")
HOUSE = House(texts=load_texts("bot", "ru"), time_zone=ZoneInfo("Europe/Moscow"))


@dataclass(slots=True)
class Rig:
    """One node and what it works with."""

    storage: SqlStorage
    clock: FixedClock = field(default_factory=FixedClock)
    ids: CountedIds = field(default_factory=CountedIds)
    targets: ScriptedTargets = field(default_factory=ScriptedTargets)
    vault: Vault = field(init=False)
    outbox: Outbox = field(init=False)
    leads: Leads = field(init=False)
    identities: Identities = field(init=False)
    events: int = 0
    _worker: DeliveryWorker | None = None

    def __post_init__(self) -> None:
        self.vault = Vault(FileKeyWrapper(new_cipher_keyset()), self.clock)
        self.outbox = Outbox(self.vault, self.ids)
        self.identities = Identities(self.vault, self.ids)
        self.leads = Leads(self.identities, self.outbox, self.ids)
        self.targets.add(CRM, BOT)

    @property
    def crm(self) -> ScriptedTarget:
        """The CRM."""
        return self.targets.by_connection[CRM]

    @property
    def bot(self) -> ScriptedTarget:
        """The messenger; it takes one message at a time."""
        return self.targets.by_connection[BOT]

    async def prepare(self) -> None:
        """Keys and two connections."""
        self.bot.size = 1

        def unit(tx: Transaction) -> None:
            for scope in (INTAKE, SECRETS, INDEX):
                self.vault.create_scope(tx, scope)
            tx.connections.add(new_connection(BOT))
            tx.connections.add(new_connection(CRM))

        await self.storage.write(unit)
        await self.storage.read(self.vault.load)

    def worker(self, holder: str = "node-1") -> DeliveryWorker:
        """A worker, as a process has one."""
        settlement = LeadSettlement(self.leads, self._describe, lambda: HOUSE)
        return DeliveryWorker(
            self.storage, self.targets, self.outbox, settlement, clock=self.clock, ids=self.ids, holder=holder
        )

    async def work(self, after: timedelta = timedelta()) -> None:
        """Let time pass, then work until nothing is due."""
        self.clock.move(after)
        self._worker = self._worker or self.worker()
        await self._worker.drain()

    def restart(self) -> None:
        """The next work is that of a new process."""
        self._worker = None

    async def says(self, who: str, words: str, *, phone: str | None = None, crm: str | None = CRM) -> str:
        """A client writes; returns the lead's id."""
        self.events += 1
        event_id = f"evt_{self.events}"
        person = Person(name=who, phone=phone, channel_user_id=who)

        def unit(tx: Transaction) -> str:
            known = self.identities.recognise(tx, person, channel="telegram", at=self.clock.now())
            contact = self.contact(event_id, crm)
            return self.leads.record_words(tx, known, words, contact, HOUSE, at=self.clock.now())

        return await self.storage.write(unit)

    async def reply(self, who: str, text: str) -> str:
        """The bot answers a client; returns the delivery's id."""
        self.events += 1
        message = OutgoingMessage(message_id=f"msg_{self.events}", chat_id=who, text=text)

        def unit(tx: Transaction) -> str:
            known: Known = self.identities.recognise(
                tx, Person(channel_user_id=who), channel="telegram", at=self.clock.now()
            )
            lane = chat_lane(BOT, self.vault.index(tx.workspace_id, "chat", who))
            return self.outbox.enqueue(
                tx,
                message,
                lane=lane,
                connection_id=BOT,
                subject_id=known.subject_id,
                event_id=None,
                at=self.clock.now(),
            )

        return await self.storage.write(unit)

    def contact(self, event_id: str, crm: str | None) -> Contact:
        """Where words came from."""
        return Contact(
            event_id=event_id,
            connection_id=BOT,
            channel="telegram",
            channel_title="Telegram",
            crm_connection_id=crm,
            occurred_at=self.clock.now(),
        )

    async def deliveries(self) -> list[DeliveryDetail]:
        """Every delivery with its attempts, oldest first."""
        page = await self.storage.query(
            lambda q: q.deliveries(limit=500, cursor=None, states=(), connection_id=None, since=None, query=None)
        )
        return [await self.detail(row.delivery_id) for row in reversed(page.items)]

    async def detail(self, delivery_id: str) -> DeliveryDetail:
        """One delivery with its attempts."""
        found = await self.storage.query(lambda q: q.delivery(delivery_id))
        assert found is not None
        return found

    async def states(self) -> list[DeliveryState]:
        """States of all deliveries, oldest first."""
        return [detail.row.state for detail in await self.deliveries()]

    async def stored(self, find: Callable[[Transaction], T]) -> T:
        """Read something."""
        return await self.storage.read(find)

    async def lead(self, lead_id: str) -> StoredLead:
        """One lead."""
        lead = await self.storage.read(lambda tx: tx.leads.find(lead_id))
        assert lead is not None
        return lead

    def _describe(self, tx: Transaction, delivery: StoredDelivery, entry: AddTimelineEntry) -> Contact:
        return self.contact(entry.entry_id, delivery.connection_id)


async def open_rig(folder: Path) -> Rig:
    """A rig on a fresh database of the folder; close its storage."""
    rig = Rig(open_storage(sqlite_url(folder)))
    await rig.prepare()
    return rig


def kinds(payloads: Sequence[object]) -> list[str]:
    """Types of payloads, for reading in a test."""
    return [type(payload).__name__ for payload in payloads]


def all_bytes(folder: Path) -> bytes:
    """Everything that lies in a folder, as a thief would read it."""
    return b"".join(path.read_bytes() for path in folder.iterdir())
