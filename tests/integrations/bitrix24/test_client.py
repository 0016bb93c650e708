from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from leadgate.integrations.bitrix24.access import WebhookAccess
from leadgate.integrations.bitrix24.batch import Command
from leadgate.integrations.bitrix24.client import ANSWER_LIMIT_BYTES, Answer, PortalClient
from leadgate.integrations.bitrix24.errors import Failure, Meaning
from leadgate.integrations.bitrix24.governor import Governor
from leadgate.model.outcomes import Delivered
from leadgate.model.secret import Secret
from tests.integrations.bitrix24.house import SECRET, HandClock, create, open_house

Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler | httpx.AsyncBaseTransport, *, timeout_s: float = 5.0) -> PortalClient:
    """A client whose wire ends in a function."""
    clock = HandClock()
    transport = handler if isinstance(handler, httpx.AsyncBaseTransport) else httpx.MockTransport(handler)
    access = WebhookAccess(Secret(f"https://salon.example/rest/1/{SECRET}/"))
    return PortalClient(
        access, Governor(clock, sleep=clock.sleep), clock=clock, timeout_s=timeout_s, transport=transport
    )


def raising(error: Exception) -> Handler:
    """A wire that breaks so."""

    def handle(request: httpx.Request) -> httpx.Response:
        raise error

    return handle


async def test_a_call_is_a_post_of_json() -> None:
    """A GET would put data into the address; the answer's result and time are handed on."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"result": {"ID": "1"}, "time": {"operating": 0.5}})

    assert await client(handle).call("profile", {"a": [1]}) == Answer({"ID": "1"}, {"operating": 0.5})
    [request] = seen
    assert request.method == "POST"
    assert request.url.path.endswith("/profile")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "leadgate"
    assert json.loads(request.content) == {"a": [1]}


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (httpx.ConnectError("x"), Meaning.RETRY),
        (httpx.ConnectTimeout("x"), Meaning.RETRY),
        (httpx.PoolTimeout("x"), Meaning.RETRY),
        (httpx.InvalidURL("x"), Meaning.RETRY),
        (httpx.UnsupportedProtocol("x"), Meaning.RETRY),
        (httpx.ReadTimeout("x"), Meaning.UNKNOWN),
        (httpx.WriteTimeout("x"), Meaning.UNKNOWN),
        (httpx.ReadError("x"), Meaning.UNKNOWN),
        (httpx.WriteError("x"), Meaning.UNKNOWN),
        (httpx.CloseError("x"), Meaning.UNKNOWN),
        (httpx.RemoteProtocolError("x"), Meaning.UNKNOWN),
        (httpx.LocalProtocolError("x"), Meaning.UNKNOWN),
        (httpx.DecodingError("x"), Meaning.UNKNOWN),
    ],
)
async def test_only_what_surely_did_not_leave_the_house_is_repeated(error: Exception, meaning: Meaning) -> None:
    """A doubtful write is looked up, never guessed."""
    answer = await client(raising(error)).call("profile", {})
    assert isinstance(answer, Failure)
    assert answer.meaning is meaning


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, text="<html>ok</html>", headers={"content-type": "text/html"}),
        httpx.Response(502, text="<html>bad</html>"),
        httpx.Response(404, text="<html>no such portal</html>"),
        httpx.Response(200, text=""),
        httpx.Response(200, text="[1]"),
        httpx.Response(200, text='{"result": 1'),
        httpx.Response(200, text="[" * 100_000),
        httpx.Response(200, json={"something": 1}),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.Response(204),
    ],
    ids=range(10),
)
async def test_an_unreadable_answer_is_unclear(response: httpx.Response) -> None:
    """Pages of proxies, cut bodies and strange shapes say nothing of the work."""
    answer = await client(lambda _: response).call("profile", {})
    assert isinstance(answer, Failure)
    assert answer.meaning is Meaning.UNKNOWN


async def test_an_endless_answer_is_cut() -> None:
    """4 MiB are enough for any answer of ours; more would fill the memory of a small server."""
    served = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal served
        while served < 4 * ANSWER_LIMIT_BYTES:
            served += 65536
            yield b" " * 65536

    answer = await client(lambda _: httpx.Response(200, content=endless())).call("profile", {})
    assert isinstance(answer, Failure)
    assert (answer.code, answer.meaning) == ("bitrix24.answer_too_large", Meaning.UNKNOWN)
    assert served <= ANSWER_LIMIT_BYTES + 2 * 65536


async def test_a_silent_portal_is_left_after_the_time_out() -> None:
    """Also when every single read would still be in time."""

    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

    async with asyncio.timeout(2.0):
        answer = await client(Silent(), timeout_s=0.05).call("profile", {})
    assert isinstance(answer, Failure)
    assert (answer.code, answer.meaning) == ("bitrix24.timeout", Meaning.UNKNOWN)


async def test_an_error_code_counts_even_with_status_200() -> None:
    """Some methods answer so."""
    body = {"error": "NO_AUTH_FOUND", "error_description": "Wrong authorization data"}
    answer = await client(lambda _: httpx.Response(200, json=body)).call("profile", {})
    assert isinstance(answer, Failure)
    assert answer.code == "bitrix24.NO_AUTH_FOUND"


class Renamed(httpx.AsyncBaseTransport):
    """The way to a host that is served on a socket of this machine."""

    def __init__(self, new_host: str) -> None:
        self.new_host = new_host
        self.target = ""
        self.wire = httpx.AsyncHTTPTransport()
        self.seen: list[tuple[str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append((request.method, request.url.host))
        if request.url.host == self.new_host:
            request.url = httpx.URL(self.target).join(request.url.raw_path.decode())
        return await self.wire.handle_async_request(request)

    async def aclose(self) -> None:
        await self.wire.aclose()


async def test_a_renamed_portal_gets_the_same_post_at_its_new_host() -> None:
    """An HTTP library would turn the POST into a GET without a body, and the lead would be lost or empty."""
    wire = Renamed("new.bitrix24.example")
    async with open_house(transport=wire) as house:
        wire.target = house.url
        house.sandbox.portal.scopes = frozenset({"crm"})
        house.sandbox.faults.add("moved", host="new.bitrix24.example", count=1)
        [outcome] = await house.deliver(create())
        assert outcome == Delivered(f"lead:{house.leads[0].id}")
        assert wire.seen == [("POST", "127.0.0.1"), ("POST", "new.bitrix24.example"), ("POST", "new.bitrix24.example")]
        report = await house.crm.check()
        assert [finding.code for finding in report.findings] == ["bitrix24.portal_moved", "bitrix24.works"]


@pytest.mark.parametrize("location", ["https://evil.example/", f"http://evil.example/rest/1/{SECRET}/batch", ""])
async def test_another_redirect_executes_nothing_and_sends_the_secret_nowhere(location: str) -> None:
    """A portal that is gone redirects to the vendor's site."""
    hosts: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(302, headers={"location": location})

    answer = await client(handle).batch([Command("a", "profile", {})], halt=True)
    assert isinstance(answer, Failure)
    assert (answer.code, answer.needs_person) == ("bitrix24.redirect_refused", True)
    assert hosts == ["salon.example"]


