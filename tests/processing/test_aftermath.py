"""What comes after words were said."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.delivery.worker import LEASE_TIME
from leadgate.model.deliveries import DeliveryState, MessageFate
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.leads import LeadState
from leadgate.model.outcomes import Delivered, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.ports.stores import Transaction
from leadgate.testing.storage_suite import BOT
from tests.delivery.rig import all_bytes
from tests.processing.messengers import ALSU, ALSU_IN_MAX, ANSWERED, IGNORED, LEAD, MAX, Salon, open_salon

DOWN = RetryLater(code="telegram.server_error", scope=Scope.TARGET)
BLOCKED_US = Refused("telegram.blocked", unreachable=True)


@pytest.fixture
async def salon(tmp_path: Path) -> AsyncIterator[Salon]:
    """«Лимон»."""
    async with open_salon(tmp_path) as opened:
        yield opened


async def fate(salon: Salon, delivery_id: str) -> MessageFate | None:
    """What a page would show of the fate of a message."""
    return (await salon.rig.detail(delivery_id)).fate


async def facts_of(salon: Salon, event_id: str) -> list[NormalisedEvent]:
    """What `events show` and the event's page tell of it."""

    def read(tx: Transaction) -> list[NormalisedEvent]:
        event = tx.events.find(event_id)
        source = salon.find_source(BOT)
        assert event is not None
        assert source is not None
        return salon.turns.read_facts(salon.turns.open_body(tx, event), source)

    return await salon.rig.storage.read(read)


async def ask(salon: Salon, vendor_id: str = "77") -> str:
    """The client asks, the bot answers under this id of the vendor; returns the delivery's id."""
    salon.target().script(Delivered(vendor_id))
    await salon.write("Хочу стрижку завтра")
    return (await salon.messages())[-1].row.delivery_id


class TestStatuses:
    async def test_a_fate_goes_forward_and_never_back(self, salon: Salon) -> None:
        """Vendors send statuses in any order; what was read once stays read."""
        delivery_id = await ask(salon)
        seen = []
        for status in ("sent", "delivered", "failed", "read", "delivered"):
            row = await salon.hear(EventKind.STATUS, message_id="77", status=status)
            assert (row.state, row.reason) == (IGNORED, "event.status")
            found = await fate(salon, delivery_id)
            assert found is not None
            seen.append(found.status)
        assert seen == ["sent", "delivered", "delivered", "read", "read"]

    async def test_a_failure_keeps_its_code_until_it_turns_out_well(self, salon: Salon) -> None:
        """The page says why; a message that arrived after all has no reason any more."""
        delivery_id = await ask(salon)
        await salon.hear(EventKind.STATUS, message_id="77", status="failed", error_code="131026")
        found = await fate(salon, delivery_id)
        assert found is not None
        assert (found.status, found.error_code) == ("failed", "131026")
        await salon.hear(EventKind.STATUS, message_id="77", status="delivered")
        found = await fate(salon, delivery_id)
        assert found is not None
        assert (found.status, found.error_code) == ("delivered", None)

    async def test_a_status_that_is_quicker_than_the_answer_is_kept(self, salon: Salon) -> None:
        """The vendor's webhook may overtake the answer to our own call."""
        await salon.hear(EventKind.STATUS, message_id="77", status="read")
        found = await fate(salon, await ask(salon))
        assert found is not None
        assert found.status == "read"

    async def test_equal_numbers_of_two_chats_are_two_messages(self, salon: Salon) -> None:
        """Telegram counts messages in each chat by itself: another client's 77 says nothing about this one."""
        delivery_id = await ask(salon)
        await salon.hear(EventKind.STATUS, chat="5900000102", message_id="77", status="read")
        found = await fate(salon, delivery_id)
        assert found is not None
        assert found.status == "sent"

    async def test_the_ids_of_vendors_do_not_lie_in_clear(self, salon: Salon, tmp_path: Path) -> None:
        """Some of them contain the client's phone."""
        vendor_id = "wamid.79000000101"
        await salon.hear(EventKind.STATUS, message_id="wamid.79000000102", status="read")
        await fate(salon, await ask(salon, vendor_id))
        content = all_bytes(tmp_path)
        assert b"message_fates" in content
        assert b"wamid" not in content


