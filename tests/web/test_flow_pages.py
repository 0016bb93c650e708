"""The pages of the data map and of incident mode over the wire: what is decided there, what is refused, what is kept back."""

from __future__ import annotations

import pytest

from leadgate.errors import ConfigurationError
from leadgate.model.staff import Role
from tests.web.page_house import MemoryHouse
from tests.web.test_pages import form, visitor


async def test_a_foreign_host_asks_for_a_reason_as_one_more_step_of_the_form() -> None:
    """The field is not there before, and what was typed stays; secrets do not."""
    house = MemoryHouse()
    house.connections.refuse = ConfigurationError("crm.example is foreign.", code="recipient.undecided")
    path = "/connections/new/bot"
    async with visitor(house, Role.OWNER) as client:
        assert "foreign_reason" not in (await client.get(path)).text
        refused = await client.post(path, data=form(house, name="Мой бот"))
        assert refused.status_code == 422
        assert 'name="foreign_reason"' in refused.text
        assert "Мой бот" in refused.text
        house.connections.refuse = None
        done = await client.post(path, data=form(house, name="Мой бот", foreign_reason="так надо", host_country="de"))
        assert done.status_code == 200
    assert house.connections.received[-1]["foreign_reason"] == "так надо"
    assert house.connections.received[-1]["host_country"] == "de"


async def test_a_host_of_the_own_network_asks_for_a_reason_too() -> None:
    """A Bitrix24 of one's own stands behind the salon's wall; the form says why we ask."""
    house = MemoryHouse()
    house.connections.refuse = ConfigurationError("192.168.1.10 is of your own network.", code="connection.own_network")
    path = "/connections/new/bot"
    async with visitor(house, Role.OWNER) as client:
        assert "own_network_reason" not in (await client.get(path)).text
        refused = await client.post(path, data=form(house, name="Мой бот"))
        assert refused.status_code == 422
        assert 'name="own_network_reason"' in refused.text
        assert "foreign_reason" not in refused.text
        house.connections.refuse = None
        done = await client.post(path, data=form(house, name="Мой бот", own_network_reason="наш Битрикс24"))
        assert done.status_code == 200
    assert house.connections.received[-1]["own_network_reason"] == "наш Битрикс24"


async def test_a_decision_is_taken_on_the_map() -> None:
    """With a reason; without one the page says so."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        page = (await client.get("/data-map")).text
        assert page.index("crm.example") < page.index("salon.bitrix24.ru")
        none = await client.post("/data-map/decide", data=form(house, host="crm.example", decision="allow", reason=""))
        assert none.headers["location"] == "/data-map?notice=recipient_reason_missing"
        data = form(house, host="crm.example", decision="allow", reason="наш сервер", country="RU")
        assert (await client.post("/data-map/decide", data=data)).headers["location"].endswith("recipient_decided")
        assert house.data_map.acts == [("crm.example", "allow")]
        paper = await client.get("/data-map/paper")
        assert (paper.headers["content-type"], paper.content[:4]) == ("application/pdf", b"%PDF")


async def test_one_button_stops_and_the_page_shows_both_clocks() -> None:
    """From the button to the closing."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        first = (await client.get("/incident")).text
        assert first.count("btn--main btn--phone") == 1
        opened = await client.post("/incident/open", data=form(house, what="Ключ нашли", drill="yes"))
        assert opened.headers["location"] == "/incident?notice=incident_opened"
        page = (await client.get("/incident")).text
        assert page.count("btn--main btn--phone") == 1
        assert "осталось 24" in page.replace("\N{NO-BREAK SPACE}", " ")
        assert "УЧЕНИЯ" in page
        still = await client.post("/incident/close", data=form(house, reason="ошиблись"))
        assert still.headers["location"].endswith("incident_still_frozen")
        await client.post("/incident/unfreeze", data=form(house))
        why = await client.post("/incident/close", data=form(house, reason=""))
        assert why.headers["location"].endswith("incident_notice_missing")
        await client.post("/incident/close", data=form(house, reason="ошиблись"))
        assert "учения" in (await client.get("/incident")).text
    assert [act for act, _ in house.incidents.acts] == ["drill", "unfreeze", "close"]


async def test_days_of_a_count_are_the_salons_own_and_whole() -> None:
    """«По 24 ноября» means until its midnight in Moscow."""
    house = MemoryHouse()
    house.incidents.opened()
    async with visitor(house, Role.OWNER) as client:
        await client.post("/incident/count", data=form(house, since="2026-11-20", until="2026-11-24"))
        wrong = await client.post("/incident/count", data=form(house, since="вчера"))
        assert wrong.headers["location"].endswith("incident_time_wrong")
    assert house.incidents.acts == [("count", "2026-11-25T00:00:00+03:00")]


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR])
async def test_who_may_not_act_sees_the_clocks_and_not_the_words(role: Role) -> None:
    """The words may name people; the clocks are for everybody."""
    house = MemoryHouse()
    house.incidents.opened()
    async with visitor(house, role) as client:
        page = (await client.get("/incident")).text
        assert "Первое уведомление" in page.replace("\N{NO-BREAK SPACE}", " ")
        assert "alert(" not in page
        assert (await client.get("/incident/notices/24")).status_code == 403
