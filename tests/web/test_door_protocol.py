"""The connection under the door, on real sockets: what reaches the door, the order of answers, and when a connection ends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest
import uvicorn

from leadgate.errors import WebhookRejectedError
from leadgate.intake.receive import MAX_BODY_BYTES
from leadgate.model.webhooks import RawWebhook, WebhookAnswer
from leadgate.settings import Address
from leadgate.web import bounds
from leadgate.web import door_protocol as protocol
from leadgate.web.server import address_of, bind
from leadgate.web.webhooks import Reply

PATIENCE_S = 20


class Door:
    """Stands in for the house's door: notes what comes, answers when it is told (or at once)."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, RawWebhook]] = []
        self.replies: list[Reply] = []
        self.refused: list[str] = []
        self.holds = False
        self.came = asyncio.Event()

    def take(self, path: str, request: RawWebhook, reply: Reply) -> None:
        self.taken.append((path, request))
        self.replies.append(reply)
        self.came.set()
        if not self.holds:
            reply(WebhookAnswer(202, request.body, headers=(("x-note", "1"),)))

    def refuse(self, path: str, request: RawWebhook, reply: Reply, error: WebhookRejectedError) -> None:
        self.refused.append(error.code)
        reply(WebhookAnswer(error.status, b"no"))

    async def wait_for(self, number: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.taken) < number:
                self.came.clear()
                await self.came.wait()


async def page(_scope: object, _receive: object, send: Callable[[dict[str, object]], Awaitable[None]]) -> None:
    """Everything that is not a webhook."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"page"})


class Wire:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer: status, headers, body."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(head[0].split()[1]), headers, body

    async def is_over(self) -> bool:
        """True when the server hung up and said nothing more."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True


class House:
    """A running server with the door's protocol."""

    def __init__(self, door: Door, server: uvicorn.Server, address: Address) -> None:
        self.door, self.server, self.address = door, server, address
        self.wires: list[Wire] = []

    async def connect(self) -> Wire:
        self.wires.append(Wire(*await asyncio.open_connection(self.address.host, self.address.port)))
        return self.wires[-1]

    async def hang_up(self) -> None:
        for wire in self.wires:
            wire.writer.close()
            with suppress(ConnectionError):
                await wire.writer.wait_closed()


class Server(uvicorn.Server):
    """uvicorn that leaves signals alone and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()


@asynccontextmanager
async def serve(door: Door) -> AsyncIterator[House]:
    """On a free port; ends with everything answered."""
    kind = protocol.door_protocol(door)  # type: ignore[arg-type]  # stands in for the door
    config = uvicorn.Config(
        page, http=kind, lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=PATIENCE_S
    )
    with bind(Address("127.0.0.1", 0)) as listener:
        server = Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await server.listens.wait()
        house = House(door, server, address_of(listener))
        try:
            yield house
        finally:
            await house.hang_up()
            server.should_exit = True
            await serving


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A server whose door answers at once, unless a test tells it to hold."""
    async with serve(Door()) as running:
        yield running


def post(body: bytes = b"{}", *, target: str = "/webhooks/bot/conn_1", extra: str = "", version: str = "1.1") -> bytes:
    """A request as it travels."""
    head = f"POST {target} HTTP/{version}\r\nHost: salon\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


async def test_a_webhook_reaches_the_door_as_it_was_sent(house: House) -> None:
    """Names in lower case, repeated headers joined, the query read, the body untouched."""
    wire = await house.connect()
    extra = "X-Sign: a\r\nx-sign: b\r\n"
    await wire.say(post(b"\xff{}", target="/webhooks/vk/conn%5F2?hub=1&empty=", extra=extra))
    status, headers, body = await wire.hear()
    ((path, request),) = house.door.taken
    assert (status, headers["x-note"], headers["cache-control"], body) == (202, "1", "no-store", b"\xff{}")
    assert (path, request.method, request.query) == ("/webhooks/vk/conn_2", "POST", {"hub": "1", "empty": ""})
    assert request.headers["x-sign"] == "a, b"
    assert request.peer == "127.0.0.1"
    assert request.body == b"\xff{}"


