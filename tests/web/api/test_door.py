"""How requests are refused: with a stable code, before anything happens, and never by way of a cookie."""

from __future__ import annotations

from typing import Any

from leadgate.model.staff import Role
from tests.e2e.conftest import Prepared
from tests.web.api.conftest import Api

JSON = {"content-type": "application/json"}


REFUSALS: list[tuple[str, str, dict[str, Any], int, str | None]] = [
    ("GET", "/nothing", {}, 404, "resource.not_found"),
    ("GET", "/events/evt_none", {}, 404, "resource.not_found"),
    ("GET", "/events/%00", {}, 404, "resource.not_found"),
    ("GET", "/events/" + "x" * 65, {}, 404, "resource.not_found"),
    ("POST", "/deliveries/dlv_none/retry", {}, 404, "resource.not_found"),
    ("PUT", "/events", {}, 405, "web.method"),
    ("GET", "/events?limit=501", {}, 422, "api.request_invalid"),
    ("GET", "/events?limit=1&limit=2", {}, 422, "api.request_invalid"),
    ("GET", "/events?stat=lead", {}, 422, "api.request_invalid"),
    ("GET", "/events?state=%00", {}, 422, "api.request_invalid"),
    ("GET", "/events?cursor=abc", {}, 422, "page.cursor_wrong"),
    ("GET", "/events?cursor=czk5OTk5OTk5OTk5OTk5OTk5OTk", {}, 200, None),
    ("GET", "/connections?cursor=abc", {}, 422, "page.cursor_wrong"),
    ("GET", "/figures?since=2026-11-22", {}, 422, "api.request_invalid"),
    ("GET", "/figures?since=2026-11-22T00:00:00", {}, 422, "api.request_invalid"),
    ("GET", "/figures?since=0001-01-01T00:00:00%2B03:00", {}, 422, "api.request_invalid"),
    ("GET", "/figures?until=2026-11-22T00:00:00Z", {}, 422, "api.request_invalid"),
    ("GET", "/ledger?since=2026-11-23T00:00:00Z&until=2026-11-22T00:00:00Z", {}, 422, "api.request_invalid"),
    ("POST", "/deliveries/retry-all", {"content": b"{"}, 400, "api.body_unreadable"),
    ("POST", "/deliveries/retry-all", {"content": b"[" * 60_000}, 422, "api.request_invalid"),
    ("POST", "/deliveries/retry-all", {"content": b'{"cause": ' + b"[" * 60_000}, 422, "api.request_invalid"),
    ("POST", "/deliveries/retry-all", {"json": {"cause": "a b"}}, 422, "api.request_invalid"),
    ("POST", "/deliveries/retry-all", {"content": b"\xff"}, 400, "api.body_unreadable"),
    ("POST", "/deliveries/dlv_none/discard", {"json": {}}, 422, "api.request_invalid"),
    ("POST", "/deliveries/dlv_none/discard", {"json": {"reason": "a\0"}}, 422, "api.request_invalid"),
    ("POST", "/deliveries/dlv_none/retry", {"json": {"force": True}}, 422, "api.request_invalid"),
    ("POST", "/deliveries/retry-all", {"data": {"cause": ""}}, 415, "api.not_json"),
    (
        "POST",
        "/deliveries/retry-all",
        {"content": b"{}", "headers": {"content-type": "text/plain"}},
        415,
        "api.not_json",
    ),
    ("POST", "/deliveries/retry-all", {"content": b" " * 65_537, "headers": JSON}, 413, "web.too_large"),
    ("POST", "/deliveries/retry-all", {"headers": {"idempotency-key": "x" * 256}}, 422, "api.key_wrong"),
    ("POST", "/deliveries/retry-all", {"headers": {"idempotency-key": ""}}, 422, "api.key_wrong"),
    ("POST", "/alerts/addresses", {"json": {"url": "nonsense"}}, 422, "alert.address_wrong"),
]
"""What is sent, and how it is answered."""


async def test_what_is_wrong_is_refused_with_its_code(api: Api) -> None:
    """Programs decide by the code; a crash (500) would tell them to try again, for ever."""
    for method, path, more, status, code in REFUSALS:
        headers = {**({"content-type": "application/json"} if "content" in more else {}), **more.get("headers", {})}
        answer = await api.ask(method, path, **{**more, "headers": headers})
        assert (answer.status_code, answer.json().get("code")) == (status, code), (path, answer.text)
        assert answer.headers["cache-control"] == "no-store"
        if status != 200:
            assert answer.headers["content-type"] == "application/problem+json"
            assert (answer.json()["status"], answer.json()["type"]) == (status, "about:blank")


