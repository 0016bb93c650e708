"""The addresses of the site chat, on a real server."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import httpx
import pytest

from leadgate.web.site_chat import MAX_WAIT_S
from leadgate.web.site_cors import cors_headers, preflight
from leadgate.web.site_page import POLICY, SalonService, duration, money, salon_mark
from leadgate.web.site_widget import LANGUAGES, texts
from tests.web.site_rig import CONNECTION_ID, STATIC, Rig, gateway, site_connection

SALON = "https://salon.example"
EVIL = "https://evil.example"
AT = f"/site/{CONNECTION_ID}"


@pytest.fixture
async def house() -> AsyncIterator[tuple[Rig, httpx.AsyncClient]]:
    """A running gateway that lets one salon's page in, and a client that speaks for this page."""
    async with gateway() as (rig, origin):
        rig.allow(SALON, origin)
        async with httpx.AsyncClient(base_url=origin, headers={"origin": SALON}, trust_env=False) as client:
            yield rig, client


async def visit(client: httpx.AsyncClient, **body: object) -> dict[str, str]:
    """Opens a visit; gives the header that proves it."""
    answer = await client.post(f"{AT}/visits", json=body)
    assert answer.status_code == 200
    return {"authorization": f"Bearer {answer.json()['token']}"}


async def write(client: httpx.AsyncClient, text: str) -> dict[str, str]:
    """Opens a visit and writes; gives the header that proves the visitor."""
    told = (await client.post(f"{AT}/visits", json={})).json()
    proof = {"authorization": f"Bearer {told['token']}"}
    body = {"visitor": told["visitor"], "id": "12345678", "text": text}
    answer = await client.post(f"/webhooks/site/{CONNECTION_ID}", json=body, headers=proof)
    assert answer.status_code == 202
    return proof


async def test_a_listed_page_gets_a_token_and_the_first_words(house: tuple[Rig, httpx.AsyncClient]) -> None:
    """Everything that the widget needs to draw itself, in the page's language."""
    _, client = house
    answer = await client.post(f"{AT}/visits", json={"token": None, "language": "ru"})
    told = answer.json()
    assert told["title"] == "Салон «Лимон»"
    assert told["mark"] == "Л"
    assert told["buttons"] == ["Записаться", "Цены", "Как доехать"]
    assert told["placeholder"] == "Сообщение"
    assert 0 < told["renew_after_s"] < 1800
    assert told["renewed"] is False
    assert answer.headers["access-control-allow-origin"] == SALON
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    english = await client.post(f"{AT}/visits", json={"language": "en"})
    assert english.json()["placeholder"] == "Message"


@pytest.mark.parametrize("origin", [EVIL, "null", "", SALON + ".evil.example"])
async def test_an_unlisted_page_gets_nothing(house: tuple[Rig, httpx.AsyncClient], origin: str) -> None:
    """Refused with a stable code, and the browser may not even show the answer to the page."""
    _, client = house
    answer = await client.post(f"{AT}/visits", json={}, headers={"origin": origin})
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["code"] == "site.origin_refused"
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"


async def test_an_old_token_is_exchanged_for_the_same_visitor(house: tuple[Rig, httpx.AsyncClient]) -> None:
    """The conversation of a returning visitor goes on."""
    rig, client = house
    proof = await write(client, "да")
    rig.clock.at = rig.clock.at.replace(hour=rig.clock.at.hour + 5)
    token = proof["authorization"].removeprefix("Bearer ")
    again = await client.post(f"{AT}/visits", json={"token": token})
    assert again.json()["renewed"] is True
    fresh = {"authorization": f"Bearer {again.json()['token']}"}
    told = await client.get(f"{AT}/messages?after=0&wait=0", headers=fresh)
    first, answer = told.json()["messages"]
    assert (first["number"], first["text"], first["outgoing"]) == (1, "да", False)
    assert (answer["number"], answer["outgoing"]) == (2, True)


