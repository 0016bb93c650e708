import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from leadgate import registry
from leadgate.errors import OverloadedError, StorageUnavailableError
from leadgate.intake.receive import Intake
from leadgate.integrations.telegram.receive import TelegramReceiver
from leadgate.model.connections import ConnectionState, OpenConnection
from leadgate.model.events import EventState
from leadgate.model.leads import AddTimelineEntry, CreateLead, LeadState, UpdateLead
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import LeadClosed
from leadgate.model.views import EventRow
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook
from leadgate.ports.stores import Lease, NewEvent, StoredEvent, Workspace
from leadgate.processing.inbox import LEASE_TIME, InboxWorker
from leadgate.processing.source import Source
from leadgate.processing.turn import Turns
from leadgate.testing.connections import NOW, open_connection
from leadgate.testing.storage_suite import BOT, CRM
from leadgate.vault.envelope import subject_scope
from tests.delivery.rig import Rig, all_bytes, open_rig

SECRET = "Limon-demo_secret-token"
ALSU = 5900000101
GREETING = 2
"""Messages: the greeting, and the consent behind it."""


@dataclass(slots=True)
class Salon:
    """A salon with a Telegram bot: what clients write comes through the real door."""

    rig: Rig
    turns: Turns
    intake: Intake
    opened: OpenConnection
    crm: str | None = CRM
    is_paused: bool = False
    done: list[None] = field(default_factory=list)
    workers: dict[str, InboxWorker] = field(default_factory=dict)
    updates: "itertools.count[int]" = field(default_factory=lambda: itertools.count(410001))

    def find_source(self, connection_id: str) -> Source | None:
        """The bot, or nothing while it is paused."""
        if connection_id != BOT or self.is_paused:
            return None
        return Source(opened=self.opened, integration=registry.get("telegram"), crm_connection_id=self.crm)

    def inbox(self, holder: str = "node-1") -> InboxWorker:
        """The worker of a process; it keeps its parts, so a second call gives the same one."""
        if holder not in self.workers:
            self.workers[holder] = InboxWorker(
                self.rig.storage,
                self.turns,
                self.find_source,
                clock=self.rig.clock,
                holder=holder,
                on_done=lambda: self.done.append(None),
            )
        return self.workers[holder]

    async def knock(self, message: dict[str, object], *, client: int = ALSU, update_id: int | None = None) -> Receipt:
        """Telegram posts an update."""
        number = next(self.updates) if update_id is None else update_id
        person = {"id": client, "is_bot": False, "first_name": "Алсу", "username": f"demo_{client}"}
        head = {"message_id": number, "from": person, "chat": {"id": client, "type": "private"}, "date": 1782900011}
        body = json.dumps({"update_id": number, "message": head | message}).encode()
        request = RawWebhook("POST", {"x-telegram-bot-api-secret-token": SECRET}, body)
        receiver = registry.get("telegram").receiver
        assert receiver is not None
        return await self.intake.receive(receiver, request, self.opened)

    async def write(self, text: str, *, client: int = ALSU) -> str:
        """A client writes and everything that follows is done; returns the event's id."""
        receipt = await self.knock({"text": text}, client=client)
        await self.settle()
        return receipt.event_id

    async def settle(self) -> None:
        """Work until nothing is due."""
        await self.inbox().drain()
        await self.rig.work()

    async def row(self, event_id: str) -> EventRow:
        """What became of an event."""
        row = await self.rig.storage.query(lambda q: q.event(event_id))
        assert row is not None
        return row

    async def event(self, event_id: str) -> StoredEvent:
        """An event as it lies on disk."""
        event = await self.rig.storage.read(lambda tx: tx.events.find(event_id))
        assert event is not None
        return event

    def replies(self) -> list[str]:
        """What the bot said."""
        said = (p for batch in self.rig.bot.batches for p in batch)
        return [message.text for message in said if isinstance(message, OutgoingMessage)]

    def commands(self, kind: type) -> list[object]:
        """Commands of a kind that the CRM got."""
        return [p for batch in self.rig.crm.batches for p in batch if isinstance(p, kind)]


@pytest.fixture
async def salon(tmp_path: Path) -> AsyncIterator[Salon]:
    """«Лимон» in Kazan."""
    rig = await open_rig(tmp_path)
    workspace = Workspace(workspace_id="ws", name="Лимон", locale="ru", time_zone="Europe/Moscow", created_at=NOW)
    turns = Turns(
        workspace,
        rig.vault,
        identities=rig.identities,
        leads=rig.leads,
        outbox=rig.outbox,
        ids=rig.ids,
        find_source=lambda _: None,
        doors=list,
    )
    intake = Intake(rig.storage, rig.vault, workspace_id="ws", clock=rig.clock, ids=rig.ids, on_event=lambda: None)
    opened = open_connection(
        "telegram", secrets={"bot_token": "7000000001:DEMO-token", "webhook_secret": SECRET}, connection_id=BOT
    )
    yield Salon(rig, turns, intake, opened)
    rig.storage.close()


