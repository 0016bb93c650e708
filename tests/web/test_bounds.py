"""What one connection may cost: bytes, headers, time and memory, on real sockets; whatever one does, the next is served."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest

from leadgate.model.webhooks import WebhookAnswer
from leadgate.web import bounds
from tests.web.test_door_protocol import PATIENCE_S, Door, House, Wire, post, serve

GET = b"GET /chat HTTP/1.1\r\nHost: salon\r\n"
HOOK = b"POST /webhooks/bot/conn_1 HTTP/1.1\r\nHost: salon\r\n"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A server whose door answers at once."""
    async with serve(Door()) as running:
        yield running


async def refused(wire: Wire, data: bytes) -> tuple[int, str]:
    """Status and code of a refusal, after which the connection ends."""
    await wire.say(data)
    status, headers, body = await wire.hear()
    assert (headers["connection"], headers["content-type"]) == ("close", "application/problem+json")
    return status, str(json.loads(body)["code"])


async def is_served(house: House) -> bool:
    """The next sender gets an answer."""
    wire = await house.connect()
    await wire.say(post(b"honest"))
    return (await wire.hear())[2] == b"honest"


MALFORMED = {
    "length and coding": HOOK + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": HOOK + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": HOOK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "the same length twice": HOOK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": HOOK + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": HOOK + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": HOOK + b"Content-Length: -2\r\n\r\n{}",
    "a length without end": HOOK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}",
    "a space before the colon": HOOK + b"Content-Length : 2\r\n\r\n{}",
    "a coding that we do not know": HOOK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two codings": HOOK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "codings in the wrong order": HOOK + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "the coding twice": HOOK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a coding in HTTP/1.0": HOOK.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded header": HOOK + b"X-A: 1\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "a folded coding": HOOK + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a bare carriage return": HOOK + b"X: a\rContent-Length: 2\r\n\r\n{}",
    "bare line feeds": HOOK.replace(b"\r\n", b"\n") + b"Content-Length: 2\n\n{}",
    "a NUL in a value": HOOK + b"X: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
    "a NUL in a name": HOOK + b"X\x00: a\r\nContent-Length: 2\r\n\r\n{}",
    "no host": b"GET /chat HTTP/1.1\r\n\r\n",
    "a host that is none": b"GET /chat HTTP/1.1\r\nHost: a b\r\n\r\n",
    "a host with a port that is none": b"GET /chat HTTP/1.1\r\nHost: salon:99999\r\n\r\n",
    "a host of other letters": b"GET /chat HTTP/1.1\r\nHost: \xd1\x8f\r\n\r\n",
    "half an address as host": b"GET /chat HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "two hosts": GET + b"Host: other\r\n\r\n",
    "an old version": b"GET /chat\r\n\r\n",
    "a newer version": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a tunnel": b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: salon\r\n\r\n",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_two_programs_may_read_in_two_ways_is_refused(house: House, data: bytes) -> None:
    """Else a proxy and we disagree where a request ends, and a stranger's words become somebody's request (RFC 9112, 11.2)."""
    wire = await house.connect()
    assert await refused(wire, data) == (400, "web.request_malformed")
    assert await wire.is_over()
    assert house.door.taken == []
    assert await is_served(house)


@pytest.mark.parametrize(
    "chunks",
    [
        b"2;a\nb\r\n{}\r\n0\r\n\r\n",
        b"-2\r\n{}\r\n",
        b"2 \r\n{}\r\n",
        b"2\n{}\n0\n\n",
        b"2\r\n{}xx0\r\n\r\n",
        b"0x2\r\n{}\r\n",
        b"FFFFFFFFFFFFFFFFF\r\n{}",
    ],
)
async def test_a_chunk_that_is_none_reaches_no_door(house: House, chunks: bytes) -> None:
    """The connection ends; the answer is written as long as no earlier one is under way."""
    wire = await house.connect()
    await wire.say(HOOK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert await wire.is_over() or house.door.taken == []
    assert house.door.taken == []
    assert await is_served(house)


async def test_a_trailer_is_no_header(house: House) -> None:
    """A proxy checks headers; what comes behind the body would pass by."""
    wire = await house.connect()
    await wire.say(HOOK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n")
    assert (await wire.hear())[0] == 202
    assert "x-forwarded-for" not in house.door.taken[0][1].headers
    await wire.say(
        HOOK.replace(b"/webhooks/bot/conn_1", b"/chat") + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Evil: 1\r\n\r\n"
    )
    assert (await wire.hear())[2] == b"page"
    (connection,) = house.server.server_state.connections
    assert isinstance(connection, bounds.BoundedProtocol)
    assert {name for name, _ in connection.headers} == {b"host", b"transfer-encoding"}


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (GET + b"".join(b"X-%d: y\r\n" % n for n in range(101)) + b"\r\n", 431, "web.head_too_large"),
        (GET + b"X: " + b"y" * bounds.HEAD_LIMIT_BYTES + b"\r\n\r\n", 431, "web.head_too_large"),
        (GET + b"X: " + b"y" * 4_000_000, 431, "web.head_too_large"),
        (b"GET /" + b"a" * bounds.TARGET_LIMIT_BYTES + b" HTTP/1.1\r\n", 414, "web.target_too_long"),
        (b"GET /" + b"a" * 4_000_000, 414, "web.target_too_long"),
    ],
    ids=["many headers", "a large head", "a header without end", "a long address", "an address without end"],
)
async def test_a_head_without_end_is_refused(house: House, data: bytes, status: int, code: str) -> None:
    """It would be kept in memory until it is complete, and it never is."""
    wire = await house.connect()
    reader = asyncio.create_task(wire.hear())
    with contextlib.suppress(ConnectionError):  # the refusal came before everything was sent
        await wire.say(data)
    try:
        answer, _, body = await reader
        assert (answer, json.loads(body)["code"]) == (status, code)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # hung up on while it still sent
    assert house.door.taken == []
    assert await is_served(house)