class TestUnreachable:
    async def test_a_failure_that_says_so_closes_the_chat(self, salon: Salon) -> None:
        """Some vendors take a message first and tell afterwards that the client blocked the salon: sending stops there too."""
        await ask(salon)
        await salon.hear(EventKind.STATUS, message_id="77", status="failed", error_code="131026", is_unreachable=True)
        assert (await salon.chat()).unreachable_since is not None
        await salon.write("Я снова тут")
        assert (await salon.chat()).unreachable_since is None

    async def test_a_late_failure_of_an_older_message_does_not(self, salon: Salon) -> None:
        """Who has written since can be reached."""
        await ask(salon)
        salon.rig.clock.move(timedelta(minutes=1))
        await salon.write("Вы тут?")
        await salon.hear(EventKind.STATUS, message_id="77", status="failed", error_code="131026", is_unreachable=True)
        assert (await salon.chat()).unreachable_since is None

    async def test_any_other_failure_leaves_it_open(self, salon: Salon) -> None:
        """For instance a limit of the vendor."""
        await ask(salon)
        await salon.hear(EventKind.STATUS, message_id="77", status="failed", error_code="131049")
        assert (await salon.chat()).unreachable_since is None


class TestLostAnswers:
    """Some vendors bring our own id of a message back in its statuses."""

    async def doubtful(self, salon: Salon) -> tuple[str, str]:
        """A message whose answer was lost: ids of the delivery and of the message."""
        salon.target().script(OutcomeUnknown("whatsapp.no_answer"))
        await salon.write("Хочу стрижку завтра")
        delivery_id = (await salon.messages())[-1].row.delivery_id
        assert (await salon.states())[-1][1] is DeliveryState.UNCERTAIN
        return delivery_id, salon.said()[-1].message_id

    async def test_a_status_settles_what_was_uncertain(self, salon: Salon) -> None:
        """Nobody has to look into the chat: the vendor speaks of the message, so it took it."""
        delivery_id, message_id = await self.doubtful(salon)
        await salon.hear(EventKind.STATUS, message_id="77", status="delivered", our_message_id=message_id)
        assert (await salon.states())[-1][1] is DeliveryState.DONE
        found = await fate(salon, delivery_id)
        assert found is not None
        assert found.status == "delivered"

    async def test_a_status_that_comes_while_we_still_wait_for_the_answer_settles_it_too(self, salon: Salon) -> None:
        """Its webhook is worked on before the call has run out of time."""
        await salon.write("/start")

        async def status_comes() -> None:
            message_id = salon.said()[-1].message_id
            await salon.knock(EventKind.STATUS, message_id="77", status="sent", our_message_id=message_id)
            await salon.inbox.drain()

        salon.target().while_sending = status_comes
        salon.target().script(OutcomeUnknown("whatsapp.no_answer"))
        await salon.write("Хочу стрижку завтра")
        assert (await salon.states())[-1][1] is DeliveryState.DONE

    async def test_a_status_that_came_before_the_sender_died_settles_it(self, salon: Salon) -> None:
        """The process ends in the middle of the call: whoever takes over finds the vendor's word of it already here."""
        await salon.write("/start")

        async def status_comes_and_all_ends() -> None:
            message_id = salon.said()[-1].message_id
            await salon.knock(EventKind.STATUS, message_id="77", status="sent", our_message_id=message_id)
            await salon.inbox.drain()
            raise ConnectionAbortedError

        salon.target().while_sending = status_comes_and_all_ends
        await salon.write("Хочу стрижку завтра")
        assert (await salon.states())[-1][1] is DeliveryState.SENDING
        salon.target().while_sending = None
        salon.rig.clock.move(LEASE_TIME + timedelta(seconds=1))
        await salon.settle()
        assert (await salon.states())[-1][1] is DeliveryState.DONE

    async def test_a_failure_of_what_was_uncertain_is_seen_and_carried_on(self, salon: Salon) -> None:
        """It was taken and could not be brought, as with any other message."""
        delivery_id, message_id = await self.doubtful(salon)
        await salon.hear(
            EventKind.STATUS, message_id="77", status="failed", error_code="131026", our_message_id=message_id
        )
        found = await fate(salon, delivery_id)
        assert found is not None
        assert (found.status, found.error_code) == ("failed", "131026")

    @pytest.mark.parametrize("chat", [ALSU, "5900000102"])
    async def test_the_id_of_another_message_settles_nothing(self, salon: Salon, chat: str) -> None:
        """Other programs at the same account write there what they like, and a status is of its own chat."""
        _, message_id = await self.doubtful(salon)
        ours = "order-5" if chat == ALSU else message_id
        await salon.hear(EventKind.STATUS, chat=chat, message_id="77", status="delivered", our_message_id=ours)
        assert (await salon.states())[-1][1] is DeliveryState.UNCERTAIN


