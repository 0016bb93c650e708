"""A correction reaches everything that holds the wrong value: our own records, what waits, the lead and the contact in the CRM."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from leadgate.errors import ConfigurationError, NotFoundError
from leadgate.model.journal import Result, Tag
from leadgate.model.subjects import CorrectionState, NewValues
from leadgate.testing.waiting import until
from tests.rights.house import House, open_house, phones_of

WRONG, RIGHT = "+79000000311", "+79000000312"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """«Лимон»."""
    async with open_house(tmp_path) as opened:
        yield opened


async def test_phone_and_name_are_replaced_in_lead_and_contact(house: House) -> None:
    """Not added beside the wrong ones: a manager would call a stranger."""
    subject_id = await house.subject(await house.form(name="Олсу", phone=WRONG, email="alsu@example.org"))
    done = await house.app.subjects.correct(subject_id, NewValues(name="Алсу", phone=RIGHT), by="test")
    assert list(done.fields) == ["name", "phone"]
    waiting = await house.app.subjects.card(subject_id, by="test")
    assert [one.state for one in waiting.corrections] == [CorrectionState.WAITING]
    await house.app.settle()
    (lead,) = await house.records(1)
    (contact,) = await house.records(3)
    assert (lead["name"], phones_of(lead)) == ("Алсу", [RIGHT])
    assert (contact["name"], phones_of(contact)) == ("Алсу", [RIGHT])
    assert "Олсу" not in lead["title"]
    assert "Алсу" in lead["title"]
    assert [entry["value"] for entry in contact["fm"] if entry["typeId"] == "EMAIL"] == ["alsu@example.org"]
    card = await house.app.subjects.card(subject_id, by="test", is_open=True)
    assert (card.name, card.phone, card.email) == ("Алсу", RIGHT, "alsu@example.org")
    assert [(one.state, one.crm_ref) for one in card.corrections] == [(CorrectionState.DONE, f"lead:{lead['id']}")]


async def test_they_are_found_by_what_is_right_and_no_longer_by_what_was_wrong(house: House) -> None:
    """Else the next stranger with the wrong number would be taken for them."""
    subject_id = await house.subject(await house.form(name="Алсу", phone=WRONG))
    await house.app.subjects.correct(subject_id, NewValues(phone=RIGHT), by="test")
    assert await house.app.subjects.find("8 (900) 000-03-12", by="test") == subject_id
    with pytest.raises(NotFoundError):
        await house.app.subjects.find(WRONG, by="test")
    stranger = await house.subject(await house.form(name="Марат", phone=WRONG))
    assert stranger != subject_id


async def test_a_closed_lead_is_corrected_as_well(house: House) -> None:
    """What was wrong is wrong in what is over, too."""
    subject_id = await house.subject(await house.form(name="Алсу", phone=WRONG))
    (lead,) = await house.records(1)
    await house.call("crm.item.update", entityTypeId=1, id=lead["id"], fields={"stageId": "JUNK"})
    await house.app.subjects.correct(subject_id, NewValues(phone=RIGHT), by="test")
    await house.app.settle()
    (lead,) = await house.records(1)
    assert phones_of(lead) == [RIGHT]
    assert lead["stageId"] == "JUNK"


async def test_what_waits_goes_out_with_the_right_values(house: House) -> None:
    """A CRM that is away must not get the wrong ones first."""
    house.sandbox.faults.add("error-500", count=99)
    event_id = await house.knock_form(name="Олсу", phone=WRONG, message="Хочу на стрижку")
    await house.app.inbox.drain()
    subject_id = await house.subject(event_id)
    await house.app.subjects.correct(subject_id, NewValues(name="Алсу", phone=RIGHT), by="test")
    house.sandbox.faults.clear()
    await house.app.settle()
    (lead,) = await house.records(1)
    (contact,) = await house.records(3)
    assert (lead["name"], phones_of(lead), phones_of(contact)) == ("Алсу", [RIGHT], [RIGHT])
    told = await house.call("crm.timeline.comment.list", filter={"ENTITY_ID": lead["id"], "ENTITY_TYPE": "lead"})
    assert [entry["COMMENT"].partition(" ")[0] for entry in told] == ["Алсу"]
    card = await house.app.subjects.card(subject_id, by="test")
    assert [one.state for one in card.corrections] == [CorrectionState.DONE]


async def test_a_lost_answer_does_not_correct_twice(house: House) -> None:
    """Nobody knows whether the CRM took it: we look before we send again."""
    subject_id = await house.subject(await house.form(name="Алсу", phone=WRONG))
    house.sandbox.faults.add("drop-answer", count=1, method="crm.item.update")
    await house.app.subjects.correct(subject_id, NewValues(phone=RIGHT), by="test")

    async def is_done() -> bool:
        await house.app.settle()
        card = await house.app.subjects.card(subject_id, by="test")
        return card.corrections[0].state is CorrectionState.DONE

    await until(is_done, what="the correction is found in the CRM", timeout_s=20)
    for record in (*await house.records(1), *await house.records(3)):
        assert phones_of(record) == [RIGHT]


async def test_a_lead_that_was_deleted_there_is_said_to_be_gone(house: House) -> None:
    """There is nothing left to correct."""
    subject_id = await house.subject(await house.form(name="Алсу", phone=WRONG))
    (lead,) = await house.records(1)
    await house.call("crm.item.delete", entityTypeId=1, id=lead["id"])
    await house.app.subjects.correct(subject_id, NewValues(phone=RIGHT), by="test")
    await house.app.settle()
    card = await house.app.subjects.card(subject_id, by="test")
    assert [one.state for one in card.corrections] == [CorrectionState.GONE]


async def test_a_contact_that_is_somebody_elses_is_left_alone(house: House) -> None:
    """The daughter gives her own number: the mother's card in the CRM keeps the mother's."""
    await house.form(name="Мадина", phone=WRONG)
    daughter = await house.subject(await house.write("Здравствуйте", name="Лейсан"))
    for words in ("Лейсан", WRONG, "Запишите завтра"):
        await house.write(words, name="Лейсан")
    await house.app.subjects.correct(daughter, NewValues(phone=RIGHT), by="test")
    await house.app.settle()
    mothers = [record for record in await house.records(3) if record["name"] == "Мадина"]
    assert [phones_of(record) for record in mothers] == [[WRONG]]
    hers = [record for record in await house.records(1) if record["name"] == "Лейсан"]
    assert [phones_of(record) for record in hers] == [[RIGHT]]


async def test_nothing_to_change_is_refused_and_the_journal_says_so(house: House) -> None:
    """An entry that says "corrected" where nothing was would be a lie."""
    subject_id = await house.subject(await house.form(name="Алсу", phone=WRONG))
    with pytest.raises(ConfigurationError):
        await house.app.subjects.correct(subject_id, NewValues(phone=WRONG), by="test")
    rows = await house.app.journal.newest(limit=2, on=subject_id)
    assert [(row.entry.tag, row.entry.result) for row in rows] == [
        (Tag.SUBJECT_CORRECTED, Result.FAILED),
        (Tag.SUBJECT_CORRECTED, Result.DONE),
    ]
