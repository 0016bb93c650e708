"""The OpenAPI document is valid and tells what is really answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from leadgate.model.staff import Role
from tests.web.api.conftest import Api
from tests.web.api.flow_walk import walk_flows
from tests.web.api.secret_walk import walk_secrets


def validator_of(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    """A validator of one schema of the document; what the schema does not name is wrong."""
    closed = {name: {"unevaluatedProperties": False, **one} for name, one in document["components"]["schemas"].items()}
    for one in closed.values():
        if one.get("type") != "object":
            del one["unevaluatedProperties"]
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator({**schema, "components": {"schemas": closed}}, format_checker=checker)


def check(document: dict[str, Any], method: str, path: str, answer: httpx.Response) -> None:
    """An answer is one that the document tells of."""
    told = document["paths"][path][method.lower()]["responses"][str(answer.status_code)]
    if "$ref" in told:
        told = document["components"]["responses"]["Problem"]
    (media_type, content), *_ = told["content"].items()
    assert answer.headers["content-type"] == media_type
    found = [error.message for error in validator_of(document, content["schema"]).iter_errors(answer.json())]
    assert found == [], (path, found)


BY_THEMSELVES: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
    ("GET", "/deliveries/causes", 200, {}),
    ("GET", "/policies", 200, {}),
    ("POST", "/policies", 200, {"json": {"close": ["crm_comment:PLATE"]}}),
    ("POST", "/policies", 422, {"json": {"open": ["crm_comment:PLATE"]}}),
    ("POST", "/policies", 422, {"json": {"open": ["alert:PERSON"], "reason": "нужно"}}),
    ("POST", "/policies", 403, {"json": {"close": ["lead.email"]}, "role": Role.MANAGER}),
    ("POST", "/health-mode", 200, {"json": {"mode": "clinic", "reason": "клиника", "document": "приказ 12"}}),
    ("POST", "/health-mode", 422, {"json": {"mode": "none"}}),
    ("GET", "/health-mode", 200, {}),
    ("GET", "/retention", 200, {}),
    ("GET", "/keys", 200, {}),
    ("POST", "/keys/rotate", 200, {}),
    ("POST", "/keys/rotate", 403, {"role": Role.MANAGER}),
    ("POST", "/retention/{kind}", 200, {"kind": "bodies", "json": {"days": 30}}),
    ("POST", "/retention/{kind}", 422, {"kind": "bodies", "json": {"days": 1}}),
    ("POST", "/retention/{kind}", 404, {"kind": "all", "json": {"days": 30}}),
)


async def test_the_document_is_valid_and_open(api: Api) -> None:
    """Generators of clients refuse anything else; they have no token."""
    answer = await api.client.get(f"{api.salon.gateway.url}/api/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    document = answer.json()
    OpenAPIV31SpecValidator(document).validate()
    operations = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(set(operations)) == len(operations)
    assert document["paths"]["/deliveries/{delivery_id}/discard"]["post"]["x-roles"] == ["owner", "integrator"]
    assert all(one["summary"].endswith(".") for path in document["paths"].values() for one in path.values())


async def test_every_answer_is_as_the_document_tells(api: Api) -> None:
    """One walk through everything, the refusals among it; a client that was made from the document understands them all."""
    document = (await api.client.get(f"{api.salon.gateway.url}/api/openapi.json")).json()
    event, delivery = await api.dead_letter(501)
    other, third = [(await api.dead_letter(number))[1] for number in (502, 503)]
    seen: set[tuple[str, str]] = set()

    async def walk(method: str, path: str, status: int, **more: Any) -> Any:  # noqa: ANN401 - what httpx takes, and JSON
        address = path
        for name, value in {
            "event_id": more.pop("event", event),
            "delivery_id": more.pop("delivery", delivery),
            "connection_id": api.salon.crm,
            "address_id": more.pop("address", ""),
            "request_id": more.pop("request", ""),
            "subject_id": more.pop("subject", ""),
            "kind": more.pop("kind", ""),
            "staff_id": more.pop("staff", ""),
            "token_id": more.pop("token", ""),
            "erasure_id": more.pop("erasure", ""),
            "notice": "24",
            "secret": more.pop("secret", ""),
            "number": "1",
        }.items():
            address = address.replace(f"{{{name}}}", value)
        answer = await api.ask(method, address + more.pop("query", ""), more.pop("role", Role.OWNER), **more)
        assert answer.status_code == status, (path, answer.text)
        check(document, method, path, answer)
        seen.add((method, path))
        return answer.json()

    await api.salon.gateway.ask("journal", "export", str(api.salon.gateway.data / "export.jsonl"))
    await walk_lists(walk)
    await walk("GET", "/events/{event_id}", 200)
    await walk("GET", "/events/{event_id}", 200, role=Role.AUDITOR)
    await walk("POST", "/events/{event_id}/replay", 409)
    await walk("GET", "/deliveries/{delivery_id}", 200)
    await walk("GET", "/deliveries/{delivery_id}", 404, delivery="dlv_none")
    data = await walk("GET", "/deliveries/{delivery_id}/fix", 200)
    await walk("POST", "/deliveries/{delivery_id}/fix", 422, json={**data, "phone": "12"})
    await walk("POST", "/deliveries/{delivery_id}/fix", 403, json=data, role=Role.AUDITOR)
    await walk("POST", "/deliveries/{delivery_id}/confirm", 409)
    await walk(
        "POST", "/deliveries/{delivery_id}/discard", 400, content=b"{", headers={"content-type": "application/json"}
    )
    await walk("POST", "/deliveries/{delivery_id}/discard", 200, json={"reason": "проба"})
    await walk("GET", "/deliveries/{delivery_id}", 200)
    await api.cure()
    await walk("POST", "/deliveries/{delivery_id}/fix", 200, json=data, delivery=other)
    await walk("POST", "/deliveries/{delivery_id}/retry", 200, delivery=third)
    await walk("POST", "/deliveries/retry-all", 200, json={"cause": "bitrix24.ERROR_CORE"})
    await walk("GET", "/connections/{connection_id}", 200)
    for verb in ("pause", "resume", "check"):
        await walk("POST", f"/connections/{{connection_id}}/{verb}", 200)
    await walk("GET", "/connections/{connection_id}", 200)
    await walk_addresses(walk)
    for method, address, status, more in BY_THEMSELVES:
        await walk(method, address, status, **more)
    await walk_a_request(walk)
    await walk_a_person(walk)
    await walk_staff(walk)
    await walk_flows(walk)
    await walk_secrets(walk)
    await consents(walk)
    await api.uncertain(delivery)
    await walk("POST", "/deliveries/{delivery_id}/confirm", 200)
    await walk("POST", "/events/{event_id}/replay", 200, event=await api.undone_event())
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == seen


async def walk_lists(walk: Callable[..., Awaitable[Any]]) -> None:
    """Listings, with a page size that is none, and the sums."""
    for name in ("events", "deliveries", "leads", "connections", "alerts", "alerts/addresses", "consents", "journal"):
        await walk("GET", f"/{name}", 200, query="?limit=1")
        await walk("GET", f"/{name}", 422, query="?limit=0")
    for path in ("/deliveries/causes", "/ledger", "/journal/checkpoint"):
        await walk("GET", path, 200)
    await walk("GET", "/figures", 200, query="?period=week")
    await walk("POST", "/ledger/reconcile", 200)
    await walk("GET", "/ledger", 200)


async def walk_addresses(walk: Callable[..., Awaitable[Any]]) -> None:
    """Where alarms go, from the first trial to the end."""
    added = await walk("POST", "/alerts/addresses", 201, json={"url": "json://127.0.0.1:9/", "name": "Проба"})
    await walk("POST", "/alerts/addresses", 409, json={"url": "json://127.0.0.1:9/", "name": "Проба"})
    await walk("POST", "/alerts/test", 200)
    await walk("GET", "/alerts/addresses", 200)
    await walk("DELETE", "/alerts/addresses/{address_id}", 200, address=added["address"])
    await walk("DELETE", "/alerts/addresses/{address_id}", 404, address=added["address"])


async def walk_a_request(walk: Callable[..., Awaitable[Any]]) -> None:
    """From the paper on the desk to the answer."""
    asked = await walk("POST", "/requests", 201, json={"kind": "access", "way": "paper", "words": "Что храните?"})
    await walk("POST", "/requests", 422, json={"kind": "all", "way": "paper"})
    await walk("GET", "/requests", 200, query="?state=open")
    await walk("POST", "/requests/{request_id}/assign", 200, json={"who": "+79000000502"}, **asked)
    await walk("POST", "/requests/{request_id}/extend", 200, json={"reason": "архив на бумаге"}, **asked)
    await walk("GET", "/requests/{request_id}/words", 200, **asked)
    await walk("POST", "/requests/{request_id}/close", 200, json={"outcome": "done", "note": "отправили"}, **asked)
    await walk("GET", "/requests/{request_id}", 200, **asked)
    await walk("GET", "/requests/{request_id}", 404, request="req_none")


async def walk_a_person(walk: Callable[..., Awaitable[Any]]) -> None:
    """Everything that may be asked of a person."""
    person = (await walk("POST", "/subjects", 200, json={"identifier": "8 900 000-05-02"}))["subject"]
    await walk("POST", "/subjects", 404, json={"identifier": "8 900 000-99-99"})
    await walk("POST", "/subjects", 422, json={})
    await walk("GET", "/subjects/{subject_id}", 200, subject=person, role=Role.AUDITOR)
    await walk("GET", "/subjects/{subject_id}", 404, subject="subj_none")
    await walk("POST", "/subjects/{subject_id}/reveal", 200, subject=person)
    await walk("POST", "/subjects/{subject_id}/export", 200, subject=person)
    await walk("POST", "/subjects/{subject_id}/correct", 200, subject=person, json={"name": "Алсу Г."})
    await walk("POST", "/subjects/{subject_id}/correct", 422, subject=person, json={"phone": "12"})
    await walk("POST", "/subjects/{subject_id}/block", 200, subject=person, json={"reason": "accuracy"})
    await walk("POST", "/subjects/{subject_id}/unblock", 200, subject=person)
    await walk("POST", "/subjects/{subject_id}/unblock", 409, subject=person)
    erased = await walk("POST", "/subjects/{subject_id}/erase", 200, subject=person, json={"reason": "request"})
    await walk("GET", "/erasures", 200)
    await walk("GET", "/erasures/{erasure_id}", 200, erasure=erased["erasure"])
    await walk("GET", "/erasures/{erasure_id}", 404, erasure="era_none")
    await walk("GET", "/subjects/{subject_id}", 200, subject=person)


async def walk_staff(walk: Callable[..., Awaitable[Any]]) -> None:
    """Somebody comes, gets another role, and goes; a token is made and ended."""
    invited = await walk("POST", "/staff", 200, json={"name": "Лейла", "role": "manager"})
    assert "/setup/" in invited["setup_url"]
    await walk("POST", "/staff", 409, json={"name": "лейла", "role": "manager"})
    await walk("POST", "/staff", 403, json={"name": "Пётр", "role": "owner"}, role=Role.INTEGRATOR)
    await walk("GET", "/staff", 200)
    again = await walk("POST", "/staff/{staff_id}/reset", 200, staff=invited["id"])
    assert again["setup_url"] != invited["setup_url"]
    await walk("POST", "/staff/{staff_id}/reset", 404, staff="staff_none")
    await walk("POST", "/staff/{staff_id}/role", 200, staff=invited["id"], json={"role": "auditor"})
    await walk("POST", "/staff/{staff_id}/role", 409, staff=invited["id"], json={"role": "auditor"})
    await walk("POST", "/staff/{staff_id}/disable", 200, staff=invited["id"])
    await walk("POST", "/staff/{staff_id}/disable", 404, staff=invited["id"])
    made = await walk("POST", "/tokens", 200, json={"role": "auditor", "days": 2, "scopes": ["events:read"]})
    await walk("POST", "/tokens", 422, json={"role": "auditor", "days": 0})
    await walk("POST", "/tokens", 403, json={"role": "owner", "days": 2}, role=Role.INTEGRATOR)
    listed = (await walk("GET", "/tokens", 200))["items"]
    assert made["token"] not in str(listed)
    await walk("POST", "/tokens/{token_id}/revoke", 200, token=made["id"])
    await walk("POST", "/tokens/{token_id}/revoke", 404, token="tok_none")


async def consents(walk: Callable[..., Awaitable[Any]]) -> None:
    """The register holds what the bot builder told; texts and rule are written and refused."""
    await walk("GET", "/consents/overview", 200)
    told = await walk("GET", "/consents/{number}", 200)
    hidden = await walk("GET", "/consents/{number}", 200, role=Role.AUDITOR)
    assert (told["told_version"], hidden["told_version"], hidden["hidden"]) == (
        "2026-11-01",
        None,
        ["words", "told_version"],
    )
    text = {
        "purpose": "advertising",
        "locale": "ru",
        "text": "Пишите о скидках изредка. Надоест, отвечу «стоп», и всё.",
    }
    await walk("POST", "/consents/texts", 403, json=text, role=Role.MANAGER)
    await walk(
        "POST", "/consents/texts", 422, json={**text, "text": "на всё согласен и навсегда, отозвать нельзя никак"}
    )
    await walk("POST", "/consents/texts", 201, json=text)
    await walk("POST", "/consents/texts", 409, json=text)
    await walk("GET", "/consents/texts", 200)
    assert (await walk("POST", "/consents/rule", 200, json={"advertises": True}))["asks_processing"] is True
    assert (await walk("GET", "/consents/verify", 200))["ok"] is True


async def test_a_cured_lead_reaches_the_crm(api: Api) -> None:
    """What the fix form does, by a program: read, correct, send again."""
    _, delivery = await api.dead_letter(501)
    data = await api.get(f"/deliveries/{delivery}/fix", Role.MANAGER)
    assert (data["name"], data["phone"]) == ("Алсу Гарипова", "+79000000501")
    await api.cure()
    fixed = {**data, "phone": "8 900 000-07-07", "name": " Алсу Г. "}
    answer = await api.ask("POST", f"/deliveries/{delivery}/fix", Role.MANAGER, json=fixed)
    assert answer.json() == {"delivery": delivery, "state": "waiting"}
    (made,) = await api.salon.portal.having(1)
    assert made["name"] == "Алсу Г."
    await api.salon.idle()
    (row,) = (await api.get("/leads"))["items"]
    assert (row["state"], row["crm"], row["connection"]) == ("open", f"lead:{made['id']}", api.salon.crm)
    assert "stage" not in row
    figures = await api.get("/figures")
    assert (figures["came"], figures["in_crm"], figures["waiting"], figures["dead"]) == (1, 1, 0, 0)
    ledger = await api.get("/ledger")
    assert (ledger["received"], ledger["in_crm"]) == (1, 1)
