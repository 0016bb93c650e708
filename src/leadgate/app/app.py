"""One running house: storage, vault, connections, intake, workers, desk; built in one place, run by one method."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import tzinfo
from zoneinfo import ZoneInfo

from leadgate import registry
from leadgate.alerts.causes import BACKUP_MADE
from leadgate.app.alarms import make_addresses, make_canary_source, make_watch
from leadgate.app.consents import ConsentDesk
from leadgate.app.custodian_book import open_custodians
from leadgate.app.data_map import DataMapDesk
from leadgate.app.database_check import DatabaseCheck
from leadgate.app.desk import Desk
from leadgate.app.erasing import Erasing
from leadgate.app.erasure_papers import ErasurePapers
from leadgate.app.half_restored import check_whole
from leadgate.app.high_water import HighWater
from leadgate.app.holders import is_dead, own_holder
from leadgate.app.incident_export import ExportSources
from leadgate.app.incidents import IncidentDesk
from leadgate.app.journal_desk import JournalDesk
from leadgate.app.journal_watch import JournalWatch
from leadgate.app.kept_answers import KeptAnswers
from leadgate.app.key_bridge import build_bridge
from leadgate.app.key_follow import open_keys
from leadgate.app.key_keeper import KeyKeeper
from leadgate.app.key_moves import KeyMoves
from leadgate.app.keys import KeyDesk, KeyHouse
from leadgate.app.nightly import NightlyReconciliation
from leadgate.app.person_reader import PersonReader
from leadgate.app.policies import PolicyDesk
from leadgate.app.reachability import Reachability
from leadgate.app.reconciler import Reconciler
from leadgate.app.reopening import Reopening
from leadgate.app.retention import SYSTEM as BY_SYSTEM
from leadgate.app.retention import Retention
from leadgate.app.reveals import Reveals
from leadgate.app.secret_desk import SecretDesk
from leadgate.app.secret_keeper import SecretKeeper
from leadgate.app.subjects import Subjects
from leadgate.app.targets import OpenTargets
from leadgate.app.unread import UnreadEvents
from leadgate.app.watchdog import Watchdog
from leadgate.booking.salon_book import read_salon
from leadgate.catalogue.texts import load_texts
from leadgate.connections.book import ConnectionBook, is_active
from leadgate.connections.connect import ConnectionDesk
from leadgate.connections.rotation import Rotation
from leadgate.connections.vendor_side import VendorSide
from leadgate.crm.consent.gate import may_advertise
from leadgate.crm.fates import STRANGERS_KEPT
from leadgate.crm.identity import Identities
from leadgate.crm.leads import Leads
from leadgate.crm.links import Door
from leadgate.crm.settlement import LeadSettlement
from leadgate.delivery.payloads import Outbox
from leadgate.delivery.worker import DeliveryWorker
from leadgate.dialogue.data_requests import find_request
from leadgate.errors import (
    ConfigurationError,
    JournalUnavailableError,
    LeadgateError,
    OverloadedError,
    StorageUnavailableError,
)
from leadgate.intake.receive import Intake
from leadgate.intake.refusals import Refusals
from leadgate.model.alerts import CANARY_ID
from leadgate.model.erasures import ErasureReason
from leadgate.model.salon import Salon
from leadgate.model.secret import Secret
from leadgate.model.views import ChatMessage
from leadgate.observability import get_logger, metrics
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.integration import Surroundings
from leadgate.ports.journal import Journal
from leadgate.ports.stores import StoredMessage, Transaction, Workspace
from leadgate.privacy.detect.tagger import warm_up
from leadgate.privacy.rules import LiveRules, PrivacyRules, read_rules
from leadgate.processing.chat_settlement import Settlements
from leadgate.processing.chats import open_body
from leadgate.processing.inbox import InboxWorker
from leadgate.processing.source import Source
from leadgate.processing.turn import Turns, describe_contact
from leadgate.rights.chat_requests import ChatRequests
from leadgate.rights.request_desk import RequestDesk
from leadgate.rights.request_part import make_request_part
from leadgate.rights.requests import RequestBook
from leadgate.rights.working_days import load_calendar
from leadgate.settings import Network, Settings
from leadgate.staff.codes import Codes
from leadgate.staff.own_access import OwnAccess
from leadgate.staff.passkeys import Passkeys
from leadgate.staff.people import People
from leadgate.staff.roster import Roster
from leadgate.staff.tokens import ApiTokens
from leadgate.storage.engines import make_engine
from leadgate.storage.journal_file import JournalFile
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.upgrade import upgrade
from leadgate.storage.workspaces import find_workspace
from leadgate.system import SystemClock, SystemIds
from leadgate.vault.custodians import Custodians
from leadgate.vault.envelope import Vault
from leadgate.wire.guard import resolve_once

FOLLOW_INTERVAL_S = 2.0
"""How soon changes made by a command, a page or another node take effect; the contract allows 15 s."""

ERASURES_INTERVAL_S = 5.0
"""How soon it is noted that the CRM answered an order to erase."""

_REFUSALS_INTERVAL_S = 5.0
_GAUGES_INTERVAL_S = 10.0
_TIDY_INTERVAL_S = 24 * 3600.0
_JOURNAL_INTERVAL_S = 5.0
_CHAT_POLL_S = 1.0
_MESSAGES_AT_ONCE = 100
_log = get_logger("app")


class App:
    """Everything behind the web and the commands; see `web.house.House`."""

    def __init__(
        self, settings: Settings, workspace: Workspace, storage: SqlStorage, *, vault: Vault, custodian: Custodians
    ) -> None:
        """Join the parts; use `open_app`."""
        self.settings = settings
        self.workspace = workspace
        self.storage = storage
        self.vault = vault
        self.custodian = custodian
        self.clock: Clock = SystemClock()
        self.ids: IdSource = SystemIds()
        journal = JournalFile(settings.data, self.clock)
        self.journal: Journal = journal
        self.salon = Salon()
        self.consent_texts: Sequence[str] = ()
        self._news = asyncio.Condition()
        self._is_hanging_up = False
        self._holder = holder = own_holder(self.ids.token(6))
        surroundings = Surroundings(clock=self.clock, ids=self.ids)
        self.book = ConnectionBook(storage, vault, self.clock, registry.get)
        self.targets = OpenTargets(self.book, surroundings)
        self.rules = LiveRules()
        outbox = Outbox(vault, self.ids, self.rules, may_advertise=may_advertise)
        identities = Identities(vault, self.ids)
        leads = Leads(identities, outbox, self.ids)
        requests = RequestBook(vault, self.ids, load_calendar(), ZoneInfo(workspace.time_zone))
        self.turns = turns = Turns(
            workspace,
            vault,
            identities=identities,
            leads=leads,
            outbox=outbox,
            ids=self.ids,
            find_source=self.find_source,
            doors=self._doors,
            hear_request=ChatRequests(requests),
        )
        self.reach = turns.reach
        self.consents = ConsentDesk(
            storage,
            vault,
            turns.register,
            turns.texts,
            journal=self.journal,
            clock=self.clock,
            holder=holder,
        )
        settlement = Settlements(
            LeadSettlement(leads, describe_contact(turns, self.find_source), lambda: turns.house),
            turns.chats,
            turns.fates,
            turns.reach,
            self.find_source,
        )
        self.deliveries = DeliveryWorker(
            storage,
            self.targets,
            outbox,
            settlement,
            clock=self.clock,
            ids=self.ids,
            holder=holder,
            is_crowded=lambda: self.intake.is_crowded,
        )
        self.inbox = InboxWorker(
            storage,
            self.turns,
            self.find_source,
            clock=self.clock,
            holder=holder,
            on_done=self._turn_done,
            is_crowded=lambda: self.intake.is_crowded,
            after_turn=lambda tx, event, at: self.reopening.doubt_what_it_brought(tx, event, at=at),
        )
        self.intake = Intake(
            storage,
            vault,
            workspace_id=workspace.workspace_id,
            clock=self.clock,
            ids=self.ids,
            on_event=self.inbox.wake,
        )
        self.refusals = Refusals(storage, self.journal, clock=self.clock)
        self._furnish_staff()
        self.answers = KeptAnswers(storage, clock=self.clock, ids=self.ids)
        self.reconciler = Reconciler(storage, self.targets.find_portal, workspace, clock=self.clock)
        self.high_water = HighWater(storage, settings.data)
        self.nightly = NightlyReconciliation(
            storage, self.reconciler, workspace, high_water=self.high_water, clock=self.clock, holder=holder
        )
        self.reopening = Reopening(storage, self.reconciler, self.high_water, clock=self.clock, holder=holder)
        self.reachability = Reachability(storage, self.book, vault, turns.links, kinds=registry.kinds, clock=self.clock)
        self.desk = Desk(
            storage,
            self.book,
            self.reconciler,
            self.turns,
            self.find_source,
            outbox=outbox,
            journal=self.journal,
            reveals=self.reveals,
            clock=self.clock,
            on_change=self._wake_workers,
        )
        self.connections = ConnectionDesk(
            storage,
            vault,
            self.book,
            self.targets.openers(),
            workspace_id=workspace.workspace_id,
            kinds=registry.kinds(),
            clock=self.clock,
            ids=self.ids,
            public_url=settings.public_url,
            journal=self.journal,
            on_change=self._wake_workers,
            resolve=resolve_once,
        )

        self._furnish_secrets(surroundings)
        self._furnish_rights(requests, outbox, identities)
        self.watchdog = Watchdog(
            storage,
            self.book,
            self.connections,
            public_url=settings.public_url,
            clock=self.clock,
            holder=holder,
        )
        self._canary = make_canary_source(self)
        self.alerts = make_addresses(self, registry.notifier(lambda: self.book.own_hosts))
        self.journal_watch = JournalWatch(
            journal, storage, self.clock, self.alerts.send_checkpoint, outside=settings.journal_outside
        )
        self.journal_desk = JournalDesk(journal, self.journal_watch, storage)
        self.watch = make_watch(self, registry.notifier(lambda: self.book.own_hosts), holder)
        self._furnish_keys()

    def _furnish_secrets(self, surroundings: Surroundings) -> None:
        """The list of secrets, and what replaces them."""
        vendor = VendorSide(surroundings, public_url=self.settings.public_url)
        rotation = Rotation(self.storage, self.vault, self.book, vendor, clock=self.clock, ids=self.ids)
        self.secrets = SecretDesk(self.storage, self.book, rotation, self.journal, clock=self.clock)
        self.secret_keeper = SecretKeeper(
            self.storage, self.book, self.secrets, rotation, vendor, clock=self.clock, holder=self._holder
        )

    def _furnish_staff(self) -> None:
        """Who signs in, and who looks at clients' data."""
        storage, salon = self.storage, self.workspace.name
        codes, passkeys = Codes(self.vault, self.ids), Passkeys(self.ids, salon=salon)
        self.people = People(storage, self.journal, codes, passkeys, clock=self.clock, ids=self.ids)
        self.own_access = OwnAccess(storage, self.journal, codes, passkeys, salon=salon, clock=self.clock)
        self.roster = Roster(
            storage, self.journal, workspace_id=self.workspace.workspace_id, clock=self.clock, ids=self.ids
        )
        self.tokens = ApiTokens(storage, self.journal, clock=self.clock, ids=self.ids)
        self.reveals = Reveals(storage, self.vault, self.journal, clock=self.clock, ids=self.ids)

    def _furnish_rights(self, requests: RequestBook, outbox: Outbox, identities: Identities) -> None:
        """What people may ask about their data, and what the owner decides about it."""
        self.erasing = Erasing(
            self.storage,
            self.vault,
            self.journal,
            outbox,
            unread=UnreadEvents(self.turns, self.book, self.vault, identities),
            book=self.book,
            folder=self.settings.data,
            clock=self.clock,
            ids=self.ids,
            holder=self._holder,
            on_change=self._wake_workers,
        )
        self.erasure_papers = ErasurePapers(self.erasing, self.journal, self.storage, self.workspace, self.clock)
        self.requests = RequestDesk(
            self.storage,
            requests,
            self.journal,
            self.reachability.find_subject,
            identities,
            salon=self.workspace.name,
            locale=self.workspace.locale,
            clock=self.clock,
        )
        self.subjects = Subjects(
            self.storage,
            self.vault,
            PersonReader(self.vault, self.turns, outbox, self.book, self.clock),
            identities=identities,
            outbox=outbox,
            journal=lambda: self.journal,
            find_portal=self.targets.find_portal,
            workspace=self.workspace,
            clock=self.clock,
            on_change=self._wake_workers,
            parts=(make_request_part(requests),),
        )
        self.retention = Retention(
            self.storage, self.journal, self._forget_for_good, clock=self.clock, holder=self._holder
        )
        self.policies = PolicyDesk(self.storage, self.journal, clock=self.clock, on_change=self.read_book)
        self.data_map = DataMapDesk(
            self.storage,
            self.book,
            self.connections.gate,
            self.rules,
            settings=self.settings,
            workspace=self.workspace,
            clock=self.clock,
        )
        self.incidents = IncidentDesk(
            self.storage,
            self.vault,
            self.journal,
            self.book,
            workspace=self.workspace,
            sources=ExportSources(
                storage=self.storage, journal=self.journal, book=self.book, draw_map=self.data_map.draw
            ),
            clock=self.clock,
            ids=self.ids,
            on_change=self._wake_workers,
        )

    def _furnish_keys(self) -> None:
        """The key encryption key and what goes on around it by itself."""
        house = KeyHouse(
            storage=self.storage,
            custodian=self.custodian,
            vault=self.vault,
            journal=self.journal,
            data=self.settings.data,
            passphrase_file=self.settings.key_passphrase_file,
            workspace=self.workspace,
            clock=self.clock,
            holder=self._holder,
        )
        self.keys = KeyDesk(house)
        self.key_moves = KeyMoves(self.keys, house)
        self.key_keeper = KeyKeeper(self.keys, house)

    @property
    def workspace_name(self) -> str:
        """The salon's name."""
        return self.workspace.name

    @property
    def locale(self) -> str:
        """The salon's language."""
        return self.workspace.locale

    @property
    def time_zone(self) -> tzinfo:
        """The salon's zone."""
        return ZoneInfo(self.workspace.time_zone)

    def setup_url(self, token: Secret) -> str:
        """The one-time address at which somebody sets a password."""
        return f"{self.settings.public_url or f'http://{self.settings.listen}'}/setup/{token.reveal()}"

    @property
    def trusted_proxies(self) -> tuple[Network, ...] | None:
        """Whose word about the sender's address is believed."""
        return self.settings.trusted_proxies

    @property
    def public_url(self) -> str | None:
        """Our address as the world sees it."""
        return self.settings.public_url

    def find_source(self, connection_id: str) -> Source | None:
        """Where events of a connection come from; None while it is paused, removed or not known."""
        if connection_id == CANARY_ID:
            return self._canary
        opened = self.book.find(connection_id)
        if opened is None or not is_active(opened.connection):
            return None
        return Source(
            opened=opened,
            integration=self.book.integration(opened.connection.kind),
            crm_connection_id=self.book.crm_connection_id(),
        )

    def _doors(self) -> Iterable[Door]:
        """Where clients can write now."""
        for opened in self.book.all():
            if is_active(opened.connection):
                yield opened, self.book.integration(opened.connection.kind)

    def welcome(self, language: str) -> str:
        """The bot's first words in a widget."""
        return load_texts("bot", language).get("welcome", salon=self.workspace.name)

    async def chat_messages(
        self, connection_id: str, chat_id: str, *, after: int, wait_s: float
    ) -> Sequence[ChatMessage]:
        """Messages of a chat with a greater number; waits up to `wait_s` seconds for the first of them."""
        until_s = self.clock.monotonic_s() + wait_s
        while True:
            found = await self.storage.read(lambda tx: self._read_chat(tx, connection_id, chat_id, after))
            remaining_s = until_s - self.clock.monotonic_s()
            if found or remaining_s <= 0 or self._is_hanging_up:
                return found
            # Another node may have answered, so the database is asked again now and then.
            async with self._news:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), min(remaining_s, _CHAT_POLL_S))

    def hang_up_chats(self) -> None:
        """Let everybody who waits for a message go: the process ends."""
        self._is_hanging_up = True
        self._tell_chats()

    async def follow(self) -> None:
        """Read what commands, pages and other nodes changed; called every two seconds."""
        if await self.book.refresh():
            self._wake_workers()
        if await self.connections.adopt_strays():
            self._wake_workers()
        await self.read_book()
        await self.erasing.forget_keys()
        await self.keys.follow()

    async def read_book(self) -> None:
        """Read the salon's book, what the chat page tells of consent, and the owner's rules of what may leave."""

        def read(tx: Transaction) -> tuple[Salon, PrivacyRules]:
            return read_salon(tx), read_rules(tx)

        self.salon, rules = await self.storage.read(read)
        self.rules.follow(rules, [service.name for service in self.salon.services])
        self.consent_texts = await self.storage.read(self.turns.texts.asked)

    async def run_workers(self, stop: asyncio.Event) -> None:
        """Work through inbox and lanes until `stop`; then finish what is in hand."""
        await self._free_dead_holders()
        with contextlib.suppress(LeadgateError):  # a full disk or an absent database is told elsewhere
            await self.data_map.warn()
        await asyncio.gather(
            asyncio.to_thread(_warm_up),
            self._work_when_open(stop),
            self.nightly.run(stop),
            self.watchdog.run(stop),
            self.secret_keeper.run(stop),
            self.retention.run(stop),
            self.key_keeper.run(stop),
            _every(ERASURES_INTERVAL_S, self.erasing.follow, stop),
            _every(_JOURNAL_INTERVAL_S, self.requests.journal_arrivals, stop),
            _every(FOLLOW_INTERVAL_S, self.consents.write_journal, stop),
            _every(self.settings.alerts.interval.total_seconds(), self.watch.watch, stop),
        )
        with contextlib.suppress(LeadgateError):  # another node looks then when the lease has run out
            await self.watch.leave()

    async def _forget_for_good(self, subject_id: str) -> None:
        """Erase whoever was not heard of for the whole term; the CRM has terms of its own."""
        await self.erasing.erase(subject_id, reason=ErasureReason.PURPOSE_REACHED, by=BY_SYSTEM, spares_crm=True)

    async def _work_when_open(self, stop: asyncio.Event) -> None:
        """A restored house sends nothing before the CRM was asked what happened since the copy."""
        if await self.reopening.wait_until_open(stop):
            await asyncio.gather(self.inbox.run(stop), self.deliveries.run(stop))

    async def _free_dead_holders(self) -> None:
        """After a kill, take over at once what a dead process of this machine held; a shared database is left to time."""
        if not self.storage.is_local:
            return
        try:
            holders = await self.storage.read(lambda tx: tx.lanes.holders())
            dead = [holder for holder in holders if is_dead(holder, self._holder)]
            freed = await self.storage.write(lambda tx: sum(tx.lanes.free(holder) for holder in dead)) if dead else 0
        except OverloadedError as error:
            # The disk is full: the leases run out by themselves, and what can be served is served.
            _log.error("upkeep.failed", error_code=error.code)
            return
        if freed:
            _log.info("lanes.freed", count=freed)

    async def run_upkeep(self, stop: asyncio.Event) -> None:
        """Follow changes, write counters and gauges until `stop`."""
        with contextlib.suppress(StorageUnavailableError):
            await self.connections.adopt_own_network()
        await asyncio.gather(
            DatabaseCheck(self.storage, self.clock).run(stop),
            self.journal_watch.run(stop),
            _every(FOLLOW_INTERVAL_S, self.follow, stop),
            _every(_REFUSALS_INTERVAL_S, self.refusals.write, stop),
            _every(_GAUGES_INTERVAL_S, self._measure, stop),
            _every(_TIDY_INTERVAL_S, self.tidy, stop),
        )
        with contextlib.suppress(StorageUnavailableError, JournalUnavailableError):
            await self.refusals.write(is_last=True)
        with contextlib.suppress(StorageUnavailableError):
            await self.high_water.move_on()

    async def tidy(self) -> None:
        """Drop what nobody can use any more: links that ran out, statuses of messages that are not ours. Every day."""
        now = self.clock.now()

        def unit(tx: Transaction) -> int:
            return tx.fates.forget_strangers(before=now - STRANGERS_KEPT) + tx.invitations.forget_old(before=now)

        await self.storage.write(unit)

    async def settle(self) -> None:
        """Work until nothing is due; for tests and one-off commands."""
        await self.inbox.drain()
        await self.deliveries.drain()
        await self.requests.journal_arrivals()

    async def close(self) -> None:
        """Close every connection to vendors and the database."""
        await self.targets.close()
        try:
            await self.journal.close()
        except JournalUnavailableError as error:
            _log.error("journal.checkpoint_failed", error_code=error.code)
        await asyncio.to_thread(self.storage.close)

    def _turn_done(self) -> None:
        self.deliveries.wake()
        self._tell_chats()

    def _wake_workers(self) -> None:
        self.inbox.wake()
        self.deliveries.wake()

    def _tell_chats(self) -> None:
        task = asyncio.get_running_loop().create_task(self._notify())
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)

    async def _notify(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _read_chat(self, tx: Transaction, connection_id: str, chat_id: str, after: int) -> Sequence[ChatMessage]:
        chat_index = self.vault.index(tx.workspace_id, f"chat:{connection_id}", chat_id)
        conversation = tx.conversations.find(connection_id, chat_index)
        if conversation is None:
            return []
        stored = tx.conversations.messages(conversation.conversation_id, after=after, limit=_MESSAGES_AT_ONCE)
        return [self._open_message(tx, message) for message in stored]

    def _open_message(self, tx: Transaction, message: StoredMessage) -> ChatMessage:
        body = open_body(self.vault, tx, message)
        return ChatMessage(
            number=message.number,
            outgoing=message.outgoing,
            text=body.text,
            buttons=body.buttons,
            at=message.created_at,
        )

    async def _measure(self) -> None:
        pending, waiting, dead = await self.storage.query(lambda q: q.queue_sizes())
        metrics.pending.set(pending)
        metrics.waiting.set(waiting)
        metrics.dead.set(dead)
        await self.high_water.move_on()
        backup = await self.storage.read(lambda tx: tx.alerts.find_note(BACKUP_MADE))
        metrics.backup_made_at.set(0 if backup is None else backup.at.timestamp())


_tasks: set[asyncio.Task[None]] = set()


@contextlib.asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[App]:
    """Open a data directory that `init` made; the schema is brought up to date first.

    Raises:
        ConfigurationError: there is none, or key file and database do not fit.
        ServiceUnavailableError: the database cannot be reached.
    """
    if not settings.data.is_dir():
        raise ConfigurationError(
            f"There is no data directory {settings.data}.", hint="Make one with: leadgate init --data DIR"
        )
    check_whole(settings.data)
    custodian = open_custodians(settings.data, settings.key_passphrase_file, SystemClock())
    engine = make_engine(settings.database_url)
    upgrade(engine)
    workspace = find_workspace(engine)
    check_whole(settings.data)  # a restore that began meanwhile waits for nobody who has the database open
    if workspace is None:
        raise ConfigurationError("The database is empty.", hint="Run: leadgate init")
    storage = SqlStorage(engine, workspace.workspace_id)
    vault = Vault(custodian, SystemClock())
    try:
        await open_keys(custodian, storage, settings.data, now=SystemClock().now())
        await storage.read(vault.load)
        await storage.read(lambda tx: build_bridge(tx, vault, custodian))
        app = App(settings, workspace, storage, vault=vault, custodian=custodian)
        await app.book.refresh(force=True)
        await app.read_book()
    except BaseException:
        storage.close()
        raise
    try:
        yield app
    finally:
        await app.close()


def _warm_up() -> None:
    """Load what reads clients' words, else the first of them would wait for dictionaries and rules."""
    warm_up()
    find_request("Здравствуйте!")


async def _every(interval_s: float, work: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await work()
        except LeadgateError as error:
            _log.error("upkeep.failed", error_code=error.code)
        except Exception:  # noqa: BLE001 -- a loop that serves for months: a fault in an alarm must not end the deliveries
            _log.exception("upkeep.failed")
            metrics.crashes.labels("upkeep").inc()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)
