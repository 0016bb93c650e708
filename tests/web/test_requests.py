"""The pages of requests: what is shown, what stays hidden until somebody looks, and what each form asks of the desk."""

from __future__ import annotations

from datetime import date

import pytest

from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.requests import NewRequest, RequestKind, RequestWay
from leadgate.model.staff import Role
from tests.web.page_house import HOSTILE, PHONE, WORDS, MemoryHouse
from tests.web.test_pages import form, visitor

NEW = {"kind": "access", "way": "paper", "day": "2026-11-20", "who": "", "words": WORDS}


async def test_the_list_says_how_long_and_until_when() -> None:
    """Open ones alone; the late one first, in words and not by colour alone."""
    async with visitor(MemoryHouse(), Role.AUDITOR) as client:
        page = (await client.get("/requests")).text.replace("\N{NO-BREAK SPACE}", " ")
        assert "срок прошёл, 2 рабочих дня" in page
        assert "осталось 9 рабочих дней" in page
        assert "до 7 декабря" in page
        assert page.index("req_2") < page.index("req_3") < page.index("req_1")
        assert "req_4" not in page
        assert "постановление правительства № 1466 от 24.09.2025" in page
        assert "2027 год: постановления о переносах у нас ещё нет" in page
        assert "Праздники Татарстана" in page
        assert "/requests/new" not in page, "an auditor only reads"
        closed = (await client.get("/requests?state=closed")).text
        assert "req_4" in closed
        assert "отказ с причиной" in closed.replace("\N{NO-BREAK SPACE}", " ")


async def test_what_to_do_next_leads_to_where_it_is_done() -> None:
    """Erasing leads to the page that erases; of a stranger it is asked first who they are."""
    async with visitor(MemoryHouse(), Role.OWNER) as client:
        assert 'href="/subjects/subj_1/erase"' in (await client.get("/requests/req_1")).text
        assert 'href="/subjects/subj_1"' in (await client.get("/requests/req_3")).text
        unknown = (await client.get("/requests/req_2")).text
        assert 'action="/requests/req_2/assign"' in unknown
        assert "/subjects/" not in unknown


async def test_words_and_notes_are_hidden_until_somebody_looks() -> None:
    """Who looked goes to the desk, which journals it; hostile words stay text."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        page = (await client.get("/requests/req_1")).text
        assert PHONE not in page
        assert "заметка &lt;script" not in page
        opened = (await client.post("/requests/req_1/reveal", data=form(house))).text
        assert PHONE in opened
        assert HOSTILE not in opened
        assert "&lt;script&gt;" in opened
    assert house.requests.acts == [("read", "req_1", "staff_owner")]


async def test_each_form_does_its_act_once_and_says_so() -> None:
    """Back to the request with a notice; a missing reason and a stale page are told without an error page."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:

        async def post(path: str, **fields: str) -> str:
            answer = await client.post(f"/requests/req_1/{path}", data=form(house, **fields))
            assert answer.status_code == 303
            return str(answer.headers["location"]).partition("notice=")[2]

        assert await post("extend", reason="архив") == "request_extended"
        assert await post("extend", reason=" ") == "request_reason"
        assert await post("close", outcome="done", note="акт 7") == "request_closed"
        assert await post("close", outcome="refused") == "request_reason"
        assert await post("close", outcome="whatever") == "request_conflict"
        assert await post("assign", who=PHONE) == "request_assigned"
        assert await post("assign", who="кто-то") == "request_unknown"
        house.requests.refuse = ConflictError("Not any more.")
        assert await post("extend", reason="ещё") == "request_conflict"
    assert house.requests.acts == [
        ("extend", "req_1", "архив", "staff_owner"),
        ("close", "req_1", "done", "акт 7", "staff_owner"),
        ("assign", "req_1", "staff_owner"),
    ]


async def test_the_letter_is_a_file_that_no_cache_keeps() -> None:
    """It may hold a name, so it is no address that could be opened again."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/requests/req_1/answer", data=form(house))
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"] == 'attachment; filename="req_1.pdf"'
        assert answer.headers["cache-control"] == "no-store"
        assert answer.content.startswith(b"%PDF-")
        assert (await client.get("/requests/req_1/answer")).status_code in {404, 405}


async def test_a_request_is_written_down_by_hand() -> None:
    """What came on paper; without a person when nobody knows yet."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/requests/new", data=form(house, **NEW))
        assert answer.headers["location"] == "/requests/req_1?notice=request_opened"
    assert house.requests.opened == [
        NewRequest(kind=RequestKind.ACCESS, way=RequestWay.PAPER, received_on=date(2026, 11, 20), who=None, words=WORDS)
    ]


@pytest.mark.parametrize(
    ("fields", "refuse", "field"),
    [
        ({"kind": "all"}, None, "kind"),
        ({"day": "вчера"}, None, "day"),
        ({"day": "2026-12-24"}, ConfigurationError("Ahead."), "day"),
        ({"who": "никто"}, NotFoundError("Nobody."), "who"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field_and_the_words_stay(
    fields: dict[str, str], refuse: Exception | None, field: str
) -> None:
    """Nobody types a letter twice."""
    house = MemoryHouse()
    house.requests.refuse = refuse
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/requests/new", data=form(house, **(NEW | fields)))
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
        assert "Запишите на маникюр" in answer.text
    assert house.requests.opened == []
