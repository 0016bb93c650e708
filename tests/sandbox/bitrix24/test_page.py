from __future__ import annotations

from leadgate.sandbox.bitrix24 import Sandbox
from leadgate.sandbox.bitrix24.words import CATALOGUE
from tests.sandbox.bitrix24.driver import ManualClock, PortalClient


async def test_leads_are_listed_newest_first_with_their_history(portal: PortalClient, clock: ManualClock) -> None:
    """What the demo and acceptance checks read."""
    contact = await portal.add_contact("+79000000001", name="Лейла", lastName="С.")
    await portal.add_lead(name="Первая")
    clock.advance(1)
    lead = await portal.add_lead(
        name="Лейла",
        title="Запись",
        sourceId="WEB",
        utmSource="yandex",
        comments="на четверг",
        originatorId="leadgate",
        originId="evt_1",
        contactId=contact,
        fm=[{"typeId": "PHONE", "value": "+79000000001"}, {"typeId": "EMAIL", "value": "leila@example.com"}],
    )
    fields = {"ENTITY_ID": lead, "ENTITY_TYPE": "lead", "COMMENT": "Здравствуйте!"}
    comment = await portal.result("crm.timeline.comment.add", fields=fields)

    items = (await portal.http.get(portal.base_url + "/leads.json")).json()["items"]
    assert [item["name"] for item in items] == ["Лейла", "Первая"]
    assert items[0] == {
        "entity": "lead",
        "id": lead,
        "title": "Запись",
        "name": "Лейла",
        "phone": "+79000000001",
        "email": "leila@example.com",
        "source_id": "WEB",
        "source_description": None,
        "stage": "NEW",
        "closed": False,
        "origin_id": "evt_1",
        "originator_id": "leadgate",
        "utm": {"source": "yandex", "medium": None, "campaign": None, "content": None, "term": None},
        "comments": "на четверг",
        "contact_id": contact,
        "contact": {"id": contact, "name": "Лейла С.", "phone": "+79000000001"},
        "timeline": [
            {"id": comment, "kind": "comment", "text": "Здравствуйте!", "at": "2026-11-22T10:00:01.000+00:00"}
        ],
        "created_at": "2026-11-22T10:00:01.000+00:00",
    }
    people = (await portal.http.get(portal.base_url + "/contacts.json")).json()["items"]
    assert [(person["id"], person["phones"]) for person in people] == [(contact, ["+79000000001"])]


async def test_a_lead_that_became_a_deal_is_listed_once(portal: PortalClient, sandbox: Sandbox) -> None:
    """With the origin and the history of its lead: whoever counts must not count twice."""
    sandbox.portal.mode = 2
    lead = await portal.add_lead(name="Лейла", originId="evt_1", fm=[{"typeId": "PHONE", "value": "+79000000001"}])
    fields = {"ENTITY_ID": lead, "ENTITY_TYPE": "lead", "COMMENT": "Здравствуйте!"}
    await portal.result("crm.timeline.comment.add", fields=fields)
    items = (await portal.http.get(portal.base_url + "/leads.json")).json()["items"]
    assert [(item["entity"], item["origin_id"], item["name"], item["phone"]) for item in items] == [
        ("deal", "evt_1", "Лейла", "+79000000001")
    ]
    assert [entry["text"] for entry in items[0]["timeline"]] == ["Здравствуйте!"]


async def test_the_page_escapes_what_came_from_outside(portal: PortalClient) -> None:
    """Names and comments are written by strangers."""
    evil = "<script>alert(1)</script>"
    lead = await portal.add_lead(name=evil, title=evil, comments=evil, originId=evil, utmSource=evil, sourceId=evil)
    fields = {"ENTITY_ID": lead, "ENTITY_TYPE": "lead", "COMMENT": evil}
    await portal.result("crm.timeline.comment.add", fields=fields)
    page = await portal.http.get(portal.base_url + "/")
    assert "<script" not in page.text
    assert page.text.count("&lt;script&gt;") >= 6


async def test_the_page_obeys_a_strict_policy(portal: PortalClient) -> None:
    """No inline style or script, nothing from elsewhere; its own style and icons are served."""
    page = await portal.http.get(portal.base_url + "/")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'")
    assert page.headers["referrer-policy"] == "same-origin"  # or the buttons come from the origin `null`
    assert "style=" not in page.text
    assert "http://" not in page.text
    for path in ("/sandbox/style.css", "/sandbox/icons.svg", "/sandbox/favicon.svg"):
        assert path in page.text
        assert (await portal.http.get(portal.base_url + path)).status_code == 200


async def test_the_page_speaks_russian_first_and_english_on_wish(portal: PortalClient) -> None:
    """By the address, then by the browser, else Russian."""

    async def title(query: str, accepted: str) -> str:
        page = await portal.http.get(portal.base_url + "/" + query, headers={"accept-language": accepted})
        return str(page.text.partition("<h1>")[2].partition("</h1>")[0])

    assert await title("", "*") == "Песочница Битрикс24"
    assert await title("", "en-GB,ru;q=0.5") == "Bitrix24 sandbox"
    assert await title("?lang=ru", "en") == "Песочница Битрикс24"
    assert CATALOGUE["ru"].keys() == CATALOGUE["en"].keys()


async def test_the_page_refreshes_itself_until_it_is_asked_not_to(portal: PortalClient) -> None:
    """Whoever reads with a screen reader must be able to stop it."""
    live = await portal.http.get(portal.base_url + "/")
    still = await portal.http.get(portal.base_url + "/?live=0")
    assert 'http-equiv="refresh"' in live.text
    assert 'http-equiv="refresh"' not in still.text


async def test_the_buttons_switch_faults_and_close_leads(portal: PortalClient, sandbox: Sandbox) -> None:
    """Plain forms that lead back to the page."""
    base = portal.base_url
    down = await portal.http.post(base + "/sandbox/switch", data={"to": "down"}, headers={"origin": base})
    assert (down.status_code, down.headers["location"]) == (303, "/?lang=ru")
    assert [fault.name.value for fault in sandbox.faults] == ["down"]
    assert "Включено: down" in (await portal.http.get(base + "/?lang=ru")).text
    await portal.http.post(base + "/sandbox/switch", data={"to": "calm"})
    assert len(sandbox.faults) == 0

    lead = await portal.add_lead(name="Лейла")
    form = {"entity": "lead", "id": str(lead), "stage": "JUNK", "back": "en-still"}
    closed = await portal.http.post(base + "/sandbox/stage", data=form)
    assert closed.headers["location"] == "/?lang=en&live=0"
    assert (await portal.http.get(base + "/leads.json")).json()["items"][0]["closed"] is True
    assert (await portal.http.post(base + "/sandbox/stage", data={**form, "stage": "MOON"})).status_code == 400


async def test_the_page_shows_the_newest_fifty(portal: PortalClient) -> None:
    """It stays readable with thousands of leads and says how many there are."""
    for number in range(51):
        await portal.add_lead(name=f"Клиент {number}")
    page = (await portal.http.get(portal.base_url + "/?lang=ru")).text
    assert page.count("<article") == 50
    assert "из 51" in page