async def test_a_ring_of_redirects_ends() -> None:
    """Two hosts that point at each other."""
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        other = "b.example" if request.url.host != "b.example" else "c.example"
        return httpx.Response(302, headers={"location": f"https://{other}{request.url.path}"})

    answer = await client(handle).call("profile", {})
    assert isinstance(answer, Failure)
    assert len(seen) == 2


async def test_nothing_is_sent_when_the_portal_is_away() -> None:
    """A closed port: surely not sent, so no quiet time."""
    async with open_house() as house:
        url = house.url
    clock = HandClock()
    gone = PortalClient(WebhookAccess(Secret(url)), Governor(clock, sleep=clock.sleep), clock=clock, timeout_s=2.0)
    answer = await gone.call("profile", {})
    await gone.close()
    assert isinstance(answer, Failure)
    assert (answer.code, answer.meaning) == ("bitrix24.unreachable", Meaning.RETRY)


async def test_a_closed_client_sends_nothing_and_says_so() -> None:
    """The settings of a connection may change while a lead waits for its turn."""
    closed = client(lambda _: httpx.Response(200, json={"result": {}}))
    await closed.close()
    await closed.close()
    answer = await closed.call("profile", {})
    assert isinstance(answer, Failure)
    assert (answer.code, answer.meaning) == ("bitrix24.closed", Meaning.RETRY)
