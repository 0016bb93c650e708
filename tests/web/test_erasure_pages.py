"""The pages of erasures: the question that says what goes, and the list with act, extract and the CRM's answer."""

from __future__ import annotations

import html

import pytest

from leadgate.model.staff import Role
from tests.web.page_house import MemoryHouse
from tests.web.test_pages import form, visitor


def plain(text: str) -> str:
    """A page's text with ordinary spaces."""
    return html.unescape(text).replace("\N{NO-BREAK SPACE}", " ")


async def test_the_question_says_what_goes_and_what_stays() -> None:
    """Nobody erases a person without having read it."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        page = plain((await client.get("/subjects/subj_7/erase")).text)
        for words in ("Сообщений: 14, чатов: 2", "Ещё не отправленное: 2", "Заявки в CRM: 1", "Резервные", "subj_8"):
            assert words in page
        assert (await client.get("/subjects/subj_404/erase")).status_code == 404
    assert house.erasing.acts == []


async def test_the_answer_leads_to_the_list() -> None:
    """The reason is one of a few; whoever makes one up is asked again, and nobody is erased."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        made_up = await client.post("/subjects/subj_7/erase", data=form(house, reason="так захотелось"))
        assert (made_up.status_code, house.erasing.acts) == (422, [])
        answer = await client.post("/subjects/subj_7/erase", data=form(house, reason="consent_withdrawn"))
        assert (answer.status_code, answer.headers["location"]) == (303, "/erasures?notice=erased")
    assert house.erasing.acts == [("subj_7", "consent_withdrawn", "staff_owner")]


async def test_a_message_on_its_way_is_waited_for() -> None:
    """Nothing was erased, and the page says so."""
    house = MemoryHouse()
    house.erasing.is_busy = True
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/subjects/subj_7/erase", data=form(house, reason="request"))
        assert answer.status_code == 409
        assert "Ничего не удалено" in plain(answer.text)


async def test_the_list_tells_what_the_crm_answered() -> None:
    """What waits is calm, what was refused says what to do, what was done says what stands there now."""
    async with visitor(MemoryHouse(), Role.AUDITOR) as client:
        page = plain((await client.get("/erasures")).text)
        for words in (
            "Акт № 3",
            "ждём ответа CRM",
            "CRM не выполнила поручение (bitrix24.ACCESS_DENIED)",
            "лид 101: обезличено",
            "контакт 30001: оставлено",
            "/deliveries/dlv_92",
        ):
            assert words in page
        assert "/deliveries/dlv_91" not in page
        assert (await client.get("/erasures?cursor=2")).text.count("/act.pdf") == 1
        assert (await client.get("/erasures?cursor=%3Cscript%3E")).status_code == 200


@pytest.mark.parametrize(("name", "content"), [("act", b"%PDF-act"), ("extract", b"%PDF-extract of era_1")])
async def test_the_papers_are_downloads(name: str, content: bytes) -> None:
    """With a name that says which, and no person's data in it."""
    async with visitor(MemoryHouse(), Role.AUDITOR) as client:
        paper = await client.get(f"/erasures/era_1/{name}.pdf")
        assert paper.content == content
        assert paper.headers["content-type"] == "application/pdf"
        assert paper.headers["content-disposition"] == f'attachment; filename="{name}-era_1.pdf"'
        assert (await client.get("/erasures/era_9/act.pdf")).status_code == 404


async def test_nobody_erased_is_said_kindly() -> None:
    """The empty list says what will appear there."""
    house = MemoryHouse()
    house.erasing.rows = []
    async with visitor(house, Role.OWNER) as client:
        assert "Пока никого не удаляли" in plain((await client.get("/erasures")).text)
