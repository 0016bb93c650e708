"""The same key with the same request: one effect and one answer, whatever fails in between."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx
import pytest

from leadgate.model.staff import Role
from tests.web.api.conftest import Api

ADDRESS = {"url": "json://127.0.0.1:9/"}
"""An address whose name is made up by us, so that a repeat without a key adds a second one."""


async def addresses(api: Api) -> int:
    """How many there are."""
    return len((await api.get("/alerts/addresses"))["items"])


async def test_a_repeat_gets_the_first_answer(api: Api) -> None:
    """Also when its JSON is spaced otherwise; without a key both count."""
    first = await api.ask("POST", "/alerts/addresses", key="a", json=ADDRESS)
    assert (first.status_code, "idempotency-replayed" in first.headers) == (201, False)
    spaced, headers = b'{ "url" : "json://127.0.0.1:9/" }', {"content-type": "application/json"}
    second = await api.ask("POST", "/alerts/addresses", key="a", content=spaced, headers=headers)
    assert (second.status_code, second.content) == (201, first.content)
    assert (second.headers["idempotency-replayed"], second.headers["content-type"]) == ("true", "application/json")
    assert await addresses(api) == 1
    await api.ask("POST", "/alerts/addresses", json=ADDRESS)
    assert await addresses(api) == 2


async def test_a_key_belongs_to_one_request_and_one_token(api: Api) -> None:
    """Another request under it is a mistake (422); another program has keys of its own."""
    await api.ask("POST", "/alerts/addresses", key="a", json=ADDRESS)
    for method, path, body in (
        ("POST", "/alerts/addresses", {**ADDRESS, "name": "Другой"}),
        ("POST", "/alerts/test", {}),
        ("DELETE", "/alerts/addresses/addr_1", {}),
    ):
        answer = await api.ask(method, path, key="a", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "api.key_reused"), path
    other = await api.ask("POST", "/alerts/addresses", Role.INTEGRATOR, key="a", json=ADDRESS)
    assert (other.status_code, await addresses(api)) == (201, 2)


async def test_a_refusal_is_an_answer_too(api: Api) -> None:
    """A repeat must not do what the first was refused; what was never begun (403, 422 of the schema) keeps no key."""
    _, delivery = await api.dead_letter(501)
    path = f"/deliveries/{delivery}"
    assert (await api.ask("POST", f"{path}/discard", key="d", json={"reason": ""})).status_code == 422
    assert (
        await api.ask("POST", f"{path}/discard", Role.MANAGER, key="d", json={"reason": "проба"})
    ).status_code == 403
    assert (await api.ask("POST", f"{path}/discard", key="d", json={"reason": "проба"})).status_code == 200
    refused = await api.ask("POST", f"{path}/retry", key="r")
    again = await api.ask("POST", f"{path}/retry", key="r")
    assert (refused.status_code, again.status_code, again.content) == (409, 409, refused.content)
    assert (again.headers["content-type"], again.headers["idempotency-replayed"]) == (
        "application/problem+json",
        "true",
    )


async def test_of_many_at_once_one_works(api: Api) -> None:
    """The others get its answer, or are told that it runs (409)."""
    answers = await asyncio.gather(*(api.ask("POST", "/alerts/addresses", key="a", json=ADDRESS) for _ in range(20)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert (answer.json()["code"], answer.headers["retry-after"]) == ("api.key_running", "60")
    assert await addresses(api) == 1


async def test_a_killed_gateway_knows_the_answer(api: Api) -> None:
    """Effect and answer are one commit: after SIGKILL there are both, or neither."""
    asking = [asyncio.create_task(api.ask("POST", "/alerts/addresses", key=str(n), json=ADDRESS)) for n in range(12)]
    await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    await api.salon.gateway.kill()
    await asyncio.gather(*asking, return_exceptions=True)
    await api.salon.restart()
    made = await addresses(api)
    assert made >= 1
    again = [await api.ask("POST", "/alerts/addresses", key=str(n), json=ADDRESS) for n in range(12)]
    # What was claimed and not done is free again after a minute; what was done answers as it would have.
    replayed = [answer for answer in again if "idempotency-replayed" in answer.headers]
    fresh = [answer for answer in again if answer.status_code == 201 and answer not in replayed]
    assert len(replayed) == made
    assert {answer.status_code for answer in again} <= {201, 409}
    assert await addresses(api) == made + len(fresh)


async def test_a_gateway_that_died_after_the_commit_answers_the_repeat(api: Api) -> None:
    """The worst moment: the address is there and nobody was told. A program repeats, and must not add a second one."""
    gateway = api.salon.gateway
    await gateway.stop()
    usual, gateway.runner = gateway.runner, (sys.executable, str(Path(__file__).with_name("dying_runner.py")))
    await gateway.start()
    with pytest.raises(httpx.HTTPError):
        await api.ask("POST", "/alerts/addresses", key="a", json=ADDRESS)
    gateway.runner = usual
    await api.salon.restart()
    again = await api.ask("POST", "/alerts/addresses", key="a", json=ADDRESS)
    assert (again.status_code, again.headers.get("idempotency-replayed")) == (201, "true"), again.text
    (kept,) = (await api.get("/alerts/addresses"))["items"]
    assert again.json()["address"] == kept["id"]