class TestConversation:
    async def test_from_the_first_word_to_one_lead(self, salon: Salon) -> None:
        """Start, consent, name, phone, wish: one lead that holds it all, one history, and an answer to every message."""
        ends = [
            await salon.write("/start"),
            await salon.write("Даю согласие"),
            await salon.write("Алсу"),
            await salon.write("8 900 000-01-01"),
            await salon.write("Стрижка в субботу утром"),
        ]
        assert [(await salon.row(e)).state for e in ends] == [EventState.ANSWERED] * 2 + [EventState.LEAD] * 3
        (create,) = salon.commands(CreateLead)
        assert isinstance(create, CreateLead)
        assert (create.person.name, create.channel_title, create.origin_id) == ("Алсу", "Telegram", f"{BOT}:{ends[2]}")
        (update,) = salon.commands(UpdateLead)
        assert isinstance(update, UpdateLead)
        assert update.person.phone == "+79000000101"
        entries = [c.text for c in salon.commands(AddTimelineEntry) if isinstance(c, AddTimelineEntry)]
        assert entries == ["Алсу", "8 900 000-01-01", "Стрижка в субботу утром"]
        assert len(salon.replies()) == 6, "the consent is a message of its own behind the greeting"
        assert "Лимон" in salon.replies()[0]
        assert "+7 900 000-01-01" in salon.replies()[5]

    async def test_equal_numbers_of_two_bots_are_two_events(self, salon: Salon) -> None:
        """Each bot counts its updates by itself; taking one for a repeat of the other's would lose a client's words."""
        first = await salon.knock({"text": "Хочу стрижку"}, update_id=7)
        assert (await salon.knock({"text": "Хочу стрижку"}, update_id=7)).duplicate
        salon.opened = open_connection("telegram", secrets={"webhook_secret": SECRET}, connection_id="conn_other")
        other = await salon.knock({"text": "Хочу маникюр"}, update_id=7)
        assert not other.duplicate
        assert other.event_id != first.event_id

    async def test_a_second_request_is_the_same_lead_until_it_is_closed(self, salon: Salon) -> None:
        """One open lead per person; after it is closed a new one."""
        first = await salon.row(await salon.write("Хочу стрижку завтра"))
        second = await salon.row(await salon.write("И маникюр тоже"))
        assert first.lead_id == second.lead_id
        salon.rig.crm.script(LeadClosed())
        third = await salon.write("А можно в пятницу?")
        row = await salon.row(third)
        assert row.lead_id != first.lead_id, "the event moved to the new lead"
        assert len(salon.commands(CreateLead)) == 2
        old = await salon.rig.lead(first.lead_id or "")
        assert old.state is LeadState.CLOSED
        fourth = await salon.row(await salon.write("Спасибо"))
        assert fourth.lead_id == row.lead_id

    async def test_two_clients_are_two_leads(self, salon: Salon) -> None:
        """Nobody's words land in somebody else's history."""
        one = await salon.row(await salon.write("Хочу стрижку завтра"))
        two = await salon.row(await salon.write("Хочу стрижку завтра", client=5900000102))
        assert one.lead_id != two.lead_id

    async def test_a_redelivered_update_changes_nothing(self, salon: Salon) -> None:
        """Telegram repeats what it thinks we did not hear."""
        first = await salon.knock({"text": "Хочу стрижку завтра"}, update_id=7)
        await salon.settle()
        again = await salon.knock({"text": "Хочу стрижку завтра"}, update_id=7)
        await salon.settle()
        assert (again.event_id, again.duplicate) == (first.event_id, True)
        assert len(salon.commands(AddTimelineEntry)) == 1
        assert len(salon.replies()) == GREETING

    async def test_a_shared_contact_is_a_verified_phone(self, salon: Salon) -> None:
        """The button under the question; a friend's card is not the client's number."""
        await salon.write("Хочу стрижку завтра")
        await salon.write("Алсу")
        await salon.knock({"contact": {"phone_number": "79000000202", "first_name": "Лейла", "user_id": 5900000102}})
        await salon.settle()
        assert not salon.commands(UpdateLead)
        await salon.knock({"contact": {"phone_number": "79000000101", "first_name": "Алсу", "user_id": ALSU}})
        await salon.settle()
        (update,) = salon.commands(UpdateLead)
        assert isinstance(update, UpdateLead)
        assert update.person.phone == "+79000000101"

    async def test_what_is_no_conversation_is_ignored_with_a_reason(self, salon: Salon) -> None:
        """Every event has an end, and the ledger adds up."""
        receipt = await salon.knock({"chat": {"id": -100, "type": "group"}, "text": "Всем привет"})
        await salon.settle()
        row = await salon.row(receipt.event_id)
        assert (row.state, row.reason) == (EventState.IGNORED, "group_chat")
        assert not salon.replies()

    async def test_words_wait_for_a_crm_when_there_is_none(self, salon: Salon) -> None:
        """The salon connected its bot first: the leads are there when the CRM comes."""
        salon.crm = None
        row = await salon.row(await salon.write("Хочу стрижку завтра"))
        assert row.state is EventState.LEAD
        assert not salon.rig.crm.batches
        assert len(salon.replies()) == GREETING, "the client is answered all the same"


