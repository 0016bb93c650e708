"""A blocked person's data only lie here: nothing goes out, nothing is answered, nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.errors import ConflictError
from leadgate.model.deliveries import DeliveryState
from leadgate.model.events import EventState
from leadgate.model.subjects import BLOCKED, BlockReason
from leadgate.testing.connections import FixedClock
from leadgate.testing.waiting import until
from tests.rights.house import House, open_house

PHONE = "+79000000321"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """«Лимон»."""
    async with open_house(tmp_path) as opened:
        yield opened


async def waiting(house: House) -> list[tuple[str, str | None]]:
    """Deliveries that are not over, with why."""
    page = await house.app.desk.deliveries(limit=99, states=(DeliveryState.WAITING,))
    return [(row.kind.value, row.error_code) for row in page.items]


async def test_what_waits_for_the_crm_stays_until_the_person_is_unblocked(house: House) -> None:
    """Blocked between the decision and the call: the flag is looked at where the call is prepared."""
    event_id = await house.knock_form(name="Алсу", phone=PHONE, message="Хочу на стрижку")
    await house.app.inbox.drain()
    subject_id = await house.subject(event_id)
    done = await house.app.subjects.block(subject_id, BlockReason.REQUEST, by="test")
    assert (done.waiting, done.in_hand) == (2, 0)
    await house.app.settle()
    assert await house.records(1) == []
    assert await waiting(house) == [("timeline.add", BLOCKED), ("lead.create", BLOCKED)]
    resumed = await house.app.subjects.unblock(subject_id, by="test")
    assert resumed.resumed == 2
    await house.app.settle()
    assert len(await house.records(1)) == 1
    assert await waiting(house) == []


async def test_what_a_blocked_person_says_is_kept_and_neither_answered_nor_passed_on(house: House) -> None:
    """Storing only, as the law has it; afterwards it is worked on as if it had just come."""
    subject_id = await house.subject(await house.write("Здравствуйте"))
    said = len(house.telegram.sent)
    await house.app.subjects.block(subject_id, BlockReason.ACCURACY, by="test")
    event_id = await house.write("Слова под замком")
    event = await house.app.storage.read(lambda tx: tx.events.find(event_id))
    assert event is not None
    assert (event.state, event.reason, event.subject_id) == (EventState.IGNORED, BLOCKED, subject_id)
    assert event.sealed_body is not None
    assert len(house.telegram.sent) == said
    file = await house.app.subjects.export(subject_id, by="test")
    assert any("Слова под замком" in str(one.body) for one in file.events)
    resumed = await house.app.subjects.unblock(subject_id, by="test")
    assert resumed.reopened == 1
    await house.app.settle()
    assert len(house.telegram.sent) > said
    file = await house.app.subjects.export(subject_id, by="test")
    assert "Слова под замком" in [m.text for chat in file.conversations for m in chat.messages]


async def test_a_request_of_a_bot_builder_is_known_by_phone(house: House) -> None:
    """The block is the person's and not the channel's."""
    subject_id = await house.subject(await house.form(name="Алсу", phone=PHONE))
    await house.app.subjects.block(subject_id, BlockReason.REQUEST, by="test")
    await house.form(name="Алсу", phone="8 900 000-03-21", message="Ещё раз")
    (lead,) = await house.records(1)
    timeline = await house.call("crm.timeline.comment.list", filter={"ENTITY_ID": lead["id"], "ENTITY_TYPE": "lead"})
    assert not [entry for entry in timeline if "Ещё раз" in entry["COMMENT"]]


async def test_every_channel_of_the_person_is_blocked_also_one_that_is_found_out_later(house: House) -> None:
    """A second messenger must not be a way around."""
    by_form = await house.subject(await house.form(name="Алсу", phone=PHONE))
    await house.app.subjects.block(by_form, BlockReason.REQUEST, by="test")
    in_chat = await house.subject(await house.write("Здравствуйте"))
    await house.join(in_chat, by_form)
    said = len(house.telegram.sent)
    await house.write("Хочу на маникюр")
    assert len(house.telegram.sent) == said
    assert (await house.app.subjects.card(in_chat, by="test")).blocked_at is not None


async def test_others_go_on(house: House) -> None:
    """However many deliveries of blocked people stand before them in the lane."""
    for number in range(3):
        event_id = await house.knock_form(name="Алсу", phone=f"+790000003{30 + number}", message="Хочу")
        await house.app.inbox.drain()
        await house.app.subjects.block(await house.subject(event_id), BlockReason.OTHER, by="test")
    await house.form(name="Марат", phone="+79000000341")
    assert [lead["name"] for lead in await house.records(1)] == ["Марат"]


async def test_a_block_waits_for_a_call_that_had_begun(house: House) -> None:
    """After it is done nothing goes out: what was on its way has arrived by then."""
    event_id = await house.knock_form(name="Алсу", phone=PHONE, message="Хочу")
    await house.app.inbox.drain()
    subject_id = await house.subject(event_id)
    house.sandbox.faults.add("slow", count=1, delay_s=1.0)
    sending = asyncio.create_task(house.app.deliveries.drain())

    async def has_begun() -> int:
        return await house.app.storage.write(lambda tx: tx.persons.in_hand([subject_id]))

    await until(has_begun, what="a call is under way")
    done = await house.app.subjects.block(subject_id, BlockReason.REQUEST, by="test")
    assert done.in_hand == 0
    made = len(await house.records(1))
    await sending
    assert len(await house.records(1)) == made == 1


async def test_an_answer_that_is_a_day_old_is_not_sent(house: House) -> None:
    """«Когда вам удобно?» after a month would only startle; a human writes anew."""
    event_id = await house.knock("Здравствуйте")
    await house.app.inbox.drain()
    subject_id = await house.subject(event_id)
    await house.app.subjects.block(subject_id, BlockReason.REQUEST, by="test")
    await house.app.settle()
    later = FixedClock(house.app.clock.now() + timedelta(hours=25))
    house.app.subjects._clock = later  # noqa: SLF001 - a day cannot be waited for
    resumed = await house.app.subjects.unblock(subject_id, by="test")
    await house.app.settle()
    assert (resumed.too_late, house.telegram.sent) == (2, []), "the greeting and the text of consent"
    page = await house.app.desk.deliveries(limit=9, states=(DeliveryState.DEAD,))
    assert [row.error_code for row in page.items] == ["message.too_late"] * 2


async def test_whoever_is_not_blocked_cannot_be_unblocked(house: House) -> None:
    """The page of a colleague may be old."""
    subject_id = await house.subject(await house.form(name="Алсу", phone=PHONE))
    with pytest.raises(ConflictError):
        await house.app.subjects.unblock(subject_id, by="test")
