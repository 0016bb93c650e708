"""The page of terms: what goes next stands beside the term, and only who may decide changes it."""

from __future__ import annotations

import html

import pytest

from leadgate.errors import JournalUnavailableError
from leadgate.model.staff import Role
from tests.web.page_house import MemoryHouse
from tests.web.test_pages import form, visitor


async def test_it_says_what_goes_next_and_what_went() -> None:
    """In words with the right ending, and without counting for ever."""
    async with visitor(MemoryHouse(), Role.MANAGER) as client:
        page = html.unescape((await client.get("/retention")).text).replace("\N{NO-BREAK SPACE}", " ")
    for words in ("уйдёт больше 10 000 записей", "уйдёт 12 записей", "Всего уничтожены 1 204 записи", "7 дней"):
        assert words in page, words
    assert 'name="days"' not in page, "a manager only reads"


@pytest.mark.parametrize(
    ("days", "notice", "kept"),
    [("30", "term_chosen", [("bodies", 30, "staff_owner")]), ("", "term_chosen", [("bodies", None, "staff_owner")])]
    + [(wrong, "term_out_of_range", []) for wrong in ("2", "91", "-7", "7,5", "²", "1" * 9, "семь")],
)
async def test_a_term_is_chosen_within_its_bounds(
    days: str, notice: str, kept: list[tuple[str, int | None, str]]
) -> None:
    """Whatever somebody types, the page answers with a sentence."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/retention", data=form(house, kind="bodies", days=days))
    assert answer.headers["location"] == f"/retention?notice={notice}"
    assert house.retention.acts == kept


async def test_a_journal_that_cannot_be_written_is_said() -> None:
    """Nothing was changed then, and the owner has to know."""
    house = MemoryHouse()
    house.retention.refuse = JournalUnavailableError("no disk")
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/retention", data=form(house, kind="bodies", days="30"))
        page = (await client.get(answer.headers["location"])).text
    assert "is-warn" in page
