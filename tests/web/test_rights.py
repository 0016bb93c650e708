"""Every cell of docs/security/rights.md, tried: each page and each act of one, for each role and for nobody."""

from __future__ import annotations

import re

import httpx
import pytest

from leadgate.model.staff import Role
from tests.docs.pages import ROOT, read
from tests.web.api.test_roles import ALLOWED as API_ALLOWED
from tests.web.page_house import SETUP_TOKEN, MemoryHouse, opened
from tests.web.test_pages import NAMES

PAGE = ROOT / "docs" / "security" / "rights.md"
ROW = re.compile(r"\| (\w+) \| `([^`]+)` \| [\w—]+ \| (yes|—) \| " + r" \| ".join(["(yes|—)"] * 5) + r" \|")
NAMES_IN_PATHS = {
    "delivery_id": "dlv_4",
    "event_id": "evt_1",
    "connection_id": "conn_1",
    "kind": "bot",
    "service": "telegram",
    "target_id": "addr_1",
    "subject_id": "subj_1",
    "request_id": "req_1",
    "staff_id": "staff_manager",
    "session_id": "sess_2",
    "token_id": "tok_1",
    "passkey_id": "key_1",
    "token": SETUP_TOKEN,
    "number": "1",
    "notice": "24",
    "erasure_id": "era_1",
    "name": "processing.ru",
}
NOBODY = None
COLUMNS = (*Role, NOBODY)


def rows(title: str) -> list[tuple[str, str, bool, dict[Role | None, bool]]]:
    """Method, address, whether a fresh proof is asked for, and who may, of one table of the page."""
    part = read(PAGE).partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    found = []
    for line in part.splitlines():
        if cells := ROW.fullmatch(line):
            may = {role: cells[4 + number] == "yes" for number, role in enumerate(COLUMNS)}
            found.append((cells[1], cells[2], cells[3] == "yes", may))
    assert len(found) == sum(line.startswith(("| GET", "| POST", "| DELETE")) for line in part.splitlines())
    return found


def filled(path: str) -> str:
    """The address with a sample for each name in it."""
    return re.sub(r"\{(\w+)\}", lambda name: NAMES_IN_PATHS[name[1]], path)


async def try_cell(
    client: httpx.AsyncClient, house: MemoryHouse, role: Role | None, method: str, path: str, *, is_stale: bool = False
) -> httpx.Response:
    """One request of a fresh session of this role, or of a stranger."""
    client.cookies.clear()
    data = {}
    if role is not None:
        token = (await house.people.open_session(house.people.staff[NAMES[role]])).token or ""
        client.cookies.set("leadgate_session", token)
        data = {"csrf": house.people.sessions[token].csrf_token}
    if is_stale:
        house.people.grow_stale()
    if method == "GET":
        return await client.get(filled(path))
    return await client.post(filled(path), data=data)


def outcome(answer: httpx.Response) -> str:
    """`sign_in`, `forbidden`, `prove`, or `passed` as far as the guards go."""
    place = answer.headers.get("location", "") if answer.is_redirect else ""
    if answer.status_code == 401 and "access.sign_in" in answer.text:
        return "sign_in"
    if answer.status_code == 403:
        return "forbidden"
    return "prove" if place.startswith("/prove") else "sign_in" if place.partition("?")[0] == "/login" else "passed"


@pytest.mark.parametrize("role", COLUMNS, ids=lambda role: role.value if role else "nobody")
async def test_every_page_and_act_for_every_role(role: Role | None) -> None:
    """The page says it, the product does it; who may not is refused before anything is read."""
    house, wrong = MemoryHouse(), []
    async with opened(house) as origin, httpx.AsyncClient(base_url=origin, trust_env=False) as client:
        client.headers["accept"] = "text/html"
        for method, path, _, may in rows("Pages"):
            found = outcome(await try_cell(client, house, role, method, path))
            denied = "forbidden" if role else "sign_in"
            wanted = {"passed", *(["sign_in"] if path == "/logout" else [])} if may[role] else {denied}
            wrong += [] if found in wanted else [(method, path, found)]
    assert wrong == []


async def test_what_asks_for_a_fresh_proof_asks_for_it() -> None:
    """The owner, signed in since the morning: exactly the acts of the page send her to show who she is."""
    house, found = MemoryHouse(), []
    asked = [(method, path) for method, path, is_fresh, _ in rows("Pages") if is_fresh]
    async with opened(house) as origin, httpx.AsyncClient(base_url=origin, trust_env=False) as client:
        client.headers["accept"] = "text/html"
        for method, path, _, _ in rows("Pages"):
            answer = await try_cell(client, house, Role.OWNER, method, path, is_stale=True)
            found += [(method, path)] if outcome(answer) == "prove" else []
    assert found == asked
    assert ("POST", "/staff/{staff_id}/role") in asked, "and the table is no empty one"


def test_the_api_of_the_page_is_the_one_that_is_tried() -> None:
    """`test_roles` sends every role and a stranger to every endpoint; the page says the same."""
    told = {(method, path): frozenset(role for role in Role if may[role]) for method, path, _, may in rows("API")}
    assert told == API_ALLOWED
    assert not [path for _, path, _, may in rows("API") if may[NOBODY]]


async def test_an_act_that_was_pressed_too_late_is_not_done_and_said_so() -> None:
    """She proves who she is, comes back to the page where she pressed, and is told to press again."""
    house = MemoryHouse()
    async with opened(house) as origin, httpx.AsyncClient(base_url=origin, trust_env=False) as client:
        client.headers["accept"] = "text/html"
        page = f"{origin}/staff/staff_manager?notice=x"
        client.headers["referer"] = page
        answer = await try_cell(client, house, Role.OWNER, "POST", "/staff/{staff_id}/dismiss", is_stale=True)
        assert answer.headers["location"] == "/prove?next=%2Fstaff%2Fstaff_manager&again=1"
        assert house.roster.acts == []
        session = list(house.people.sessions.values())[-1]
        data = {"csrf": session.csrf_token, "password": "мимо", "next": "/staff/staff_manager", "again": "1"}
        assert (await client.post("/prove", data=data)).status_code == 401
        data["password"] = "четыре слова и лимон"
        back = await client.post("/prove", data=data)
        assert back.headers["location"] == "/staff/staff_manager?notice=proven"
        await client.post("/staff/staff_manager/dismiss", data=data)
    assert house.roster.acts == [("dismiss", "staff_manager", "staff_owner")]


@pytest.mark.parametrize("referrer", ["https://evil.example/phish", "//evil.example", "javascript:x"])
async def test_a_proof_never_leads_outside(referrer: str) -> None:
    """Neither by the page that was left nor by the address."""
    house = MemoryHouse()
    async with opened(house) as origin, httpx.AsyncClient(base_url=origin, trust_env=False) as client:
        client.headers.update({"accept": "text/html", "referer": referrer})
        answer = await try_cell(client, house, Role.OWNER, "POST", "/staff/{staff_id}/dismiss", is_stale=True)
        assert answer.headers["location"] == "/prove?next=%2F&again=1"
        data = {"csrf": list(house.people.sessions.values())[-1].csrf_token, "password": "четыре слова и лимон"}
        assert (await client.post("/prove", data=data | {"next": referrer})).headers["location"] == "/"
