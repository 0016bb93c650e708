"""The pages over the wire: who gets in, what is refused, what is said and what is kept back."""

import html
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from litestar import get
from litestar.handlers import HTTPRouteHandler

from leadgate.errors import ConfigurationError, ConflictError
from leadgate.model.deliveries import DeliveryKind, MessageFate
from leadgate.model.staff import Role
from leadgate.model.views import Figures, Light
from leadgate.web.access import ALLOWED, Act, local_path, may
from leadgate.web.base import build_pages, find_pages
from tests.web.page_house import (
    FRESH_SECRET,
    HOSTILE,
    NAME,
    NOW,
    PASSWORD,
    PHONE,
    SETUP_TOKEN,
    MemoryHouse,
    opened,
    reconciliation,
    served,
    view,
)

HTML = {"accept": "text/html"}
OUR_SCRIPT = re.compile(r'<script src="/static/passkeys\.js\?v=[0-9a-f]+" defer></script>')
NAMES = {Role.OWNER: "Ирина", Role.INTEGRATOR: "Игорь", Role.MANAGER: "Лейла", Role.AUDITOR: "Аудитор"}
READ_PAGES = (
    "/",
    "/deliveries",
    "/deliveries/dlv_4",
    "/events",
    "/events/evt_1",
    "/ledger",
    "/connections",
    "/connections/conn_1",
    "/alerts",
    "/alerts/new",
    "/alerts/new/telegram",
    "/reach",
    "/retention",
    "/keys",
    "/policies",
    "/policies/change",
    "/health-mode",
    "/erasures",
    "/subjects/subj_7/erase",
    "/requests",
    "/requests?state=closed",
    "/requests/req_1",
    "/requests/new",
    "/subjects",
    "/subjects/subj_1",
    "/subjects/subj_2",
    "/subjects/subj_3",
    "/data-map",
    "/incident",
    "/secrets",
    "/journal",
    "/consents",
    "/consents/1",
    "/consents/proof",
    "/staff",
    "/tokens",
    "/me",
    "/prove",
    "/deliveries/dlv_4/fix",
)
OWNERS_PAGES = (
    "/alerts/new",
    "/alerts/new/telegram",
    "/policies/change",
    "/subjects/subj_7/erase",
    "/requests/new",
    "/deliveries/dlv_4/fix",
)
POSTS = {
    "/deliveries/dlv_4/retry": Act.RETRY,
    "/deliveries/retry-all": Act.RETRY,
    "/deliveries/dlv_4/discard": Act.DISCARD,
    "/deliveries/dlv_4/fix": Act.FIX,
    "/deliveries/dlv_4/fix/open": Act.FIX,
    "/deliveries/dlv_6/confirm": Act.RETRY,
    "/events/evt_1/reveal": Act.REVEAL,
    "/reconcile": Act.RECONCILE,
    "/ledger/reconcile": Act.RECONCILE,
    "/connections/conn_1/check": Act.CONNECT,
    "/connections/conn_1/pause": Act.CONNECT,
    "/connections/conn_1/resume": Act.CONNECT,
    "/connections/conn_1/remove": Act.CONNECT,
    "/connections/new/bot": Act.CONNECT,
    "/ledger/accept": Act.RECONCILE,
    "/ledger/withdraw": Act.RECONCILE,
    "/alerts/addr_1/test": Act.CONNECT,
    "/alerts/addr_1/remove": Act.CONNECT,
    "/alerts/new/telegram": Act.CONNECT,
    "/policies/change": Act.PRIVACY,
    "/retention": Act.PRIVACY,
    "/keys/rotate": Act.KEYS,
    "/health-mode": Act.PRIVACY,
    "/subjects/subj_7/erase": Act.PRIVACY,
    "/requests/new": Act.PRIVACY,
    "/requests/req_1/reveal": Act.PRIVACY,
    "/requests/req_1/assign": Act.PRIVACY,
    "/requests/req_1/extend": Act.PRIVACY,
    "/requests/req_1/close": Act.PRIVACY,
    "/requests/req_1/answer": Act.PRIVACY,
    "/subjects/search": Act.PRIVACY,
    "/subjects/subj_1/export": Act.PRIVACY,
    "/subjects/subj_1/correct": Act.PRIVACY,
    "/subjects/subj_1/block": Act.PRIVACY,
    "/subjects/subj_2/unblock": Act.PRIVACY,
    "/data-map/decide": Act.PRIVACY,
    **{f"/secrets/conn_1.bot_token/{act}": Act.CONNECT for act in ("rotate", "set", "undo", "confirm")},
    "/secrets/due": Act.CONNECT,
    **{
        f"/incident/{act}": Act.PRIVACY
        for act in ("open", "freeze", "unfreeze", "note", "count", "notices/24/sent", "export", "close")
    },
    "/consents/rule": Act.PRIVACY,
    "/consents/texts/processing.ru": Act.PRIVACY,
    "/staff/new": Act.PEOPLE,
    "/staff/staff_manager/role": Act.PEOPLE,
    "/staff/staff_manager/reset": Act.PEOPLE,
    "/staff/staff_manager/dismiss": Act.PEOPLE,
    "/staff/staff_manager/sessions/sess_2/end": Act.PEOPLE,
    "/tokens/new": Act.TOKENS,
    "/tokens/tok_1/revoke": Act.TOKENS,
}
OWN_POSTS = (
    "/prove",
    "/prove/passkey",
    "/prove/passkey/ask",
    "/me/codes",
    "/me/codes/confirm",
    "/me/codes/remove",
    "/me/recovery",
    "/me/passkeys",
    "/me/passkeys/ask",
    "/me/passkeys/{passkey_id:str}/remove",
    "/me/sessions/{session_id:str}/end",
)
"""What everybody who is signed in may do about their own way in."""