async def test_a_long_poll_ends_as_soon_as_there_is_something(house: tuple[Rig, httpx.AsyncClient]) -> None:
    """The answer of the bot is on the screen at once, not at the next look."""
    rig, client = house
    proof = await write(client, "Раз")
    url = f"{AT}/messages?after=2&wait=20"
    waiting = asyncio.create_task(client.get(url, headers=proof, timeout=5))
    await rig.say(next(iter(rig.said)), "Слушаю вас")
    told = (await waiting).json()["messages"]
    assert [(message["text"], message["outgoing"]) for message in told] == [("Слушаю вас", True)]
    assert MAX_WAIT_S < 30


async def test_messages_need_the_visitors_own_token(house: tuple[Rig, httpx.AsyncClient]) -> None:
    """Nobody reads another person's conversation."""
    rig, client = house
    assert (await client.get(f"{AT}/messages?after=0&wait=0")).json()["code"] == "site.token_invalid"
    proof = await visit(client)
    foreign = await client.get(f"{AT}/messages", headers=proof | {"origin": EVIL})
    assert foreign.json()["code"] == "site.origin_refused"
    assert "access-control-allow-origin" not in foreign.headers
    rig.clock.at = rig.clock.at.replace(hour=rig.clock.at.hour + 1)
    late = await client.get(f"{AT}/messages", headers=proof)
    assert (late.status_code, late.json()["code"]) == (401, "site.token_expired")
    assert late.headers["access-control-allow-origin"] == SALON, "the widget must see that it is to renew"


@pytest.mark.parametrize("query", ["after=-1", "after=x", "wait=1.5", "after=9999999999999999"])
async def test_odd_numbers_are_refused(house: tuple[Rig, httpx.AsyncClient], query: str) -> None:
    """A number beyond the database's range would fall over later."""
    _, client = house
    answer = await client.get(f"{AT}/messages?{query}", headers=await visit(client))
    assert answer.status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"token": 5}', b"x" * 100_000])
async def test_an_odd_body_opens_a_fresh_visit(house: tuple[Rig, httpx.AsyncClient], body: bytes) -> None:
    """What stands in a browser's storage may be anything; a client is never locked out by it."""
    _, client = house
    answer = await client.post(f"{AT}/visits", content=body)
    assert answer.status_code == 200
    assert answer.json()["renewed"] is False


