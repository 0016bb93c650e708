"""Requests by API and by command: the same words for the same deed, once for each key, and no words without a trace."""

from __future__ import annotations

from leadgate.model.staff import Role
from tests.web.api.conftest import Api

WORDS = "Удалите мои данные, меня зовут Алсу Гарипова"
REASON = "архив-на-бумаге-4711"


async def test_the_way_of_a_request_by_program_and_by_command(api: Api) -> None:
    """Opened once though the answer was lost, extended, closed; a running gateway and the commands see the same."""
    command = api.salon.gateway.ask
    body = {"kind": "access", "way": "paper", "words": WORDS}
    first = await api.ask("POST", "/requests", json=body, key="one")
    again = await api.ask("POST", "/requests", json=body, key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    request_id = first.json()["request"]
    by_command = await command("requests", "open", "erase", "--way", "email")

    listed = await api.get("/requests?state=open")
    assert {one["id"] for one in listed["items"]} == {request_id, by_command["request"]}
    assert listed == await command("requests", "list", "--state", "open")
    assert await api.get(f"/requests/{request_id}") == await command("requests", "show", request_id)
    assert (await api.get("/requests?limit=1"))["next"] == "1"

    shown = await api.ask("GET", f"/requests/{request_id}/words", Role.MANAGER)
    assert shown.status_code == 403
    assert (await api.get(f"/requests/{request_id}/words"))["words"] == WORDS

    extended = await api.ask("POST", f"/requests/{request_id}/extend", json={"reason": REASON}, key="two")
    assert (
        extended.json()
        == (await api.ask("POST", f"/requests/{request_id}/extend", json={"reason": REASON}, key="two")).json()
    )
    assert extended.json()["due_on"] == (await api.get(f"/requests/{request_id}"))["request"]["due_on"]
    twice = await api.ask("POST", f"/requests/{request_id}/extend", json={"reason": REASON})
    assert (twice.status_code, twice.json()["code"]) == (409, "request.not_extendable")

    silent = await api.ask("POST", f"/requests/{request_id}/close", json={"outcome": "refused"})
    assert (silent.status_code, silent.json()["code"]) == (422, "request.reason_missing")
    closed = await api.ask("POST", f"/requests/{request_id}/close", json={"outcome": "refused", "note": REASON})
    assert closed.json() == {"request": request_id, "state": "closed"}
    done = await command("requests", "close", by_command["request"], "--outcome", "done")
    assert done == {"request": by_command["request"], "state": "closed"}
    assert (await api.get("/requests?state=open"))["items"] == []

    nobody = await api.ask("POST", f"/requests/{request_id}/assign", json={"who": "+7 900 000-99-99"})
    assert nobody.status_code == 404
    assert "900" not in nobody.text, "a phone is not repeated"
    everything = api.salon.gateway.printed()
    assert [mark for mark in ("Алсу", "Гарипова", REASON, "0009999") if mark in everything] == []