async def test_a_hundred_headers_and_a_long_address_are_served(house: House) -> None:
    """The limits themselves are inside: browsers send cookies, Meta long queries."""
    wire = await house.connect()
    extra = "".join(f"X-{n}: y\r\n" for n in range(98))
    await wire.say(post(b"{}", target="/webhooks/bot/conn_1?a=" + "b" * 8000, extra=extra))
    assert (await wire.hear())[0] == 202


@pytest.mark.parametrize(
    "data",
    [b"", b"\r\n", b"GET /chat HTTP/1.1\r\nHost: sal", b"POST /form HTTP/1.1\r\nHost: s\r\nContent-Length: 9\r\n\r\na"],
    ids=["nothing", "empty lines", "half a head", "half a form"],
)
async def test_a_sender_that_does_not_come_to_the_point_is_hung_up_on(
    house: House, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    """Slowloris: a thousand of them would be a thousand connections for ever."""
    monkeypatch.setattr(bounds, "READ_TIMEOUT_S", 0.05)
    wire = await house.connect()
    await wire.say(data)
    async with asyncio.timeout(PATIENCE_S):
        said = await wire.reader.read()
    assert said == b"" or b" 408 " in said or said.endswith(b"page")
    assert await is_served(house)


async def test_a_connection_that_was_used_rests_longer_than_a_request_may_take(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every pause of a bot builder would cost it a connection."""
    monkeypatch.setattr(bounds, "READ_TIMEOUT_S", 0.05)
    wire = await house.connect()
    await wire.say(post(b"1"))
    await wire.hear()
    (connection,) = house.server.server_state.connections
    assert isinstance(connection, bounds.BoundedProtocol)
    assert connection._deadline is None  # noqa: SLF001 - no timer runs against it


async def test_nothing_is_written_before_the_answer_that_is_under_way(house: House) -> None:
    """A malformed request behind a webhook: its 400 would be taken for the webhook's answer, and the lead sent again for ever."""
    house.door.holds = True
    wire = await house.connect()
    await wire.say(post(b"1") + b"nonsense\r\n\r\n")
    assert await wire.is_over()
    assert len(house.door.taken) == 1


async def test_a_reader_that_never_reads_is_given_up_and_costs_little(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks on and on and leaves the answers to us; nothing more is read from it, and then it is hung up on."""
    monkeypatch.setattr(bounds, "WRITE_TIMEOUT_S", 0.2)
    wire = await house.connect()
    wire.reader._limit = 0  # type: ignore[attr-defined]  # noqa: SLF001 - our side stops reading
    request = post(b"x" * 1000)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await wire.say(request * 50)
    except ConnectionError:
        pass
    assert len(house.door.taken) < 200_000
    assert await is_served(house)


async def test_a_crowd_makes_room_for_whoever_has_something_to_say(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connections that rest longest go, and never one whose webhook is in our hands."""
    monkeypatch.setattr(bounds, "CONNECTIONS_LIMIT", 10)
    house.door.holds = True
    busy = await house.connect()
    await busy.say(post(b"kept"))
    await house.door.wait_for(1)
    idle = [await house.connect() for _ in range(30)]
    honest = await house.connect()
    await honest.say(post(b"honest"))
    await house.door.wait_for(2)
    assert len(house.server.server_state.connections) <= 11
    assert await idle[0].is_over()
    for reply, text in zip(house.door.replies, (b"kept", b"honest"), strict=True):
        reply(WebhookAnswer(202, text))
    assert (await busy.hear())[2] == b"kept"
    assert (await honest.hear())[2] == b"honest"