class TestWholeOrNothing:
    async def test_a_crash_inside_the_unit_leaves_nothing_half_written(
        self, salon: Salon, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not a lead without its reply, nor a reply to an event that is worked on again."""
        whole = salon.rig.outbox.enqueue

        def breaks_at_the_reply(*arguments: object, **named: object) -> str:
            result = whole(*arguments, **named)  # type: ignore[arg-type]  # handed through
            if isinstance(arguments[1], OutgoingMessage):
                raise RuntimeError("the last thing that the unit writes")  # noqa: TRY004 - any error of ours
            return result

        monkeypatch.setattr(salon.rig.outbox, "enqueue", breaks_at_the_reply)
        receipt = await salon.knock({"text": "Хочу стрижку завтра"})
        await salon.inbox().drain()
        assert await salon.rig.deliveries() == []
        assert (await salon.rig.storage.query(lambda q: q.leads(limit=10, cursor=None))).items == []
        monkeypatch.undo()
        assert await salon.rig.storage.write(lambda tx: tx.events.reopen(receipt.event_id))
        await salon.settle()
        assert (await salon.row(receipt.event_id)).state is EventState.LEAD
        assert len(salon.commands(CreateLead)) == 1
        assert len(salon.replies()) == GREETING

    async def test_five_failures_are_the_end_and_others_go_on(
        self, salon: Salon, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An event that breaks our code waits for a human; it does not stop the clients behind it."""
        poison = await salon.knock({"text": "poison"})
        good = await salon.knock({"text": "Хочу стрижку завтра"})
        tries: list[str] = []
        work = Turns.work

        def break_on_poison(turns: Turns, tx: object, event: StoredEvent, *rest: object, **named: object) -> object:
            tries.append(event.event_id)
            if event.event_id == poison.event_id:
                raise ValueError("our own mistake")
            return work(turns, tx, event, *rest, **named)  # type: ignore[arg-type]  # handed through

        monkeypatch.setattr(Turns, "work", break_on_poison)
        await salon.settle()
        failed = await salon.row(poison.event_id)
        assert (failed.state, failed.reason) == (EventState.FAILED, "event.crashed")
        assert tries.count(poison.event_id) == 5
        assert (await salon.row(good.event_id)).state is EventState.LEAD
        monkeypatch.undo()
        assert await salon.rig.storage.write(lambda tx: tx.events.reopen(poison.event_id))
        await salon.settle()
        assert (await salon.row(poison.event_id)).state is EventState.LEAD

    async def test_overload_is_not_the_events_fault(self, salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
        """A minute of too much work must not turn good events into failed ones."""
        receipt = await salon.knock({"text": "Хочу стрижку завтра"})
        write = salon.rig.storage.write
        refused = 0

        async def refuse(unit: object) -> object:
            nonlocal refused
            if getattr(unit, "__qualname__", "").endswith("_work_event.<locals>.unit"):
                refused += 1
                if refused <= 7:
                    raise OverloadedError("too much is waiting")
            return await write(unit)  # type: ignore[arg-type]  # any unit

        monkeypatch.setattr(salon.rig.storage, "write", refuse)
        await salon.settle()
        assert refused == 8
        assert (await salon.row(receipt.event_id)).state is EventState.LEAD
        assert (await salon.event(receipt.event_id)).failures == 0

    async def test_a_worker_that_lost_its_part_changes_nothing(
        self, salon: Salon, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two nodes must not answer one message twice: the one that slept through its lease is fenced off."""
        await salon.knock({"text": "Хочу стрижку завтра"})
        slow, quick = salon.inbox("slow"), salon.inbox("quick")
        work_event = slow._work_event  # noqa: SLF001 - the moment between the look at the inbox and the unit

        async def be_overtaken(event: StoredEvent, lease: Lease | None) -> bool:
            salon.rig.clock.move(LEASE_TIME + timedelta(seconds=1))
            await quick.drain()
            return await work_event(event, lease)

        monkeypatch.setattr(slow, "_work_event", be_overtaken)
        await slow.drain()
        await salon.rig.work()
        assert len(salon.commands(CreateLead)) == 1
        assert len(salon.replies()) == GREETING


class TestPause:
    async def test_events_of_a_paused_connection_wait(self, salon: Salon) -> None:
        """All that arrives is kept, nothing is worked on."""
        storage = salon.rig.storage
        await storage.write(lambda tx: tx.connections.set_state(BOT, ConnectionState.PAUSED, at=NOW))
        salon.is_paused = True
        receipt = await salon.knock({"text": "Хочу стрижку завтра"})
        await salon.settle()
        assert (await salon.row(receipt.event_id)).state is EventState.RECEIVED
        await storage.write(lambda tx: tx.connections.set_state(BOT, ConnectionState.ACTIVE, at=NOW))
        salon.is_paused = False
        await salon.settle()
        assert (await salon.row(receipt.event_id)).state is EventState.LEAD


class TestSealing:
    async def test_the_raw_body_moves_under_the_persons_key(self, salon: Salon) -> None:
        """Destroying one key must take everything of one person with it, the raw webhook included."""
        receipt = await salon.knock({"text": "Хочу стрижку завтра"})
        assert (await salon.event(receipt.event_id)).key_scope == "intake"
        await salon.settle()
        event = await salon.event(receipt.event_id)
        assert event.subject_id is not None
        assert event.key_scope == subject_scope(event.subject_id)
        body = await salon.rig.storage.read(lambda tx: salon.turns.open_body(tx, event))
        assert "Хочу стрижку завтра" in json.loads(body or b"")["message"]["text"]

    async def test_nothing_of_a_client_lies_in_clear_on_the_disk(self, salon: Salon, tmp_path: Path) -> None:
        """A stolen copy of the database file, or of its log, tells no name, phone, word or sender."""
        await salon.write("Хочу стрижку, Гульчачак")
        await salon.write("Гульчачак")
        await salon.write("8 900 000-07-77")
        planted = ["Гульчачак", "+79000000777", "000-07-77", "79000000777", str(ALSU), f"demo_{ALSU}", SECRET]
        content = all_bytes(tmp_path)
        for value in planted:
            for form in (value.encode(), json.dumps(value).strip('"').encode(), value.encode("utf-16-le")):
                assert form not in content, value
        assert (tmp_path / "leadgate.sqlite3-wal").stat().st_size > 100_000, "the log is part of it"
        assert BOT.encode() in content, "the search itself works"


class TestBatches:
    async def test_every_event_of_a_batch_is_kept_by_itself(self, salon: Salon) -> None:
        """One is known already: the batch is taken all the same, and only the new one is kept."""
        parts = tuple(
            VerifiedWebhook(natural_key=str(n), conversation_key=str(n), body=b'{"update_id": %d}' % n) for n in (1, 2)
        )
        receiver = SplitReceiver(parts[:1])
        request = RawWebhook(method="POST", headers={}, body=b"{}")
        first = await salon.intake.receive(receiver, request, salon.opened)
        receiver.parts = parts
        both = await salon.intake.receive(receiver, request, salon.opened)
        assert (first.duplicate, both.duplicate, both.event_id) == (False, False, first.event_id)
        assert (await salon.intake.receive(receiver, request, salon.opened)).duplicate
        kept = await salon.rig.storage.query(lambda q: q.queue_sizes())
        assert kept[0] == 2

    async def test_a_batch_that_is_kept_in_part_is_not_answered_as_kept(
        self, salon: Salon, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The vendor has to send it again; what was kept is known by then."""
        parts = tuple(VerifiedWebhook(natural_key=str(n), conversation_key=None, body=b"{}") for n in (1, 2))
        request = RawWebhook(method="POST", headers={}, body=b"{}")
        true_receive, calls = salon.rig.storage.receive, iter((False, True, False, False))

        def receive(event: NewEvent) -> asyncio.Future[Receipt]:
            if not next(calls):
                return true_receive(event)
            failed: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
            failed.set_exception(StorageUnavailableError("The disk is full."))
            return failed

        monkeypatch.setattr(salon.rig.storage, "receive", receive)
        with pytest.raises(StorageUnavailableError):
            await salon.intake.receive(SplitReceiver(parts), request, salon.opened)
        assert not (await salon.intake.receive(SplitReceiver(parts), request, salon.opened)).duplicate
        assert (await salon.rig.storage.query(lambda q: q.queue_sizes()))[0] == 2


class SplitReceiver(TelegramReceiver):
    """A vendor whose body holds these events."""

    def __init__(self, parts: tuple[VerifiedWebhook, ...]) -> None:
        self.parts = parts

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        return VerifiedWebhook("batch", None, request.body, split=self.parts)