async def test_pages_and_webhooks_take_turns_on_one_connection(house: House) -> None:
    """The widget's page posts messages and asks for replies over the same connection."""
    wire = await house.connect()
    for _ in range(2):
        await wire.say(b"GET /chat HTTP/1.1\r\nHost: salon\r\n\r\n")
        assert (await wire.hear())[2] == b"page"
        await wire.say(post(b"words"))
        assert (await wire.hear())[2] == b"words"
    assert len(house.door.taken) == 2


async def test_a_body_may_come_letter_by_letter(house: House) -> None:
    """A phone on a bad line sends so; also chunks of no announced length."""
    wire = await house.connect()
    for letter in post(b"slowly"):
        await wire.say(bytes([letter]))
    assert (await wire.hear())[2] == b"slowly"
    await wire.say(b"POST /webhooks/bot/c HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await wire.say(b"3\r\ndef\r\n0\r\n\r\n")
    assert (await wire.hear())[2] == b"abcdef"


async def test_the_largest_body_in_the_smallest_chunks_arrives_whole(house: House) -> None:
    """Anybody may send a mebibyte byte by byte, without a proof; nothing is lost, and nothing breaks."""
    wire = await house.connect()
    await wire.say(b"POST /webhooks/bot/c HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n")
    await wire.say(b"1\r\nx\r\n" * MAX_BODY_BYTES + b"0\r\n\r\n")
    assert len((await wire.hear())[2]) == MAX_BODY_BYTES


async def test_answers_leave_in_the_order_of_the_requests(house: House) -> None:
    """A sender that does not wait for answers must not take one for another's: it would drop a lead that was refused."""
    house.door.holds = True
    wire = await house.connect()
    await wire.say(post(b"1") + post(b"2") + post(b"3"))
    await house.door.wait_for(3)
    for number in (2, 0, 1):
        house.door.replies[number](WebhookAnswer(202, b"to %d" % (number + 1)))
    assert [(await wire.hear())[2] for _ in range(3)] == [b"to 1", b"to 2", b"to 3"]


async def test_a_page_behind_an_unanswered_webhook_ends_the_connection(house: House) -> None:
    """Nobody does so; the answers must not be mixed up if somebody does. The webhook is kept and may be sent again."""
    house.door.holds = True
    wire = await house.connect()
    await wire.say(post(b"1") + b"GET /chat HTTP/1.1\r\nHost: salon\r\n\r\n")
    assert await wire.is_over()
    house.door.replies[0](WebhookAnswer(202))  # nobody hears it, nothing breaks


async def test_a_sender_that_hangs_up_is_not_missed(house: House) -> None:
    """The answer to a closed connection goes nowhere and the server lives on."""
    house.door.holds = True
    wire = await house.connect()
    await wire.say(post(b"1"))
    await house.door.wait_for(1)
    wire.writer.close()
    await wire.writer.wait_closed()
    house.door.replies[0](WebhookAnswer(202))
    house.door.holds = False
    other = await house.connect()
    await other.say(post(b"2"))
    assert (await other.hear())[0] == 202


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in pieces"])
async def test_a_huge_body_is_refused_before_it_is_read_and_the_refusal_is_heard(house: House, announced: bool) -> None:
    """413 and the end of the connection; what follows is not kept in memory."""
    wire = await house.connect()
    size = MAX_BODY_BYTES + 1
    if announced:
        await wire.say(b"POST /webhooks/bot/c HTTP/1.1\r\nHost: s\r\nContent-Length: %d\r\n\r\n" % size)
    else:
        await wire.say(b"POST /webhooks/bot/c HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n")
        await wire.say(b"%x\r\n" % size + b"x" * size)
    status, headers, _ = await wire.hear()
    assert (status, headers["connection"]) == (413, "close")
    assert house.door.refused == ["webhook.body_too_large"]
    assert house.door.taken == []
    await wire.say(b"x" * size if announced else b"\r\n0\r\n\r\n")
    assert await wire.is_over()


async def test_the_largest_allowed_body_is_taken(house: House) -> None:
    """The limit itself is inside."""
    wire = await house.connect()
    await wire.say(post(b"x" * MAX_BODY_BYTES))
    assert len((await wire.hear())[2]) == MAX_BODY_BYTES


async def test_a_body_that_does_not_come_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a request must not hold a connection for ever."""
    monkeypatch.setattr(bounds, "READ_TIMEOUT_S", 0.05)
    wire = await house.connect()
    await wire.say(post(b"whole")[:-2])
    assert (await wire.hear())[0] == 408
    assert house.door.refused == ["webhook.too_slow"]


async def test_a_refused_body_is_not_read_for_ever(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that goes on sending after the refusal is hung up on."""
    monkeypatch.setattr(protocol, "_LINGER_S", 0.05)
    wire = await house.connect()
    await wire.say(b"POST /webhooks/bot/c HTTP/1.1\r\nHost: s\r\nContent-Length: 99999999\r\n\r\n")
    assert (await wire.hear())[0] == 413
    assert await wire.is_over()


async def test_a_careful_sender_is_told_to_go_on(house: House) -> None:
    """`Expect: 100-continue`, as curl sends for larger bodies."""
    wire = await house.connect()
    await wire.say(b"POST /webhooks/bot/c HTTP/1.1\r\nHost: s\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    async with asyncio.timeout(PATIENCE_S):
        assert await wire.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await wire.say(b"ok")
    assert (await wire.hear())[2] == b"ok"


@pytest.mark.parametrize(
    "request_bytes",
    [post(extra="Connection: close\r\n"), post(version="1.0"), post(extra="Connection: close, Upgrade\r\n")],
    ids=["asked to close", "HTTP/1.0", "close among others"],
)
async def test_the_connection_ends_when_the_sender_wants_it(house: House, request_bytes: bytes) -> None:
    """Some builders wait for the end of the connection to know the end of the answer."""
    wire = await house.connect()
    await wire.say(request_bytes)
    status, headers, _ = await wire.hear()
    assert (status, headers["connection"]) == (202, "close")
    assert await wire.is_over()


async def test_an_absolute_address_is_understood(house: House) -> None:
    """Some proxies write the whole address into the request (RFC 9112, section 3.2.2)."""
    wire = await house.connect()
    await wire.say(post(b"1", target="http://salon.example/webhooks/bot/conn_1?a=b"))
    assert (await wire.hear())[0] == 202
    assert house.door.taken[0][0] == "/webhooks/bot/conn_1"


async def test_what_is_not_http_is_refused_in_a_sentence(house: House) -> None:
    """A scanner; the server lives on."""
    wire = await house.connect()
    await wire.say(b"\x16\x03\x01 hello\r\n\r\n")
    assert (await wire.hear())[0] == 400
    assert await wire.is_over()


async def test_the_answer_to_head_has_no_body(house: House) -> None:
    """Else the next answer would begin in the middle of this one."""
    wire = await house.connect()
    await wire.say(b"HEAD /webhooks/bot/c HTTP/1.1\r\nHost: s\r\n\r\n")
    async with asyncio.timeout(PATIENCE_S):
        assert (await wire.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 202")
    await wire.say(post(b"next"))
    assert (await wire.hear())[2] == b"next"


async def test_a_connection_that_nobody_uses_is_closed(house: House) -> None:
    """Idle connections are not kept for ever; a used one lives on."""
    wire = await house.connect()
    await wire.say(post(b"1"))
    await wire.hear()
    (connection,) = house.server.server_state.connections
    assert isinstance(connection, protocol.DoorProtocol)
    connection.timeout_keep_alive = 0
    connection._check_idle()  # noqa: SLF001 - its hour has come, without the wait
    assert await wire.is_over()


async def test_a_server_that_stops_answers_what_is_in_hand() -> None:
    """A restart must not cost a sender the answer to what is on disk already."""
    async with serve(Door()) as house:
        house.door.holds = True
        busy, idle = await house.connect(), await house.connect()
        await busy.say(post(b"1"))
        await house.door.wait_for(1)
        await idle.say(post(b"2"))
        await house.door.wait_for(2)
        house.door.replies[1](WebhookAnswer(202, b"idle"))
        await idle.hear()
        house.server.should_exit = True
        assert await idle.is_over()
        house.door.replies[0](WebhookAnswer(202, b"kept"))
        status, headers, body = await busy.hear()
        assert (status, headers["connection"], body) == (202, "close", b"kept")