OPEN_POSTS = {
    "/login",
    "/login/second",
    "/login/passkey",
    "/login/passkey/ask",
    "/logout",
    "/preferences",
    "/setup/{token:str}",
    *OWN_POSTS,
}


@asynccontextmanager
async def visitor(house: MemoryHouse, role: Role | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the pages, signed in as this role or a stranger."""
    async with opened(house) as origin, httpx.AsyncClient(base_url=origin, headers=HTML, trust_env=False) as client:
        if role is not None:
            answer = await client.post("/login", data={"name": NAMES[role], "password": PASSWORD})
            assert answer.status_code == 303
        yield client


def form(house: MemoryHouse, **fields: str) -> dict[str, str]:
    """A form of the last session, with its token."""
    session = list(house.people.sessions.values())[-1]
    return {"csrf": session.csrf_token, **fields}


async def test_a_stranger_is_sent_to_sign_in_and_then_back() -> None:
    """Whoever opens a link from a message lands where they wanted."""
    async with visitor(MemoryHouse()) as client:
        answer = await client.get("/deliveries")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fdeliveries")
        data = {"name": "Ирина", "password": PASSWORD, "next": "/deliveries"}
        assert (await client.post("/login", data=data)).headers["location"] == "/deliveries"


async def test_a_program_without_a_session_gets_a_problem() -> None:
    """RFC 9457 with a stable code instead of a page it cannot read."""
    async with visitor(MemoryHouse()) as client:
        answer = await client.get("/deliveries", headers={"accept": "application/json"})
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.json()["code"] == "access.sign_in"


@pytest.mark.parametrize(
    "wish", ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "javascript:x", "/a\nb", ""]
)
def test_sign_in_never_leads_outside(wish: str) -> None:
    """A link to our sign-in must not be a link to somebody else."""
    assert local_path(wish) == "/"


async def test_a_wrong_password_is_told_without_saying_which_part() -> None:
    """Nobody learns which names exist."""
    async with visitor(MemoryHouse()) as client:
        for name in ("Ирина", "Никого"):
            answer = await client.post("/login", data={"name": name, "password": "не тот пароль"})
            assert answer.status_code == 401
            assert "Имя и\N{NO-BREAK SPACE}пароль не\N{NO-BREAK SPACE}подошли" in answer.text
            assert "set-cookie" not in answer.headers


async def test_too_many_tries_are_told_to_wait() -> None:
    """429 with the minutes to wait, for people and for programs; the password is not blamed."""
    house = MemoryHouse()
    house.people.slow_down = True
    async with visitor(house) as client:
        answer = await client.post("/login", data={"name": "Ирина", "password": PASSWORD})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "70")
        assert "Подождите 2\N{NO-BREAK SPACE}минуты" in answer.text


async def test_every_sign_in_opens_a_fresh_session_and_ends_the_former() -> None:
    """A token that somebody planted before the sign-in is worth nothing after it."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        first = dict(client.cookies)
        await client.post("/login", data=form(house, name="Ирина", password=PASSWORD))
        assert dict(client.cookies) != first
        assert first["leadgate_session"] not in house.people.sessions


async def test_the_cookie_is_locked_to_the_host_when_the_world_comes_by_https() -> None:
    """`__Host-`, Secure, HttpOnly and SameSite=Lax; and the browser is told to come by https alone."""
    house = MemoryHouse()
    house.public_url = "https://leadgate.example"
    async with visitor(house) as client:
        answer = await client.post("/login", data={"name": "Ирина", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-leadgate_session=")
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        assert "max-age=" in answer.headers["strict-transport-security"]


async def test_signing_out_ends_the_session_on_the_server() -> None:
    """A copied cookie is worth nothing afterwards."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/logout", data=form(house))
        assert (answer.headers["location"], house.people.sessions) == ("/login", {})


async def test_set_up_signs_in_and_uses_the_address_up() -> None:
    """The second visitor of the address learns what to do."""
    house = MemoryHouse()
    async with visitor(house) as client:
        path = f"/setup/{SETUP_TOKEN}"
        fields = {"name": "Ирина", "password": PASSWORD, "password_again": PASSWORD}
        answer = await client.post(path, data=fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert (await client.get("/")).status_code == 200
        again = await client.get(path)
        assert again.status_code == 404
        assert "Ссылка больше не\N{NO-BREAK SPACE}работает" in again.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": "мало", "password_again": "мало"}, "Коротковат"),
        ({"password": PASSWORD, "password_again": "другое"}, "Пароли разные"),
        ({"name": " ", "password": PASSWORD, "password_again": PASSWORD}, "Напишите имя"),
    ],
)
async def test_set_up_says_what_to_change_and_never_shows_the_password(fields: dict[str, str], said: str) -> None:
    """The password does not come back in the page."""
    async with visitor(MemoryHouse()) as client:
        answer = await client.post(f"/setup/{SETUP_TOKEN}", data={"name": "Ирина", **fields})
        assert answer.status_code == 422
        assert said in answer.text
        assert fields["password"] not in answer.text


@pytest.mark.parametrize("path", POSTS)
async def test_a_form_without_the_sessions_token_changes_nothing(path: str) -> None:
    """Another site cannot press our buttons with our cookie."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        for data in ({}, {"csrf": "guessed"}):
            assert (await client.post(path, data=data)).status_code == 403
        assert (house.desk.acts, house.connections.received) == ([], [])


@pytest.mark.parametrize("path", ["/login", f"/setup/{SETUP_TOKEN}", "/preferences"])
@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
async def test_a_form_of_another_site_is_refused_before_sign_in(path: str, headers: dict[str, str]) -> None:
    """Nobody is signed in as somebody else from another page."""
    fields = {"name": "Ирина", "password": PASSWORD, "password_again": PASSWORD, "theme": "dark"}
    async with visitor(MemoryHouse()) as client:
        answer = await client.post(path, data=fields, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("role", Role)
async def test_each_act_is_open_to_the_roles_of_the_table_alone(role: Role) -> None:
    """One table decides; an auditor posts nothing, a manager retries and looks."""
    house = MemoryHouse()
    async with visitor(house, role) as client:
        for path, act in POSTS.items():
            answer = await client.post(path, data=form(house, reason="call", name="Бот"))
            assert (answer.status_code == 403) is not may(role, act), (path, answer.status_code)


def test_every_post_is_in_the_table_of_this_test() -> None:
    """A new form without a guard is seen here first."""
    handlers = [handler for page in find_pages() for handler in page.handlers if "POST" in handler.http_methods]

    def is_told(handler: HTTPRouteHandler, path: str) -> bool:
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", path)
        return path in OPEN_POSTS or any(re.fullmatch(pattern, told) for told in POSTS)

    assert [path for handler in handlers for path in handler.paths if not is_told(handler, path)] == []


def test_the_auditor_reads_only() -> None:
    """By the table itself."""
    assert ALLOWED[Role.AUDITOR] == frozenset()


@pytest.mark.parametrize("path", READ_PAGES)
async def test_a_form_that_may_not_be_used_is_not_shown(path: str) -> None:
    """The auditor sees one form that acts on nothing but themselves: sign out, language and theme."""
    async with visitor(MemoryHouse(), Role.AUDITOR) as client:
        answer = await client.get(path)
        assert answer.status_code == (403 if path in OWNERS_PAGES else 200)
        actions = set(re.findall(r'<form[^>]*action="([^"]+)"[^>]*method="post"', answer.text))
        assert {action for action in actions if not action.startswith(("/me/", "/prove"))} <= {
            "/logout",
            "/preferences",
        }


@pytest.mark.parametrize("path", [*READ_PAGES, "/login", "/nothing/here", "/static/leadgate.css"])
async def test_every_answer_carries_the_security_headers(path: str) -> None:
    """Error pages too."""
    async with visitor(MemoryHouse(), Role.OWNER) as client:
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"] == (
            "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert ("no-store" in headers["cache-control"]) is not path.startswith("/static/")


@pytest.mark.parametrize("path", READ_PAGES)
async def test_names_from_outside_stay_text(path: str) -> None:
    """A client's name is never markup."""
    async with visitor(MemoryHouse(), Role.OWNER) as client:
        text = OUR_SCRIPT.sub("", (await client.get(path)).text)
        assert "<script" not in text
        assert "<img" not in text
        assert " style=" not in text


async def test_what_an_event_said_is_hidden_until_somebody_says_why() -> None:
    """Phone, name and words are not in the page at all before; after it they stand there once, as text."""
    house = MemoryHouse()
    async with visitor(house, Role.MANAGER) as client:
        hidden = (await client.get("/events/evt_1")).text
        assert not [
            word for word in (PHONE, "Светлана", "Запишите", "svetlana@", "sveta_k", "900412") if word in hidden
        ]
        refused = await client.post("/events/evt_1/reveal", data=form(house, reason=""))
        assert (refused.status_code, PHONE in refused.text) == (422, False)
        shown = await client.post("/events/evt_1/reveal", data=form(house, reason="call"))
        assert PHONE in shown.text
        assert HOSTILE not in shown.text
        assert PHONE not in (await client.get("/events/evt_1")).text


async def test_who_looks_says_why_and_may_say_more() -> None:
    """The page promises that it is written down: what it hands on is the closed reason and the words beside it."""
    house = MemoryHouse()
    async with visitor(house, Role.MANAGER) as client:
        await client.post("/events/evt_1/reveal", data=form(house, reason="guessed"))
        assert house.desk.looks == []
        await client.post("/events/evt_1/reveal", data=form(house, reason="call", words="жаловалась на мастера"))
        await client.post("/deliveries/dlv_4/fix/open", data=form(house, reason="fix"))
    assert house.desk.looks == [
        ("evt_1", "staff_manager", "call", "жаловалась на мастера"),
        ("dlv_4", "staff_manager", "fix", ""),
    ]


async def test_the_form_of_a_dead_lead_shows_nothing_before_a_reason() -> None:
    """Correcting is looking: it asks why as well."""
    house = MemoryHouse()
    async with visitor(house, Role.MANAGER) as client:
        for answer in (
            await client.get("/deliveries/dlv_4/fix"),
            await client.post("/deliveries/dlv_4/fix/open", data=form(house, reason="")),
        ):
            assert not [word for word in (PHONE, NAME, "svetlana@") if word in answer.text]
        shown = await client.post("/deliveries/dlv_4/fix/open", data=form(house, reason="fix"))
        assert PHONE in shown.text


async def test_only_owner_and_auditor_see_who_looked() -> None:
    """A manager does not watch the others."""
    for role, sees in ((Role.OWNER, True), (Role.AUDITOR, True), (Role.MANAGER, False), (Role.INTEGRATOR, False)):
        async with visitor(MemoryHouse(), role) as client:
            assert ("Кто смотрел" in (await client.get("/events/evt_1")).text) is sees


@pytest.mark.parametrize(("waiting", "dead"), [(0, 0), (2, 0), (2, 1), (0, 3)])
async def test_the_three_numbers_always_add_up(waiting: int, dead: int) -> None:
    """The equation on the first page is true, dead letters or not."""
    house = MemoryHouse()
    house.desk.ledger = Figures(came=40 + waiting + dead, in_crm=40, waiting=waiting, dead=dead, answered=0, ignored=0)
    async with visitor(house, Role.OWNER) as client:
        text = (await client.get("/")).text
        came, in_crm, rest = (int(number) for number in re.findall(r"<b>(\d+)</b>", text)[:3])
        assert came == in_crm + rest == 40 + waiting + dead
        assert ("ждёт вас" in text or "ждут вас" in text) is (dead > 0)


async def test_one_line_at_most_asks_for_a_person() -> None:
    """Red outranks dead letters; what cures itself is never red."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        text = (await client.get("/")).text
        assert (text.count('role="alert"'), "Telegram больше не" in text) == (1, True)
        house.desk.views = [view for view in house.desk.views if view.light is not Light.BAD]
        assert "ждут вашего решения" in (await client.get("/")).text
        house.desk.details = [detail for detail in house.desk.details if detail.row.state != "dead"]
        alarmed = (await client.get("/")).text
        assert (
            alarmed.count('role="alert"'),
            "ничего не\N{NO-BREAK SPACE}приходит" in alarmed or "ничего не приходит" in alarmed,
        ) == (1, True)
        house.alerts.troubles = []
        calm = (await client.get("/")).text
        assert ('role="alert"' in calm, "Битрикс24 не\N{NO-BREAK SPACE}отвечает" in calm) == (False, True)


async def test_a_difference_in_the_reconciliation_is_told_in_red() -> None:
    """«Сошлось» is said only of a reconciliation that found nothing."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        assert "Не\N{NO-BREAK SPACE}сверяли" in (await client.get("/")).text
        house.desk.check = reconciliation("missing_in_crm", "doubled_in_crm", "doubled_in_crm")
        text = (await client.get("/")).text
        assert "Не\N{NO-BREAK SPACE}сошлось" in text
        assert "Потеряно 1, задвоено 2" in text
        await client.post("/reconcile", data=form(house))
        assert "Сошлось" in (await client.get("/")).text


async def test_the_ledger_adds_up_in_words_and_explains_what_was_found() -> None:
    """The owner reads the sum in one line, and for each finding what to do."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        text = (await client.get("/ledger")).text.replace("\N{NO-BREAK SPACE}", " ")
        assert "Сверки ещё не было" in text
        (line,) = re.findall(r"<strong>61 пришло</strong>(.*?)</p>", text)
        said = " = 38 в CRM + 2 ждут + 12 отвечено без заявки + 5 пропущено + 1 не принято + 3 удалено по просьбе"
        assert line == said
        assert sum(int(number) for number in re.findall(r'<strong class="num">(\d+)</strong>', text)) == 61
        house.desk.check = reconciliation("missing_in_crm", "stranger_in_crm")
        text = (await client.get("/ledger")).text.replace("\N{NO-BREAK SPACE}", " ")
        assert ("Не сошлось" in text, "Нет в CRM" in text, "Незнакомая заявка" in text) == (True, True, True)
        assert ("верните из корзины CRM" in text, "второй Leadgate" in text, "лид 48211" in text) == (True, True, True)
        answer = await client.post("/ledger/reconcile", data=form(house))
        assert answer.headers["location"] == "/ledger?notice=reconciled"
        assert "Сошлось" in (await client.get("/ledger")).text


async def test_an_event_says_what_became_of_it_and_why() -> None:
    """State, cause, the time of the next try, and the cure when a person has to act."""
    async with visitor(MemoryHouse(), Role.OWNER) as client:
        waiting = (await client.get("/events/evt_1")).text.replace("\N{NO-BREAK SPACE}", " ")
        assert "ответ CRM потерялся" in waiting
        assert "Следующая попытка: 14:54:00." in waiting
        assert "дубль &lt;script&gt;" in (await client.get("/events/evt_4")).text
        assert 'class="cure"' in (await client.get("/events/evt_5")).text


async def test_a_new_house_shows_the_next_step_instead_of_zeros() -> None:
    """First no channel, then channels without a message."""
    house = MemoryHouse()
    house.desk.details, house.desk.event_details = [], []
    house.desk.ledger = Figures(came=0, in_crm=0, waiting=0, dead=0, answered=0, ignored=0)
    quiet = [replace(view, last_event_at=None, light=Light.OK, problem=None) for view in house.desk.views]
    async with visitor(house, Role.OWNER) as client:
        house.desk.views = []
        assert "Нет ни\N{NO-BREAK SPACE}одного канала" in (await client.get("/")).text
        house.desk.views = quiet
        text = (await client.get("/")).text
        assert "Здесь появятся заявки" in text
        assert "<b>0</b>" not in text


async def test_every_page_opens_when_there_is_nothing_yet() -> None:
    """Empty states, in both languages."""
    house = MemoryHouse()
    house.desk.details, house.desk.event_details, house.desk.views = [], [], []
    async with visitor(house, Role.OWNER) as client:
        for locale in ("ru", "en"):
            house.locale = locale
            for path in (
                "/",
                "/deliveries",
                "/deliveries?state=dead",
                "/events",
                "/events?state=failed",
                "/ledger",
                "/connections",
            ):
                assert (await client.get(path)).status_code == 200, path


async def test_a_dead_delivery_is_retried_by_whom_and_told() -> None:
    """The house learns who pressed the button."""
    house = MemoryHouse()
    async with visitor(house, Role.MANAGER) as client:
        answer = await client.post("/deliveries/dlv_4/retry", data=form(house))
        assert answer.headers["location"] == "/deliveries/dlv_4?notice=retried"
        again = await client.post("/deliveries/dlv_4/retry", data=form(house))
        assert again.headers["location"] == "/deliveries/dlv_4?notice=conflict"
        assert house.desk.acts == [("retry", "dlv_4", "staff_manager")]


async def test_a_delivery_is_given_up_only_with_a_reason() -> None:
    """The reason is asked for again and nothing is lost meanwhile."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/deliveries/dlv_4/discard", data=form(house, reason="  "))
        assert (answer.status_code, house.desk.acts) == (422, [])
        answer = await client.post("/deliveries/dlv_4/discard", data=form(house, reason="дубль"))
        assert answer.status_code == 303
        assert house.desk.acts == [("discard", "dlv_4", "дубль", "staff_owner")]


async def test_dead_letters_are_grouped_by_cause_and_one_cause_is_retried_alone() -> None:
    """After the owner has cured one cause, the others must not be sent into the same wall again."""
    house = MemoryHouse()
    async with visitor(house, Role.MANAGER) as client:
        assert "Почему не" in (await client.get("/deliveries?state=dead&period=all")).text
        answer = await client.post("/deliveries/retry-all", data=form(house, cause="vendor.never_heard_of"))
        assert answer.headers["location"] == "/deliveries?notice=all_retried&count=1"
        assert house.desk.acts == [("retry_all", "staff_manager", "vendor.never_heard_of")]


async def test_a_dead_lead_is_corrected_and_sent_again() -> None:
    """A wrong number is mended where it is seen; a number that cannot be is said at its field and nothing is sent."""
    house = MemoryHouse()
    async with visitor(house, Role.MANAGER) as client:
        assert "/deliveries/dlv_4/fix" in (await client.get("/deliveries/dlv_4")).text
        shown = (await client.post("/deliveries/dlv_4/fix/open", data=form(house, reason="fix"))).text
        assert (PHONE in shown, "<script>alert" in shown) == (True, False)
        data = {"name": "Светлана", "phone": "8 900 000-04", "email": "a b", "comment": "Маникюр"}
        answer = await client.post("/deliveries/dlv_4/fix", data=form(house, **data))
        assert (answer.status_code, answer.text.count('aria-invalid="true"'), house.desk.acts) == (422, 2, [])
        data |= {"phone": "8 900 000-04-13", "email": ""}
        answer = await client.post("/deliveries/dlv_4/fix", data=form(house, **data))
        assert answer.headers["location"] == "/deliveries/dlv_4?notice=fixed"
        assert house.desk.acts == [("fix", "dlv_4", "staff_manager", "Светлана", "+79000000413", "Маникюр")]
        again = await client.post("/deliveries/dlv_4/fix", data=form(house, **data))
        assert again.headers["location"] == "/deliveries/dlv_4?notice=conflict"


async def test_the_form_with_a_clients_data_opens_for_its_roles_alone() -> None:
    """An auditor reads what happened, not who the client is."""
    async with visitor(MemoryHouse(), Role.AUDITOR) as client:
        answer = await client.get("/deliveries/dlv_4/fix")
        assert (answer.status_code, PHONE in answer.text) == (403, False)


async def test_the_fate_of_a_message_stands_in_its_history() -> None:
    """«Доставлено» by the messenger is not yet read, and a failure that came later is not hidden behind it."""
    house = MemoryHouse()
    number = next(n for n, detail in enumerate(house.desk.details) if detail.row.delivery_id == "dlv_3")
    row = replace(house.desk.details[number].row, connection_kind="telegram", kind=DeliveryKind.MESSAGE)
    for status, said in (
        ("delivered", "доставлено"),
        ("read", "прочитано"),
        ("failed", "не доставлено"),
        ("sent", None),
    ):
        fate = MessageFate(status=status, error_code="131026" if status == "failed" else None, at=NOW)
        house.desk.details[number] = replace(house.desk.details[number], row=row, attempts=(), fate=fate)
        async with visitor(house, Role.OWNER) as client:
            page = (await client.get("/deliveries/dlv_3")).text.replace("\N{NO-BREAK SPACE}", " ")
        log = page[page.index('<ol class="log">') : page.index("</ol>")]
        assert said in log if said else "доставлено" not in log, status
        assert ("telegram.131026" in log) is (status == "failed")


async def test_the_page_of_reach_says_numbers_first_and_no_names() -> None:
    """The question is answered at once for the channel that would cost most; ids alone, paged."""
    async with visitor(MemoryHouse(), Role.MANAGER) as client:
        page = html.unescape((await client.get("/reach")).text).replace("\N{NO-BREAK SPACE}", " ")
        calm = html.unescape((await client.get("/reach?without=bot")).text).replace("\N{NO-BREAK SPACE}", " ")
        further = (await client.get("/reach?without=telegram&cursor=more")).text
        broken = await client.get("/reach?without=telegram&cursor=broken")
        unknown = await client.get("/reach?without=%3Cscript%3E")
    assert "Если завтра закроют Telegram" in page
    assert page.index("Потеряем 860 человек") < page.index("48211")
    assert "411 из них можно позвонить" in page
    assert "cursor=more" in page
    assert "Никого не потеряем." in calm
    assert "subj_2" in further
    assert (broken.status_code, unknown.status_code) == (200, 200)
    assert "<script>" not in unknown.text


async def test_an_uncertain_message_is_decided_by_a_person() -> None:
    """«Дошло» ends it, «не дошло» sends it once more; nobody else can know."""
    house = MemoryHouse()
    async with visitor(house, Role.MANAGER) as client:
        text = (await client.get("/deliveries/dlv_6")).text.replace("\N{NO-BREAK SPACE}", " ")
        assert ("Дошло</button>" in text, "Не дошло, отправить ещё раз</button>" in text) == (True, True)
        answer = await client.post("/deliveries/dlv_6/confirm", data=form(house))
        assert answer.headers["location"] == "/deliveries/dlv_6?notice=confirmed"
        again = await client.post("/deliveries/dlv_6/confirm", data=form(house))
        assert again.headers["location"] == "/deliveries/dlv_6?notice=conflict"
        assert house.desk.acts == [("confirm", "dlv_6", "staff_manager")]


async def test_an_unknown_outcome_says_when_we_look() -> None:
    """The quiet time is a promise with a time, not a spinner."""
    async with visitor(MemoryHouse(), Role.OWNER) as client:
        assert "Проверим в\N{NO-BREAK SPACE}14:53:52" in (await client.get("/deliveries/dlv_2")).text


async def test_a_made_secret_is_shown_once_and_a_given_one_never() -> None:
    """Neither the result page nor a form with a mistake shows what was typed."""
    house = MemoryHouse()
    typed = "https://portal.example/rest/1/typed-in-secret/"
    async with visitor(house, Role.OWNER) as client:
        made = await client.post("/connections/new/bot", data=form(house, name="Бот", check="yes"))
        assert FRESH_SECRET in made.text
        assert FRESH_SECRET not in (await client.get("/connections/conn_3")).text
        house.connections.refuse = ConflictError("Bitrix24 does not know it.", code="connection.refused")
        fields = form(house, **{"name": "Портал", "key-webhook_url": typed, "key-timeout_s": "20"})
        refused = await client.post("/connections/new/bitrix24", data=fields)
        assert (refused.status_code, typed in refused.text, 'value="20"' in refused.text) == (422, False, True)
        assert typed not in str(house.connections.received)


async def test_a_missing_or_wrong_key_is_found_before_anybody_is_asked() -> None:
    """Each mistake stands at its field."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        for value, said in (("", "Без этого не"), ("ftp://x", "Значение не")):
            answer = await client.post(
                "/connections/new/bitrix24", data=form(house, **{"name": "П", "key-webhook_url": value})
            )
            assert answer.status_code == 422
            assert said in answer.text
        assert house.connections.received == []


async def test_the_persons_language_and_theme_outlast_the_page() -> None:
    """A choice is a cookie; anything else than a known value changes nothing."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/preferences", data=form(house, locale="en", back="/deliveries"))
        assert answer.headers["location"] == "/deliveries"
        await client.post("/preferences", data=form(house, theme="dark"))
        await client.post("/preferences", data=form(house, theme='"><script>'))
        text = (await client.get("/")).text
        assert '<html lang="en" data-theme="dark">' in text
        assert "Good afternoon, Ирина" in text


async def test_a_crash_shows_a_page_and_keeps_its_words_to_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """The text of a foreign error may hold a client's words: neither page nor log repeats it."""

    @get("/crash", sync_to_thread=False)
    def crash() -> str:
        raise ZeroDivisionError(PHONE)

    house = MemoryHouse()
    async with (
        served(build_pages(house, extra_routes=[crash])) as origin,
        httpx.AsyncClient(base_url=origin, trust_env=False) as client,
    ):
        page = await client.get("/crash", headers=HTML)
        program = await client.get("/crash", headers={"accept": "application/json"})
    said = page.text + program.text + "".join(capsys.readouterr())
    assert (page.status_code, program.status_code) == (500, 500)
    assert json.loads(program.text)["code"] == "web.failed"
    assert "page.failed" in said
    assert PHONE not in said


async def test_extra_routes_keep_their_own_policy() -> None:
    """The chat in a salon's page has a policy of its own."""

    @get("/own", sync_to_thread=False, response_headers={"content-security-policy": "sandbox"})
    def own() -> str:
        return "x"

    house = MemoryHouse()
    async with (
        served(build_pages(house, extra_routes=[own])) as origin,
        httpx.AsyncClient(base_url=origin, trust_env=False) as client,
    ):
        headers = (await client.get("/own")).headers
    assert headers.get_list("content-security-policy") == ["sandbox"]
    assert headers["x-content-type-options"] == "nosniff"


async def test_a_number_leads_to_the_rows_of_its_period() -> None:
    """«Вчера» on the first page ends at midnight in the list behind it, too."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        text = (await client.get("/?period=yesterday")).text
        links = [
            html.unescape(link) for link in re.findall(r'href="(/(?:events|deliveries)\?[^"]*period=[^"]+)"', text)
        ]
        assert links[:3] == [
            "/events?period=yesterday",
            "/deliveries?state=done&period=yesterday",
            "/deliveries?state=dead&period=yesterday",
        ]
        for link in links[:2]:
            assert (await client.get(link)).status_code == 200
    assert set(house.desk.asked_periods) == {(house.desk.asked_periods[0])}
    assert len(house.desk.asked_periods) == 3


async def test_a_crm_is_not_told_to_be_silent() -> None:
    """It sends no messages; what it does is take leads."""
    house = MemoryHouse()
    house.desk.views = [replace(house.desk.views[0], light=Light.OK, problem=None, since=None, waiting=0)]
    async with visitor(house, Role.OWNER) as client:
        assert "заявки уходят" in (await client.get("/connections")).text
        assert "сообщений ещё не" not in (await client.get("/")).text
        assert "Последнее сообщение" not in (await client.get("/connections/conn_1")).text
        house.desk.views = [replace(house.desk.views[0], waiting=2)]
        assert ">ждут 2<" in (await client.get("/connections/conn_1")).text


async def test_the_chat_of_the_site_comes_as_one_line_to_paste() -> None:
    """With the address that the world knows, after connecting and later on; a channel without a widget has none."""
    house = MemoryHouse()
    house.public_url = "https://leadgate.example"
    line = '&lt;script src="https://leadgate.example/site/conn_7/widget.js" defer&gt;&lt;/script&gt;'
    house.desk.views.append(view(7, "site", "Сайт", Light.OK))
    async with visitor(house) as client:
        client.headers["x-forwarded-proto"] = "https"
        answer = await client.post("/login", data={"name": "Ирина", "password": PASSWORD})
        client.cookies.clear()
        client.headers["cookie"] = answer.headers["set-cookie"].partition(";")[0]
        text = (await client.get("/connections/conn_7")).text
        assert line in text
        assert 'href="/chat/conn_7"' in text
        assert "widget.js" not in (await client.get("/connections/conn_3")).text


async def test_an_address_for_alarms_is_added_tried_and_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The owner fills two fields; the address is made of them, a trial is sent at once, and the token is nowhere."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        fields = {"key-token": "123456789:markedtoken", "key-chat": "-100123", "name": "Общий чат"}
        answer = await client.post("/alerts/new/telegram", data=form(house, **fields))
        assert answer.headers["location"] == "/alerts?notice=alert_added"
        assert house.alerts.added == [("tgram://123456789:markedtoken/-100123/", "Общий чат", "staff_owner")]
        shown = (await client.get("/alerts")).text
        assert "Общий чат" in shown
        house.alerts.refuse = ConfigurationError("No service.", code="alert.address_wrong")
        wrong = await client.post("/alerts/new/telegram", data=form(house, **fields))
        assert (wrong.status_code, "-100123" in wrong.text) == (422, True)
        house.alerts.refuse = ConflictError("Taken.", code="alert.name_taken")
        taken = await client.post("/alerts/new/telegram", data=form(house, **fields))
        assert "Такое имя уже есть" in taken.text
        empty = await client.post("/alerts/new/telegram", data=form(house, **(fields | {"key-token": " "})))
        assert empty.status_code == 422
    said = "".join(capsys.readouterr())
    assert "markedtoken" not in shown + wrong.text + taken.text + empty.text + said


@pytest.mark.parametrize(
    ("service", "fields", "made"),
    [
        ("max", {"token": "f9/LH", "chat": "-7"}, "max://f9%2FLH@-7/"),
        (
            "mail",
            {"mail": "irina@mail.ru", "password": "a b@c", "to": "", "server": ""},
            "mailtos://irina:a%20b%40c@mail.ru/?to=irina%40mail.ru&from=irina%40mail.ru&smtp=smtp.mail.ru&mode=ssl&user=irina%40mail.ru",
        ),
        (
            "mail",
            {"mail": "irina@salon.example", "password": "x", "to": "owner@salon.example", "server": "mx.salon.example"},
            "mailtos://irina:x@salon.example/?to=owner%40salon.example&from=irina%40salon.example&smtp=mx.salon.example&user=irina%40salon.example",
        ),
        ("other", {"address": "ntfys://ntfy.example/topic"}, "ntfys://ntfy.example/topic"),
    ],
)
async def test_each_service_has_a_form_of_its_own(service: str, fields: dict[str, str], made: str) -> None:
    """Nobody has to know how such an address is written."""
    house = MemoryHouse()
    async with visitor(house, Role.INTEGRATOR) as client:
        given = {f"key-{name}": value for name, value in fields.items()}
        await client.post(f"/alerts/new/{service}", data=form(house, **given))
        assert (await client.get("/alerts/new/nothing")).status_code == 404
    assert house.alerts.added == [(made, None, "staff_integrator")]


async def test_a_trial_says_in_words_whether_it_arrived() -> None:
    """And the row says what to do; a second press on a removed address is no error page."""
    house = MemoryHouse()
    house.alerts.deaf = {"addr_1"}
    async with visitor(house, Role.OWNER) as client:
        for address, notice in (("addr_1", "alert_not_taken"), ("addr_2", "alert_taken"), ("addr_7", "alert_gone")):
            answer = await client.post(f"/alerts/{address}/test", data=form(house))
            assert answer.headers["location"] == f"/alerts?notice={notice}"
        assert "Бот не\N{NO-BREAK SPACE}знает этого чата" in (await client.get("/alerts")).text
        for notice in ("alert_removed", "alert_gone"):
            answer = await client.post("/alerts/addr_1/remove", data=form(house))
            assert answer.headers["location"] == f"/alerts?notice={notice}"
    assert house.alerts.removed == ["addr_1"]


async def test_a_house_in_which_nobody_looks_for_trouble_says_so() -> None:
    """A page without alarms must not be taken for calm then."""
    house = MemoryHouse()
    house.desk.views, house.desk.details = [view(1, "bot", "Бот", Light.OK)], []
    house.alerts.troubles = []
    async with visitor(house, Role.OWNER) as client:
        assert "никто не\N{NO-BREAK SPACE}проверяет" not in (await client.get("/alerts")).text
        house.alerts.looked_at = house.clock.at - timedelta(minutes=10)
        for path in ("/", "/alerts"):
            text = (await client.get(path)).text
            assert (text.count('role="alert"'), "никто не\N{NO-BREAK SPACE}проверяет" in text) == (1, True)


async def test_a_missing_lead_is_accepted_with_a_reason_and_taken_back() -> None:
    """The owner deleted a trial lead; the page says who accepted it, and lets her change her mind."""
    house = MemoryHouse()
    house.desk.check = reconciliation("missing_in_crm", "doubled_in_crm")
    async with visitor(house, Role.OWNER) as client:
        text = (await client.get("/ledger")).text
        assert text.count('action="/ledger/accept"') == 1
        assert "Нет в\N{NO-BREAK SPACE}CRM: лид 48219" in text
        for fields, notice in (
            ({"leads": "lead_gone", "reason": " "}, "reason_missing"),
            ({"leads": "lead_other", "reason": "проба"}, "not_accepted"),
            ({"leads": "lead_gone", "reason": "проба"}, "accepted"),
        ):
            answer = await client.post("/ledger/accept", data=form(house, **fields))
            assert answer.headers["location"] == f"/ledger?notice={notice}"
        await client.post("/ledger/withdraw", data=form(house, lead="lead_9"))
    assert house.desk.acts == [
        ("accept", "lead_gone", "проба", "staff_owner"),
        ("withdraw", "lead_9", "staff_owner"),
    ]


async def test_a_paused_crm_with_leads_that_wait_is_not_told_as_calm() -> None:
    """Somebody paused it and went home; the page must not say that leads go to the CRM."""
    house = MemoryHouse()
    house.desk.views = [view(1, "bitrix24", "CRM", Light.PAUSED, waiting=8)]
    house.desk.details, house.alerts.troubles = [], []
    async with visitor(house, Role.OWNER) as client:
        text = (await client.get("/")).text
        assert ("CRM на\N{NO-BREAK SPACE}паузе" in text, "Всё идёт" in text, 'role="alert"' in text) == (
            True,
            False,
            False,
        )
        house.desk.views = [view(1, "bitrix24", "CRM", Light.PAUSED)]
        assert "Всё идёт" in (await client.get("/")).text


async def test_a_person_is_found_by_a_form_and_masked_on_the_card() -> None:
    """What was typed is in no address; the card shows a person only to whoever asks openly."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        found = await client.post("/subjects/search", data=form(house, identifier=PHONE))
        assert (found.status_code, found.headers["location"]) == (303, "/subjects/subj_1")
        assert PHONE not in (await client.get("/subjects/subj_1")).text
        assert PHONE in (await client.get("/subjects/subj_1/correct")).text
        assert ("reveal", "subj_1", "staff_owner") in house.subjects.acts


@pytest.mark.parametrize(
    ("given", "status", "said"), [("кто-то", 404, "никого"), ("двое", 409, "разные люди"), ("", 422, "Напишите")]
)
async def test_whom_nobody_knows_is_said_at_the_field(given: str, status: int, said: str) -> None:
    """With what was typed still there, to be mended."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/subjects/search", data=form(house, identifier=given))
        assert (answer.status_code, said in answer.text.replace("\N{NO-BREAK SPACE}", " ")) == (status, True)
        assert f'value="{given}"' in answer.text


@pytest.mark.parametrize(("wish", "media_type"), [("page", "text/html"), ("json", "application/json")])
async def test_the_file_of_a_person_is_handed_out_and_kept_nowhere(wish: str, media_type: str) -> None:
    """As a file, under the id, in no cache; hostile words stay text."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        answer = await client.post("/subjects/subj_1/export", data=form(house, form=wish))
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.headers["content-disposition"].startswith('attachment; filename="subj_1.')
        assert answer.headers["cache-control"] == "no-store"
        assert "<script" not in answer.text or media_type == "application/json"
    async with visitor(house, Role.MANAGER) as client:
        assert (await client.get("/subjects/subj_1/correct")).status_code == 403


async def test_wrong_values_are_said_at_their_fields() -> None:
    """Nothing is sent to the CRM before it can be right; what is already so is said."""
    house = MemoryHouse()
    async with visitor(house, Role.OWNER) as client:
        wrong = form(house, name="Алсу", phone="12", email="нет")
        answer = await client.post("/subjects/subj_1/correct", data=wrong)
        assert (answer.status_code, answer.text.count('aria-invalid="true"')) == (422, 2)
        same = await client.post("/subjects/subj_1/correct", data=form(house, phone=PHONE))
        assert same.headers["location"] == "/subjects/subj_1?notice=subject_unchanged"
        assert [act for act, _, _ in house.subjects.acts] == ["correct"]
