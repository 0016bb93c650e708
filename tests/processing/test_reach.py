"""Writing first: the way that is taken, and the next one when it is closed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy

from leadgate.model.deliveries import DeliveryState
from leadgate.model.events import EventKind
from leadgate.model.leads import Person
from leadgate.model.outcomes import Delivered, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.ports.stores import Transaction
from leadgate.processing.reach import WENT_ELSEWHERE
from leadgate.storage.chats import SqlConversationStore
from leadgate.testing.storage_suite import BOT
from tests.processing.messengers import ALSU, ALSU_IN_MAX, MAX, REMINDER, SITE, VK, Salon, open_salon

DOWN = RetryLater(code="telegram.server_error", scope=Scope.TARGET)
BLOCKED_US = Refused("telegram.blocked", unreachable=True)
DISCARDED, DONE, WAITING = DeliveryState.DISCARDED, DeliveryState.DONE, DeliveryState.WAITING


@pytest.fixture
async def salon(tmp_path: Path) -> AsyncIterator[Salon]:
    """«Лимон»."""
    async with open_salon(tmp_path) as opened:
        yield opened


async def both(salon: Salon) -> str:
    """A client known in MAX and, last heard, in Telegram, joined by hand; everything that was said so far is forgotten."""
    in_max = await salon.subject((await salon.write("/start", MAX, chat=ALSU_IN_MAX)).event_id)
    salon.rig.clock.move(timedelta(minutes=1))
    in_telegram = await salon.subject((await salon.write("/start")).event_id)
    now = salon.rig.clock.now()
    await salon.rig.storage.write(lambda tx: salon.rig.identities.join(tx, in_telegram, in_max, reason="test", at=now))
    for target in salon.rig.targets.all():
        target.batches.clear()
    return in_max


async def reminded(salon: Salon) -> list[str]:
    """Where the reminder was given out to, in order of trying."""
    return [
        connection_id
        for connection_id in (BOT, MAX, VK, SITE)
        for message in salon.said(connection_id)
        if message.text == REMINDER.text
    ]


class TestTelling:
    async def test_the_last_heard_way_is_taken(self, salon: Salon) -> None:
        """Where they wrote last they look first; the message carries what a vendor with windows and templates needs."""
        subject_id = await both(salon)
        assert await salon.tell(subject_id) is not None
        await salon.settle()
        (message,) = salon.said()
        assert (message.chat_id, message.template, message.parameters) == (ALSU, "reminder", ("завтра", "12:00"))
        assert message.heard_at == (await salon.chat()).heard_at
        assert await reminded(salon) == [BOT]
        assert (await salon.words())[-1].text == REMINDER.text

    async def test_a_paused_connection_is_no_way(self, salon: Salon) -> None:
        """What is paused sends nothing: the reminder would come when it is of no use."""
        subject_id = await both(salon)
        salon.paused.add(BOT)
        await salon.tell(subject_id)
        await salon.settle()
        assert await reminded(salon) == [MAX]

    async def test_a_closed_chat_is_no_way(self, salon: Salon) -> None:
        """They asked us to be silent there."""
        subject_id = await both(salon)
        await salon.hear(EventKind.BLOCKED, status="blocked")
        await salon.tell(subject_id)
        await salon.settle()
        assert await reminded(salon) == [MAX]

    async def test_the_chat_of_the_site_is_no_way(self, salon: Salon) -> None:
        """Nobody sits before a page that was closed a week ago."""
        row = await salon.write("/start", SITE, chat="visitor")
        assert await salon.tell(await salon.subject(row.event_id)) is None

    async def test_a_chat_without_an_address_is_no_way(self, salon: Salon) -> None:
        """One from before addresses were kept: nobody knows where to write until the client does."""
        subject_id = await salon.subject((await salon.write("/start")).event_id)
        forget = sqlalchemy.text("UPDATE conversations SET sealed_address = NULL")

        def become_old(tx: Transaction) -> None:
            assert isinstance(tx.conversations, SqlConversationStore)
            tx.conversations._run(forget)  # noqa: SLF001 - as a row of an earlier version lies there

        await salon.rig.storage.write(become_old)
        assert await salon.tell(subject_id) is None


class TestFallingOver:
    async def test_a_way_that_is_closed_leads_to_the_next(self, salon: Salon) -> None:
        """The client blocked the bot: the reminder comes in MAX, once, and no dead letter is left."""
        subject_id = await both(salon)
        salon.target().script(BLOCKED_US)
        await salon.tell(subject_id)
        await salon.settle()
        assert await reminded(salon) == [BOT, MAX]
        assert [state for state in await salon.states() if state[1] is not DONE] == [
            (BOT, DISCARDED, "telegram.blocked")
        ]

    async def test_a_refusal_of_this_message_leads_to_the_next(self, salon: Salon) -> None:
        """For instance a window that is closed, without a template for it; the chat stays open."""
        subject_id = await both(salon)
        salon.target().script(Refused("whatsapp.window_closed"))
        await salon.tell(subject_id)
        await salon.settle()
        assert await reminded(salon) == [BOT, MAX]
        assert (BOT, DISCARDED, WENT_ELSEWHERE) in await salon.states()
        assert (await salon.chat()).unreachable_since is None

    async def test_the_last_way_that_refuses_is_a_dead_letter(self, salon: Salon) -> None:
        """Nobody was told: a person has to know."""
        subject_id = await both(salon)
        salon.target().script(BLOCKED_US)
        salon.target(MAX).script(Refused("max.refused"))
        await salon.tell(subject_id)
        await salon.settle()
        assert (MAX, DeliveryState.DEAD, "max.refused") in await salon.states()

    async def test_a_messenger_that_is_silent_for_five_minutes_is_left(self, salon: Salon) -> None:
        """A short fault is waited out; a long one costs nobody their reminder, and it comes once."""
        subject_id = await both(salon)
        salon.target().script(*[DOWN] * 40)
        await salon.tell(subject_id)
        await salon.settle()
        assert await reminded(salon) == [BOT]
        salon.rig.clock.move(timedelta(minutes=4))
        await salon.settle()
        assert MAX not in await reminded(salon)
        salon.rig.clock.move(timedelta(minutes=2))
        await salon.settle()
        assert (await reminded(salon)).count(MAX) == 1
        salon.target().answers.clear()
        salon.rig.clock.move(timedelta(minutes=10))
        await salon.settle()
        assert salon.target().effects.count(salon.said()[-1].message_id) == 0
        assert salon.target(MAX).effects.count(salon.said(MAX)[-1].message_id) == 1

    async def test_a_silent_messenger_without_another_way_is_waited_for(self, salon: Salon) -> None:
        """Late is better than never, within the day."""
        subject_id = await salon.subject((await salon.write("/start")).event_id)
        salon.target().script(*[DOWN] * 2)
        await salon.tell(subject_id)
        await salon.settle()
        salon.rig.clock.move(timedelta(minutes=6))
        await salon.settle()
        assert (await salon.states())[-1][1] is WAITING
        salon.rig.clock.move(timedelta(minutes=6))
        await salon.settle()
        assert (await salon.states())[-1][1] is DONE

    async def test_a_notice_does_not_wait_behind_an_answer(self, salon: Salon) -> None:
        """An answer belongs to its chat and waits there; the reminder behind it may go."""
        subject_id = await both(salon)
        salon.target().script(*[DOWN] * 40)
        await salon.write("Хочу стрижку завтра")
        await salon.tell(subject_id)
        await salon.settle()
        salon.rig.clock.move(timedelta(minutes=6))
        await salon.settle()
        assert await reminded(salon) == [MAX]
        states = [state for state in await salon.states() if state[1] is not DONE]
        assert states == [(BOT, WAITING, DOWN.code), (BOT, DISCARDED, WENT_ELSEWHERE)]

    async def test_an_answer_never_falls_over(self, salon: Salon) -> None:
        """Who asks in Telegram is answered in Telegram, or not at all."""
        await both(salon)
        salon.target().script(BLOCKED_US)
        await salon.write("Хочу стрижку завтра")
        salon.target().script(Refused("telegram.refused"))
        await salon.write("Алсу")
        assert not salon.said(MAX)

    async def test_what_may_have_arrived_is_not_said_again(self, salon: Salon) -> None:
        """The answer of the vendor was lost: a second reminder elsewhere would look like a second visit."""
        subject_id = await both(salon)
        salon.target().script(OutcomeUnknown("telegram.answer_lost"))
        await salon.tell(subject_id)
        await salon.settle()
        salon.rig.clock.move(timedelta(minutes=10))
        await salon.settle()
        assert await reminded(salon) == [BOT]
        assert (await salon.states())[-1][1] is DeliveryState.UNCERTAIN

    async def test_what_waits_in_a_chat_that_closes_goes_the_next_way(self, salon: Salon) -> None:
        """The client blocked the bot while the messenger was down."""
        subject_id = await both(salon)
        salon.target().script(*[DOWN] * 40)
        await salon.tell(subject_id)
        await salon.settle()
        await salon.hear(EventKind.BLOCKED, status="blocked")
        assert await reminded(salon) == [BOT, MAX]

    async def test_a_failure_told_later_leads_to_the_next_way(self, salon: Salon) -> None:
        """WhatsApp takes a message and says minutes later that it cannot bring it; a second word of it changes nothing."""
        subject_id = await both(salon)
        salon.target().script(Delivered("77"))
        await salon.tell(subject_id)
        await salon.settle()
        for _ in range(2):
            await salon.hear(EventKind.STATUS, message_id="77", status="failed", error_code="131026")
        assert await reminded(salon) == [BOT, MAX]

    async def test_a_failure_told_before_the_answer_counts_too(self, salon: Salon) -> None:
        """The vendor's webhook may overtake the answer to our own call."""
        subject_id = await both(salon)
        await salon.hear(EventKind.STATUS, message_id="77", status="failed")
        salon.target().script(Delivered("77"))
        await salon.tell(subject_id)
        await salon.settle()
        assert await reminded(salon) == [BOT, MAX]

    async def test_a_failure_told_a_day_later_is_history(self, salon: Salon) -> None:
        """The visit is over by then."""
        subject_id = await both(salon)
        salon.target().script(Delivered("77"))
        await salon.tell(subject_id)
        await salon.settle()
        salon.rig.clock.move(timedelta(hours=25))
        await salon.hear(EventKind.STATUS, message_id="77", status="failed")
        assert await reminded(salon) == [BOT]

    async def test_three_ways_are_tried_each_once(self, salon: Salon) -> None:
        """No ring, whatever refuses."""
        subject_id = await both(salon)
        in_vk = await salon.subject((await salon.write("/start", VK, chat="vk-1")).event_id)
        now = salon.rig.clock.now()
        await salon.rig.storage.write(lambda tx: salon.rig.identities.join(tx, in_vk, subject_id, reason="t", at=now))
        for connection_id in (BOT, MAX, VK):
            salon.target(connection_id).script(Refused("refused"))
        await salon.tell(subject_id)
        await salon.settle()
        assert sorted(await reminded(salon)) == sorted([BOT, MAX, VK])


class TestErasedPeople:
    async def test_whom_we_do_not_know_cannot_be_told(self, salon: Salon) -> None:
        """A person from a bot builder has no chat of ours."""
        now = salon.rig.clock.now()
        known = await salon.rig.storage.write(
            lambda tx: salon.rig.identities.recognise(tx, Person(phone="+79000000101"), channel="bot", at=now)
        )
        assert await salon.tell(known.subject_id) is None
