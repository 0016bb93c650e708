"""A person's file: everything of all their channels and of the CRM, nothing of anybody else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from leadgate.model.journal import Tag
from leadgate.web.api.documents.plain import plain
from leadgate.web.person_page import render_person
from tests.rights.house import House, open_house

PHONE = "+79000000301"
HOSTILE = "<script>alert(1)</script><b onclick=x>Айгуль</b>"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """«Лимон»."""
    async with open_house(tmp_path) as opened:
        yield opened


async def as_text(house: House, subject_id: str) -> str:
    """The file as JSON."""
    file = await house.app.subjects.export(subject_id, by="test")
    return json.dumps(plain(file), ensure_ascii=False)


async def test_both_channels_of_a_joined_person_stand_in_the_file(house: House) -> None:
    """One person, one file, whichever channel they are found by; the CRM is asked as well."""
    by_form = await house.subject(
        await house.form(name="Алсу", phone=PHONE, email="Alsu@Example.org", message="Первые слова через форму")
    )
    in_chat = await house.subject(await house.write("Вторые слова из Телеграма", username="alsu_k"))
    await house.join(in_chat, by_form)
    await house.write("Третьи слова после знакомства")
    subject_id = await house.app.subjects.find("@ALSU_K", by="test")
    assert subject_id == by_form
    file = await house.app.subjects.export(subject_id, by="test")
    assert set(file.subjects) == {by_form, in_chat}
    said = [message.text for chat in file.conversations for message in chat.messages]
    assert {"Вторые слова из Телеграма", "Третьи слова после знакомства"} <= set(said)
    assert any(message.direction == "to_person" for chat in file.conversations for message in chat.messages)
    bodies = json.dumps([event.body for event in file.events], ensure_ascii=False)
    assert "Первые слова через форму" in bodies
    assert "Вторые слова из Телеграма" in bodies
    assert {one.kind: one.value for one in file.identifiers} == {
        "phone": PHONE,
        "email": "alsu@example.org",
        "sender:telegram": "5900000301",
        "username:telegram": "alsu_k",
    }
    assert [one.told_version for one in file.consents] == ["2026-11-01"]
    assert {lead.crm for lead in file.leads} == {f"lead:{row['id']}" for row in await house.records(1)}
    assert file.crm.state == "asked"
    held = json.dumps(plain(list(file.crm.records)), ensure_ascii=False)
    assert "Первые слова через форму" in held
    assert any(record.name.startswith("contact:") and PHONE in record.phones for record in file.crm.records)
    sent = [one for one in file.deliveries if one.kind == "lead.create"]
    assert all(one.attempts and one.opened for one in sent)
    assert any(one.content.get("person.phone") == PHONE for one in sent)
    rows = await house.app.journal.newest(limit=9, on=subject_id)
    assert [row.entry.tag for row in rows] == [Tag.SUBJECT_EXPORTED, Tag.SUBJECT_SEARCHED]


async def test_nothing_of_another_person_is_in_it(house: House) -> None:
    """A mother and a daughter with one phone are two people: what hangs on the phone is the mother's."""
    mother = await house.subject(await house.form(name="Мадина Старшая", phone=PHONE, message="Слова матери"))
    daughter = await house.subject(await house.write("Слова дочери", name="Лейсан"))
    assert mother != daughter
    for words in ("Лейсан", PHONE, "Запишите меня завтра"):
        await house.write(words, name="Лейсан")
    hers = await as_text(house, daughter)
    assert "Слова дочери" in hers
    assert "Мадина" not in hers
    assert "Слова матери" not in hers
    assert json.loads(hers)["crm"]["withheld"] == 1
    mothers = await as_text(house, mother)
    assert "Слова матери" in mothers
    assert "Лейсан" not in mothers
    assert "Слова дочери" not in mothers


async def test_a_silent_crm_is_said_and_the_rest_is_there(house: House) -> None:
    """Ten working days run whether the CRM answers or not."""
    subject_id = await house.subject(await house.form(name="Алсу", phone=PHONE))
    house.sandbox.faults.add("error-500", count=9)
    file = await house.app.subjects.export(subject_id, by="test")
    assert (file.crm.state, list(file.crm.records)) == ("not_reached", [])
    assert file.events


async def test_the_page_is_one_file_in_which_hostile_words_stay_text(house: House) -> None:
    """It is opened at home, where nothing guards the reader."""
    subject_id = await house.subject(await house.write(HOSTILE, name=HOSTILE))
    page = render_person(await house.app.subjects.export(subject_id, by="test"), house.app.time_zone)
    assert "<script" not in page
    assert "onclick=x>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "http" not in page.replace("http-equiv", "").partition("<body>")[0]
    assert page.count("<h1>") == 1