async def test_a_refusal_names_the_field(api: Api) -> None:
    """Where and what, without the value: it may be a client's."""
    answer = await api.ask("POST", "/deliveries/dlv_1/fix", json={"name": "Ж" * 201, "phone": None})
    assert answer.json()["problems"] == [{"field": "name", "problem": "Expected `str` of length <= 200"}]
    assert "Ж" not in answer.text
    answer = await api.ask("POST", "/deliveries/dlv_1/discard", json={})
    assert [one["field"] for one in answer.json()["problems"]] == ["reason"]


async def test_only_a_bearer_token_opens(api: Api) -> None:
    """Not another scheme, not the query, and not part of a token."""
    token = api.tokens[Role.OWNER]
    for headers, path in (
        ({}, "/events"),
        ({}, f"/events?token={token}"),
        ({"authorization": token}, "/events"),
        ({"authorization": f"Basic {token}"}, "/events"),
        ({"authorization": "Bearer"}, "/events"),
        ({"cookie": f"leadgate_session={token}"}, "/events"),
    ):
        answer = await api.ask("GET", path, None, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "access.token_missing"), headers
        assert answer.headers["www-authenticate"] == 'Bearer realm="leadgate"'
    wrong = await api.ask("GET", "/events", None, headers={"authorization": f"bearer {token[:-1]}"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "access.token_wrong")
    assert wrong.headers["www-authenticate"] == 'Bearer realm="leadgate", error="invalid_token"'
    assert (await api.ask("GET", "/events", None, headers={"authorization": f"bearer {token}"})).status_code == 200


async def test_guessing_is_slowed_down_but_a_right_token_passes(api: Api) -> None:
    """Behind a proxy a guesser shares his address with the salon's own programs."""
    wrong = {"authorization": f"Bearer {api.tokens[Role.OWNER][:-1]}"}
    answers = [await api.ask("GET", "/events", None, headers=wrong) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert (answers[-1].json()["code"], int(answers[-1].headers["retry-after"]) > 0) == ("access.slow_down", True)
    assert (await api.ask("GET", "/events")).status_code == 200


async def test_a_revoked_token_is_refused_by_a_running_gateway(api: Api) -> None:
    """At once: a leaked token must not work for the length of a cache."""
    listed = await api.salon.gateway.ask("tokens", "list")
    (manager,) = [one for one in listed["items"] if one["role"] == "manager"]
    assert (await api.ask("GET", "/events", Role.MANAGER)).status_code == 200
    await api.salon.gateway.ask("tokens", "revoke", manager["id"])
    assert (await api.ask("GET", "/events", Role.MANAGER)).json()["code"] == "access.token_wrong"
    listed = await api.salon.gateway.ask("tokens", "list", "--limit", "2")
    states = {one["role"]: (one["state"], one["last_used_at"] is not None) for one in listed["items"]}
    assert (states["manager"], listed["next"]) == (("revoked", True), "2")


async def test_a_signed_in_browser_opens_nothing_here(api: Api, prepared: Prepared) -> None:
    """Else any page on the web could send the salon's own browser to write for it."""
    url = api.salon.gateway.url
    setup = prepared.made["setup_url"].partition("/setup/")[2]
    form = {"name": "Гузель", "password": "лимонад и корица", "password_again": "лимонад и корица"}
    signed_in = await api.client.post(f"{url}/setup/{setup}", data=form)
    assert signed_in.status_code == 303, signed_in.text
    assert (await api.client.get(f"{url}/events")).status_code == 200, "the cookie opens the pages"
    for headers in ({}, {"origin": "https://elsewhere.example"}, {"origin": url}):
        answer = await api.ask("POST", "/deliveries/retry-all", None, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "access.token_missing")
    assert not [
        name for _, answer in api.seen for name in answer.headers if name.startswith(("set-cookie", "access-control"))
    ]


async def test_no_other_site_may_ask_through_a_browser(api: Api) -> None:
    """Without these headers a browser keeps what it got from the page that asked, and does not send the token at all."""
    headers = {
        "origin": "https://elsewhere.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    preflight = await api.ask("OPTIONS", "/events", None, headers=headers)
    answer = await api.ask("GET", "/events", headers={"origin": "https://elsewhere.example"})
    for one in (preflight, answer):
        assert not [name for name in one.headers if name.startswith("access-control")]
    assert answer.headers["cache-control"] == "no-store"