class TestEdits:
    async def test_an_edit_is_a_new_entry_and_is_not_answered(self, salon: Salon) -> None:
        """What was agreed on does not change quietly: the administrator sees both."""
        first = await salon.write("Хочу стрижку завтра", message_id="5")
        row = await salon.hear(EventKind.EDITED, message_id="5", text="Хочу стрижку в среду")
        assert (row.state, row.lead_id) == (LEAD, first.lead_id)
        assert salon.entries() == ["Хочу стрижку завтра", "[сообщение исправлено] Хочу стрижку в среду"]
        assert len(salon.said()) == 1
        assert (await salon.words())[-1].text == "[сообщение исправлено] Хочу стрижку в среду"

    async def test_an_edit_opens_no_lead(self, salon: Salon) -> None:
        """Correcting a comma in an old message is no new request."""
        row = await salon.write("Хочу стрижку завтра", message_id="5")
        lead_id, now = row.lead_id or "", salon.rig.clock.now()
        await salon.rig.storage.write(lambda tx: tx.leads.settle(lead_id, state=LeadState.CLOSED, ref=None, at=now))
        row = await salon.hear(EventKind.EDITED, message_id="5", text="Хочу стрижку, завтра")
        assert (row.state, row.reason) == (IGNORED, "event.edited")
        assert (salon.leads_made(), len(salon.entries())) == (1, 1)
        assert (await salon.words())[-1].text.endswith("Хочу стрижку, завтра"), "the chat shows it all the same"

    async def test_an_edit_of_a_stranger_is_ignored(self, salon: Salon) -> None:
        """Without a chat there is nothing to correct."""
        row = await salon.hear(EventKind.EDITED, message_id="5", text="Хочу стрижку")
        assert (row.state, row.reason) == (IGNORED, "event.edited")
        assert not salon.said()


