"""The page of the key encryption key: it tells how the key stands and nothing of the key; only who may rotates it."""

from __future__ import annotations

import html
from dataclasses import replace

import pytest

from leadgate.errors import ConfigurationError, ConflictError, CustodianUnavailableError, JournalUnavailableError
from leadgate.model.staff import Role
from tests.web.page_house import MemoryHouse
from tests.web.test_pages import form, visitor


async def test_it_says_how_many_keys_wait_and_when_the_next_one_is_due() -> None:
    """A manager reads it too, without a button."""
    async with visitor(MemoryHouse(), Role.MANAGER) as client:
        page = html.unescape((await client.get("/keys")).text).replace("\N{NO-BREAK SPACE}", " ")
    for words in ("file:9f2c41d07be3a865", "31 ключ", "Файл в каталоге данных"):
        assert words in page, words
    assert "/keys/rotate" not in page


@pytest.mark.parametrize(("overdue", "waiting", "words"), [(True, 0, "is-warn"), (False, 0, "is-ok")])
async def test_an_overdue_key_is_a_warning_and_a_finished_rotation_is_none(
    overdue: bool, waiting: int, words: str
) -> None:
    """One line at the top says which of the three it is."""
    house = MemoryHouse()
    house.keys.standing = replace(house.keys.standing, is_overdue=overdue, waiting=waiting)
    async with visitor(house, Role.AUDITOR) as client:
        page = (await client.get("/keys")).text
    assert f'class="line {words}"' in page


async def test_the_owner_rotates_in_her_own_name() -> None:
    """The journal names her."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/keys/rotate", data=form(house))
    assert answer.headers["location"] == "/keys?notice=key_rotated"
    assert house.keys.acts == ["staff_owner"]


@pytest.mark.parametrize(
    ("refusal", "notice"),
    [
        (ConfigurationError("the paper is needed"), "key_by_command"),
        (ConflictError("somebody else does it"), "key_busy"),
        (CustodianUnavailableError("the custodian is away"), "key_custodian_away"),
        (JournalUnavailableError("no disk"), "journal_unavailable"),
    ],
)
async def test_a_refusal_is_a_sentence(refusal: Exception, notice: str) -> None:
    """Nothing was changed then, and the owner has to know what to do."""
    house = MemoryHouse()
    house.keys.refuse = refusal
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/keys/rotate", data=form(house))
        assert answer.headers["location"] == f"/keys?notice={notice}"
        assert "is-warn" in (await client.get(answer.headers["location"])).text
