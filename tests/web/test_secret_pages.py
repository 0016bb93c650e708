"""The page of secrets over the wire: what is shown, what is shown once, and what a refusal says."""

from __future__ import annotations

import pytest

from leadgate.errors import ConfigurationError, ConflictError, LeadgateError, ServiceUnavailableError
from leadgate.model.staff import Role
from tests.web.page_house import MemoryHouse
from tests.web.secrets_house import HOSTILE, MADE
from tests.web.test_pages import form, visitor


async def test_the_list_says_what_is_overdue_and_never_a_value() -> None:
    """Colour, word and age; who may not change anything sees no buttons."""
    house = MemoryHouse()
    async with visitor(house, Role.AUDITOR) as client:
        page = (await client.get("/secrets")).text
        assert "1\u00a0ключ давно пора сменить" in page
        assert page.index("пора сменить") < page.index("свежий")
        assert HOSTILE not in page
        assert "<form" not in page.partition("<h1")[2].partition("</main>")[0]
    house.secrets.views = []
    async with visitor(house, Role.OWNER) as client:
        assert "Ключей пока нет" in (await client.get("/secrets")).text


async def test_a_key_that_a_person_carries_elsewhere_is_shown_this_once() -> None:
    """With its steps, and never kept by a browser."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        made = await client.post("/secrets/conn_2.signing_secret/rotate", data=form(house))
        assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
        assert MADE.replace("=", "") in made.text.replace("&#61;", "=").replace("=", "")
        assert "Впишите его в" in made.text.replace("\u00a0", " ")
        assert MADE not in (await client.get("/secrets")).text
        quiet = await client.post("/secrets/conn_1.webhook_secret/rotate", data=form(house))
        assert "Ключ сменили" in quiet.text
    assert [act[:2] for act in house.secrets.acts] == [
        ("rotate", "conn_2.signing_secret"),
        ("rotate", "conn_1.webhook_secret"),
    ]


async def test_a_value_that_a_person_brings_replaces_the_old_one_until_undone_or_confirmed() -> None:
    """From the field to both ways out; what was typed never stands in a page."""
    house = MemoryHouse()
    async with visitor(house, Role.INTEGRATOR) as client:
        done = await client.post("/secrets/conn_1.bot_token/set", data=form(house, value=" 1:new "))
        assert done.headers["location"] == "/secrets?notice=secret_set"
        for act in ("undo", "confirm"):
            answer = await client.post(f"/secrets/conn_3.webhook_url/{act}", data=form(house))
            assert answer.status_code == 303
        days = await client.post("/secrets/due", data=form(house, days="45"))
        assert days.headers["location"] == "/secrets?notice=secret_due"
        assert 'value="45"' in (await client.get("/secrets")).text
    names = [(act[0], act[1]) for act in house.secrets.acts]
    assert names[1:] == [("undo", "conn_3.webhook_url"), ("confirm", "conn_3.webhook_url"), ("due", "45")]
    assert house.secrets.acts[0][2] == "1:new"


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (ConflictError("No.", code="secret.refused"), 409, "не признала новый ключ"),
        (ConfigurationError("No.", code="secret.other_account"), 422, "от другого аккаунта"),
        (ServiceUnavailableError("No.", code="secret.unreachable"), 503, "нет связи"),
        (ConflictError("No.", code="something.else"), 409, "Не получилось"),
    ],
)
async def test_a_refusal_says_which_key_is_at_work(error: LeadgateError, status: int, words: str) -> None:
    """In the words of the house, with nothing that was typed."""
    house = MemoryHouse()
    house.secrets.refuse = error
    async with visitor(house, Role.OWNER) as client:
        for act in ("set", "rotate", "undo"):
            answer = await client.post(f"/secrets/conn_1.bot_token/{act}", data=form(house, value="1:typed"))
            assert answer.status_code == status
            assert words in answer.text.replace("\u00a0", " ")
            assert "1:typed" not in answer.text
        assert (await client.post("/secrets/due", data=form(house, days="x"))).status_code == status
