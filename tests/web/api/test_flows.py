"""The data map, connecting and incident mode as a program uses them."""

from __future__ import annotations

from typing import Any

from leadgate.model.staff import Role
from tests.web.api.conftest import Api

SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
ADDRESS = "https://salon.bitrix24.eu/rest/17/markedportalkey/"


async def test_a_foreign_crm_is_connected_by_a_program_only_with_a_reason(api: Api) -> None:
    """The third way in beside command and page; the key is in no answer, and the decision stands on the map."""
    wish = {"kind": "bitrix24", "name": "Группа", "secrets": {"webhook_url": ADDRESS}, "check": False}
    refused = await api.ask("POST", "/connections", json=wish, key="first")
    assert (refused.status_code, refused.json()["code"]) == (422, "recipient.undecided")
    assert not [one for one in await rows(api) if one["host"] == "salon.bitrix24.eu"]
    made = await api.ask("POST", "/connections", json={**wish, "foreign_reason": "портал группы"}, key="second")
    assert made.status_code == 201, made.text
    (row,) = [one for one in await rows(api) if one["host"] == "salon.bitrix24.eu"]
    assert (row["role"], row["place"], row["standing"], row["connection"]) == (
        "crm",
        "abroad",
        "allowed",
        made.json()["connection"],
    )
    assert row["decision"]["reason"] == "портал группы"
    decision = {"host": "salon.bitrix24.eu", "allowed": False, "reason": "переезжаем"}
    told = await api.ask("POST", "/data-map/decisions", json=decision)
    assert told.json()["recipients"][0]["standing"] == "refused"
    unknown = await api.ask("POST", "/data-map/decisions", json={**decision, "host": "nobody.example"})
    assert unknown.status_code == 404
    assert "markedportalkey" not in "".join(answer.text for _, answer in api.seen)


async def test_a_made_secret_is_asked_for_because_no_answer_may_hold_it(api: Api) -> None:
    """Answers are kept for a day."""
    wish = {"kind": "bot", "name": "Третий"}
    refused = await api.ask("POST", "/connections", json=wish)
    assert (refused.status_code, "signing_secret" in refused.json()["detail"]) == (422, True)
    made = await api.ask("POST", "/connections", json={**wish, "secrets": {"signing_secret": SECRET}})
    assert (made.status_code, SECRET in made.text) == (201, False)


async def test_an_incident_by_a_program(api: Api) -> None:
    """Who may not act sees the clocks and not the words, and a repeat under the same key opens no second one."""
    wish = {"drill": True, "freeze": True, "what": "Ключ нашли в чате"}
    opened = await api.ask("POST", "/incident", json=wish, key="open")
    assert (opened.status_code, opened.json()["on_their_way"], opened.json()["story"]) == (201, 0, None)
    again = await api.ask("POST", "/incident", json=wish, key="open")
    assert (again.status_code, again.json()["incident"]) == (201, opened.json()["incident"])
    assert (await api.ask("POST", "/incident", json=wish, key="other")).status_code == 409
    assert (await api.get("/incident"))["story"]["what"] == "Ключ нашли в чате"
    assert (await api.get("/incident", Role.AUDITOR))["story"] is None
    assert (await api.ask("GET", "/incident/notices/24", Role.AUDITOR)).status_code == 403
    assert "Ключ нашли" in (await api.get("/incident/notices/24"))["text"]
    assert (await api.ask("POST", "/incident/count", json={})).json()["affected"]["persons"] == 0
    assert (await api.ask("POST", "/incident/close", json={"reason": "учения"})).json()[
        "code"
    ] == "incident.still_frozen"
    assert (await api.ask("POST", "/incident/unfreeze", json={})).json()["frozen"] == []
    assert (await api.ask("POST", "/incident/close", json={})).json()["code"] == "incident.notice_missing"
    closed = await api.ask("POST", "/incident/close", json={"reason": "учения"})
    assert (closed.status_code, closed.json()["open"]) == (200, False)
    (row,) = (await api.get("/incidents", Role.AUDITOR))["items"]
    assert (row["drill"], row["open"]) == (True, False)


async def rows(api: Api) -> list[dict[str, Any]]:
    """The map."""
    return list((await api.get("/data-map", Role.AUDITOR))["recipients"])