class TestDeletions:
    async def test_deleted_words_are_gone_with_all_their_edits(self, salon: Salon) -> None:
        """Whoever takes words back means all of them: the chat, the raw webhooks, what `events show` tells."""
        first = await salon.write("Мой адрес: Баумана, 1", message_id="5")
        one = await salon.hear(EventKind.EDITED, message_id="5", text="Мой адрес: Баумана, 2")
        two = await salon.hear(EventKind.EDITED, message_id="5", text="Мой адрес: Баумана, 3")
        row = await salon.hear(EventKind.DELETED, message_id="5")
        assert (row.state, row.lead_id) == (LEAD, first.lead_id)
        assert salon.entries()[-1] == "[клиент удалил одно из своих сообщений]"
        bodies = await salon.words()
        assert [body.gone for body in bodies] == [True, False, True, True]
        assert not any("Баумана" in body.text for body in bodies)
        for told in (first, one, two):
            assert await facts_of(salon, told.event_id) == []
            assert (await salon.event(told.event_id)).sealed_body is None

    async def test_what_waits_for_the_crm_goes_without_the_words(self, salon: Salon) -> None:
        """The CRM is down: what the client took back meanwhile never reaches it, and the lead does."""
        salon.rig.crm.script(*[DOWN] * 2)
        await salon.write("Мой адрес: Баумана, 1", message_id="5")
        await salon.hear(EventKind.DELETED, message_id="5")
        salon.rig.crm.batches.clear()
        await salon.rig.work(timedelta(minutes=1))
        await salon.settle()
        assert salon.leads_made() == 1
        assert salon.entries() == ["[клиент удалил одно из своих сообщений]"] * 2
        assert "Баумана" not in repr(salon.rig.crm.batches)

    async def test_what_went_to_the_crm_is_kept_without_the_words(self, salon: Salon) -> None:
        """The copy of the request that lies here is no archive of deleted words."""
        await salon.write("Мой адрес: Баумана, 1", message_id="5")
        await salon.hear(EventKind.DELETED, message_id="5")

        def read(tx: Transaction) -> str:
            ids = [detail.delivery_id for detail in every]
            found = [tx.deliveries.find(delivery_id) for delivery_id in ids]
            return repr([salon.rig.outbox.open(tx, delivery) for delivery in found if delivery is not None])

        every = [detail.row for detail in await salon.rig.deliveries()]
        assert "Баумана" not in await salon.rig.storage.read(read)

    async def test_other_words_stay(self, salon: Salon) -> None:
        """One message is taken back, not the conversation."""
        await salon.write("Хочу стрижку завтра", message_id="5")
        await salon.write("Алсу", message_id="6")
        await salon.hear(EventKind.DELETED, message_id="6")
        assert (await salon.words())[0].text == "Хочу стрижку завтра"

    async def test_a_second_deletion_says_nothing_new(self, salon: Salon) -> None:
        """Vendors repeat themselves; the CRM is told once."""
        await salon.write("Хочу стрижку завтра", message_id="5")
        await salon.hear(EventKind.DELETED, message_id="5")
        row = await salon.hear(EventKind.DELETED, message_id="5")
        assert (row.state, row.reason) == (IGNORED, "event.deleted")
        assert len(salon.entries()) == 2

    async def test_what_overtook_its_deletion_is_gone_too(self, salon: Salon) -> None:
        """A deletion that comes before the message, or before an edit of it, holds."""
        await salon.hear(EventKind.DELETED, message_id="5")
        row = await salon.write("Ошиблась номером", message_id="5")
        assert (row.state, row.reason) == (IGNORED, "event.deleted")
        await salon.write("Хочу стрижку завтра", message_id="6")
        await salon.hear(EventKind.DELETED, message_id="6")
        late = await salon.hear(EventKind.EDITED, message_id="6", text="Хочу стрижку в среду")
        assert (late.state, late.reason) == (IGNORED, "event.edited")
        for gone in (row, late):
            assert (await salon.event(gone.event_id)).sealed_body is None
        assert not any("среду" in body.text or "Ошиблась" in body.text for body in await salon.words())


class TestLeaving:
    async def test_nothing_more_is_sent_to_whoever_blocked_us(self, salon: Salon) -> None:
        """What waits is given up at once: it would be refused anyway, one by one, and each refusal counts against the bot."""
        salon.target().script(DOWN)
        await salon.write("Хочу стрижку завтра")
        await salon.hear(EventKind.BLOCKED, status="blocked")
        await salon.rig.work(timedelta(minutes=1))
        await salon.settle()
        assert await salon.states() == [("conn_bot", DeliveryState.DISCARDED, "message.client_left")]
        assert len(salon.target().batches) == 1
        chat = await salon.chat()
        assert chat.unreachable_code == "message.client_left"

    async def test_a_blocked_client_who_writes_again_is_answered(self, salon: Salon) -> None:
        """Their own words open the chat, whatever we thought before."""
        await salon.write("Хочу стрижку завтра")
        await salon.hear(EventKind.BLOCKED, status="blocked")
        await salon.write("Алсу")
        assert len(salon.said()) == 2
        assert (await salon.chat()).unreachable_since is None

    async def test_being_let_in_again_opens_the_chat(self, salon: Salon) -> None:
        """Telegram tells it before the client says a word."""
        row = await salon.write("Хочу стрижку завтра")
        await salon.hear(EventKind.BLOCKED, status="blocked")
        subject_id = await salon.subject(row.event_id)
        assert await salon.tell(subject_id) is None
        await salon.hear(EventKind.STATUS, status="unblocked")
        assert await salon.tell(subject_id) is not None

    async def test_the_vendors_refusal_closes_the_chat(self, salon: Salon) -> None:
        """Not every vendor tells of a block; some only refuse."""
        salon.target().script(BLOCKED_US)
        await salon.write("Хочу стрижку завтра")
        assert (await salon.chat()).unreachable_code == "telegram.blocked"
        assert await salon.states() == [("conn_bot", DeliveryState.DISCARDED, "telegram.blocked")]

    async def test_the_first_reason_stands_until_they_write(self, salon: Salon) -> None:
        """Since when they cannot be reached is asked for; a second word of the same does not move it."""
        await salon.write("Хочу стрижку завтра")
        since = salon.rig.clock.now()
        await salon.hear(EventKind.BLOCKED, status="blocked")
        salon.rig.clock.move(timedelta(days=1))
        await salon.hear(EventKind.BLOCKED, status="blocked")
        assert (await salon.chat()).unreachable_since == since

    async def test_advertising_is_refused_and_allowed_again(self, salon: Salon) -> None:
        """It closes nothing: answers and reminders are no advertising."""
        await salon.write("Хочу стрижку завтра")
        await salon.hear(EventKind.STATUS, status="opted_out")
        assert (await salon.chat()).opted_out_at == salon.rig.clock.now()
        assert (await salon.chat()).unreachable_since is None
        await salon.hear(EventKind.STATUS, status="opted_in")
        assert (await salon.chat()).opted_out_at is None

    async def test_a_stranger_who_blocks_us_changes_nothing(self, salon: Salon) -> None:
        """There is no chat to close."""
        row = await salon.hear(EventKind.BLOCKED, status="blocked")
        assert (row.state, row.reason) == (IGNORED, "event.blocked")


