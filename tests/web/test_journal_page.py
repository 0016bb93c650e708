"""The page of the audit journal: plain words for every act, a line that says whether it can be believed, a way back in time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leadgate.catalogue.texts import LOCALES, load_texts
from leadgate.model.journal import Result, Tag, areas
from leadgate.model.staff import Role
from tests.web.page_house import HOSTILE, MemoryHouse
from tests.web.test_pages import visitor

PAGE = Path("src/leadgate/web")
NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_tag_area_and_result_has_words_and_no_other(locale: str) -> None:
    """An act without words would be a code in front of the owner."""
    known = load_texts("journal", locale).keys()
    wanted = {f"tag.{tag.value}" for tag in Tag} | {f"area.{area}" for area in areas()}
    wanted |= {f"result.{result.value}" for result in Result}
    named = {key for key in known if not key.startswith(("tag.", "area.", "result."))}
    assert known - named == wanted
    sources = (PAGE / "pages/journal.py").read_text("utf-8") + (PAGE / "templates/journal.html").read_text("utf-8")
    told = set(re.findall(r"""words\.get\(["']([a-z_]+)["']""", sources)) | {"by_system", "by_command", "by_stranger"}
    assert named == told


@pytest.mark.parametrize("role", Role)
async def test_every_role_reads_it_and_nobody_writes(role: Role) -> None:
    """An auditor's page, and everybody may know what is written down about them."""
    async with visitor(MemoryHouse(), role) as client:
        answer = await client.get("/journal")
        assert answer.status_code == 200
        assert "Выгрузили журнал" in answer.text, "the newest"
        assert "записей 1\N{NO-BREAK SPACE}284, все на" in answer.text.replace("\u202f", NBSP)
        assert "контрольная точка" in answer.text
        assert HOSTILE not in answer.text
        assert 'action="/journal' not in answer.text


async def test_the_filter_and_the_way_back_stand_in_the_address() -> None:
    """Ids and names of kinds alone; an unknown kind shows everything."""
    async with visitor(MemoryHouse(), Role.AUDITOR) as client:
        filtered = (await client.get("/journal?kind=consent")).text
        assert "Согласие отозвано" in filtered
        assert "Сделана резервная копия" not in filtered
        assert "Выгрузили журнал" in (await client.get("/journal?kind=nonsense")).text
        assert "Человек дал согласие" in (await client.get("/journal?cursor=2")).text
        assert "Таких записей пока нет" in (await client.get("/journal?kind=backup&cursor=1")).text


async def test_a_changed_journal_is_said_first_and_in_red() -> None:
    """With the number of the entry, so that whoever looks knows where."""
    house = MemoryHouse()
    house.journal_desk.is_changed = True
    async with visitor(house, Role.OWNER) as client:
        text = (await client.get("/journal")).text
        assert 'class="line is-bad" role="alert"' in text
        assert "Первая испорченная запись: 7" in text


async def test_a_journal_that_cannot_be_read_is_no_broken_page() -> None:
    """What is wrong is said where one looks for it."""
    house = MemoryHouse()
    house.journal_desk.is_unreadable = True
    async with visitor(house, Role.OWNER) as client:
        answer = await client.get("/journal")
        assert answer.status_code == 200
        assert "Журнал не читается" in answer.text


async def test_a_new_house_is_told_what_will_stand_here() -> None:
    """Not yet verified is no fault."""
    house = MemoryHouse()
    house.journal_desk.is_new = True
    async with visitor(house, Role.OWNER) as client:
        text = (await client.get("/journal")).text
        assert "Записей пока нет" in text
        assert "is-unknown" in text