async def test_visits_of_one_peer_are_bounded(house: tuple[Rig, httpx.AsyncClient]) -> None:
    """A script that asks for tokens in a loop is slowed down and told for how long."""
    rig, client = house
    answers = [await client.post(f"{AT}/visits", json={}) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    rig.clock.at = rig.clock.at.replace(minute=rig.clock.at.minute + 1)
    assert (await client.post(f"{AT}/visits", json={})).status_code == 200


async def test_the_script_is_cached_by_its_tag_and_small(house: tuple[Rig, httpx.AsyncClient]) -> None:
    """It stands on every page of the salon: fetched once, under 12 KB on the wire."""
    _, client = house
    answer = await client.get(f"{AT}/widget.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"].startswith("public")
    assert int(answer.headers["content-length"]) < 12 * 1024
    again = await client.get(f"{AT}/widget.js", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = await client.get(f"{AT}/widget.js", headers={"accept-encoding": "identity"})
    assert plain.content == answer.content
    for name in ("widget.js", "widget_talk.js"):
        assert (STATIC / name).stat().st_size < 12 * 1024
    assert len(gzip.compress(plain.content)) < 12 * 1024


async def test_the_script_uses_nothing_that_a_strict_policy_forbids(
    house: tuple[Rig, httpx.AsyncClient],
) -> None:
    """No markup made of text, no evaluated text, no cookie, no address but ours."""
    _, client = house
    source = (await client.get(f"{AT}/widget.js")).text
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write", "document.cookie"):
        assert forbidden not in source
    addresses = [line for line in source.splitlines() if "://" in line and not line.lstrip().startswith("//")]
    assert all("www.w3.org/2000/svg" in line or "https?:" in line or "// https://HOST" in line for line in addresses)


@pytest.mark.parametrize("path", ["widget.js", "widget.css"])
async def test_an_unknown_connection_has_no_widget(house: tuple[Rig, httpx.AsyncClient], path: str) -> None:
    """404 as a problem, also for a connection of another kind or a removed one."""
    _, client = house
    answer = await client.get(f"/site/conn_unknown/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "site.not_found")
    assert (await client.post("/site/conn_unknown/visits", json={})).status_code == 404
    assert (await client.get("/chat/conn_unknown")).status_code == 404


async def test_a_preflight_is_granted_to_listed_pages_only(house: tuple[Rig, httpx.AsyncClient]) -> None:
    """The browser asks before it sends a token; the webhook address answers in the same way."""
    _, client = house
    for path in (f"{AT}/visits", f"{AT}/messages", f"/webhooks/site/{CONNECTION_ID}"):
        granted = await client.options(path)
        assert granted.status_code == 204
        assert granted.headers["access-control-allow-origin"] == SALON
        assert granted.headers["access-control-allow-headers"] == "Authorization, Content-Type"
        refused = await client.options(path, headers={"origin": EVIL})
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers


def test_cors_echoes_the_exact_origin_and_never_a_wildcard() -> None:
    """Caches must keep the answers for different pages apart."""
    connection = site_connection(origins=SALON)
    assert cors_headers(SALON, connection)["Access-Control-Allow-Origin"] == SALON
    for origin, known in ((EVIL, connection), (None, connection), (SALON, None)):
        assert cors_headers(origin, known) == {"Vary": "Origin"}
        assert preflight(origin, known) == (403, {"Vary": "Origin"})


async def test_the_chat_page_is_strict_and_escapes(house: tuple[Rig, httpx.AsyncClient]) -> None:
    """No inline script or style; what the salon typed is text."""
    _, client = house
    answer = await client.get(f"/chat/{CONNECTION_ID}")
    assert answer.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert "Разговор &lt;о волосах&gt; &amp; цвете" in answer.text
    assert " style=" not in answer.text
    assert "<style" not in answer.text
    assert "onclick" not in answer.text
    assert "от\N{NO-BREAK SPACE}1\N{NO-BREAK SPACE}400\N{NO-BREAK SPACE}₽" in answer.text


def test_prices_and_times_are_written_as_people_write_them() -> None:
    """Money is kopecks inside, roubles outside; nothing is shown for what is unknown."""
    words, blank = texts("ru")["page"], "\N{NO-BREAK SPACE}"
    assert money(SalonService(name="x", price_kopecks=125_050), "от") == f"1{blank}250,50{blank}₽"
    assert money(SalonService(name="x", price_kopecks=None), "от") == ""
    assert duration(SalonService(name="x", price_kopecks=1, minutes=90), words) == f"1{blank}ч{blank}30{blank}мин"
    assert duration(SalonService(name="x", price_kopecks=1, minutes=60), words) == f"1{blank}ч"
    assert duration(SalonService(name="x", price_kopecks=1), words) == ""
    assert salon_mark("Салон «Лимон»") == "Л"
    assert salon_mark("Beauty bar") == "B"
    assert salon_mark("«»") == "•"


def test_both_languages_have_the_same_texts() -> None:
    """A missing text would show as `undefined`."""
    russian, english = (texts(language) for language in LANGUAGES)
    assert {part: set(names) for part, names in russian.items()} == {p: set(n) for p, n in english.items()}
    script = (STATIC / "widget.js").read_text() + (STATIC / "widget_talk.js").read_text()
    states = {"sending", "sent", "failed"}
    assert all(f"texts.{name}" in script or name in states for name in set(russian["widget"]) - {"placeholder"})


def test_the_widgets_colours_are_the_houses_tokens() -> None:
    """The shadow root cannot read the page's tokens, so they stand twice; they must not drift apart."""
    house = (STATIC / "leadgate.css").read_text(encoding="utf-8")
    light, _, dark = (
        (STATIC / "widget.css").read_text(encoding="utf-8").partition("@media (prefers-color-scheme: dark)")
    )
    dark = dark.partition("*, ::before")[0]
    house_light, house_dark = house.partition("@media (prefers-color-scheme: dark)")[::2]
    for widget, tokens in ((light.partition("*, ::before")[0], house_light), (dark, house_dark)):
        pairs = [
            pair.strip() for line in widget.splitlines() for pair in line.split(";") if pair.strip().startswith("--")
        ]
        pairs = [pair.partition("}")[0].strip() for pair in pairs]
        assert len(pairs) > 8
        missing = [pair for pair in pairs if pair not in tokens]
        assert missing == []