class TestNumbers:
    async def test_a_changed_number_goes_to_the_open_lead(self, salon: Salon) -> None:
        """The salon would call the old one tomorrow, and somebody else would answer."""
        first = await salon.write("Хочу стрижку завтра", MAX, chat=ALSU_IN_MAX)
        row = await salon.hear(
            EventKind.STATUS, MAX, chat=ALSU_IN_MAX, status="number_changed", phone="+79000000303", phone_verified=True
        )
        assert (row.state, row.lead_id) == (LEAD, first.lead_id)
        (update,) = salon.updates()
        assert update.person.phone == "+79000000303"
        assert (await salon.chat(MAX, chat=ALSU_IN_MAX)).unreachable_code == "message.number_changed"

    async def test_whoever_writes_from_the_new_number_is_known(self, salon: Salon) -> None:
        """WhatsApp gives the new number another id; the person stays."""
        old = await salon.write("Хочу стрижку завтра", MAX, chat="79000000101")
        await salon.hear(EventKind.STATUS, MAX, chat="79000000101", status="number_changed", phone="+79000000303")
        new = await salon.write("Это снова я", MAX, chat="79000000303", phone="+79000000303", phone_verified=True)
        assert await salon.subject(new.event_id) == await salon.subject(old.event_id)
        assert new.lead_id == old.lead_id


class TestLateWords:
    async def test_what_comes_late_was_said_when_it_was_said(self, salon: Salon) -> None:
        """A vendor's window for free answers counts from the client's words, not from when we came to read them."""
        said_at = salon.rig.clock.now() - timedelta(hours=30)
        await salon.write("Хочу стрижку завтра", occurred_at=said_at)
        assert salon.said()[0].heard_at == said_at
        assert (await salon.chat()).heard_at == said_at

    async def test_a_straggler_does_not_make_the_last_words_older(self, salon: Salon) -> None:
        """Vendors repeat for hours what they could not deliver, after what came since."""
        now = salon.rig.clock.now()
        await salon.write("Хочу стрижку завтра", occurred_at=now)
        await salon.write("Здравствуйте", occurred_at=now - timedelta(hours=30))
        assert (await salon.chat()).heard_at == now

    async def test_a_clock_of_the_future_is_not_believed(self, salon: Salon) -> None:
        """A window that ends next week would let us send what the vendor refuses."""
        now = salon.rig.clock.now()
        row = await salon.write("/start", occurred_at=now + timedelta(days=7))
        assert row.state is ANSWERED
        assert (await salon.chat(chat=ALSU)).heard_at == now
