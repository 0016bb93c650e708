"""The guard on the wire: what is connected to is what was looked at. Resolver and sockets are replaced, all above them is real."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpcore
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from leadgate.model.outcomes import RetryLater, Scope
from leadgate.testing.telegram_server import TelegramServer
from leadgate.wire.client import Answered, Call, VendorClient, WireCodes
from leadgate.wire.guard import ADDRESS_REFUSED, Guard, GuardedTransport, is_address_refused

PUBLIC, OTHER_PUBLIC, HOME = "93.184.216.34", "93.184.216.35", "192.168.1.10"
CODES = WireCodes(unreachable="v.unreachable", answer_lost="v.answer_lost", answer_unreadable="v.answer_unreadable")
REFUSED = RetryLater(ADDRESS_REFUSED, Scope.TARGET, needs_person=True)


class Resolver:
    """Answers in turn; the last answer for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Sockets(httpcore.AsyncNetworkBackend):
    """Notes where a socket would be connected and leads it to a server of the test, or nowhere."""

    def __init__(self, port: int | None = None, *, dead: frozenset[str] = frozenset()) -> None:
        self.port, self.dead = port, dead
        self.connected: list[str] = []
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append(host)
        if self.port is None or host in self.dead:
            raise httpcore.ConnectError("Nobody is there.")
        return await self._real.connect_tcp("127.0.0.1", self.port, timeout, local_address, socket_options)


async def ask(
    base: str,
    resolver: Resolver,
    sockets: Sockets,
    *,
    path: str = "/",
    own_hosts: frozenset[str] = frozenset(),
    trust: ssl.SSLContext | None = None,
) -> Call:
    """One call of the client of every messenger, on a wire without a network."""
    transport = GuardedTransport(Guard(base, own_hosts), backend=sockets, resolve=resolver, trust=trust)
    client = VendorClient(CODES, base, transport=transport)
    try:
        return await client.call("POST", path)
    finally:
        await client.close()


@pytest.mark.parametrize(
    "answers",
    [
        *([one] for one in ("127.0.0.1", "::1", HOME, "10.1.2.3", "169.254.169.254", "fe80::1", "fd00:ec2::254")),
        *([one] for one in ("0.0.0.0", "::ffff:127.0.0.1", "224.0.0.1", "100.64.0.1", "nonsense")),  # noqa: S104 - no listening
        [PUBLIC, "127.0.0.1"],
        ["10.0.0.1", PUBLIC],
    ],
)
async def test_a_name_that_leads_inside_is_not_called(answers: Sequence[str]) -> None:
    """Whoever gives us an address owns its DNS; one bad answer among good ones is an attack."""
    sockets = Sockets()
    assert await ask("https://api.example", Resolver(answers), sockets) == REFUSED
    assert sockets.connected == []


@pytest.mark.parametrize(
    "base",
    [
        *("http://api.example", "http://93.184.216.34", "https://api.example:22", "https://api.example:6379"),
        *("https://192.168.1.10", "https://169.254.169.254", "https://[::ffff:127.0.0.1]", "https://0.0.0.0"),
        *("http://127.0.0.1:6379", "http://10.0.0.1", "http://crm.lan"),
    ],
)
async def test_an_address_that_no_api_has_is_not_even_resolved(base: str) -> None:
    """Scheme, port and what the host says of itself."""
    resolver, sockets = Resolver([PUBLIC]), Sockets()
    assert await ask(base, resolver, sockets) == REFUSED
    assert (resolver.asked, sockets.connected) == ([], [])


async def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """DNS rebinding: the first answer is good, the next one is the metadata service. Nobody asks a second time."""
    resolver, sockets = Resolver([PUBLIC], ["169.254.169.254"]), Sockets()
    assert await ask("https://api.example", resolver, sockets) == RetryLater("v.unreachable", Scope.TARGET)
    assert (resolver.asked, sockets.connected) == (["api.example"], [PUBLIC])
    assert await ask("https://api.example", resolver, sockets) == REFUSED
    assert sockets.connected == [PUBLIC]


async def test_a_dead_address_is_followed_by_the_next_one() -> None:
    """Vendors have several; the order is the resolver's."""
    async with tls_server("api.example") as (port, trust):
        sockets = Sockets(port, dead=frozenset({PUBLIC}))
        answer = await ask("https://api.example", Resolver([PUBLIC, OTHER_PUBLIC]), sockets, trust=trust)
        assert isinstance(answer, Answered)
    assert sockets.connected == [PUBLIC, OTHER_PUBLIC]


async def test_this_machine_is_called_only_when_the_address_says_so() -> None:
    """A Bot API server of one's own stands here; a name and a redirect must not lead here."""
    async with TelegramServer() as vendor:
        port = int(vendor.base.rpartition(":")[2])
        path = "/bot7000000001:DEMO-token/getMe"
        for host in ("127.0.0.1", "localhost"):
            answer = await ask(f"http://{host}:{port}", Resolver(["127.0.0.1"]), Sockets(port), path=path)
            assert isinstance(answer, Answered)
        assert await ask(f"http://localhost:{port}", Resolver([PUBLIC]), Sockets(port), path=path) == REFUSED
        guard = Guard("https://portal.example")
        transport = GuardedTransport(guard, backend=Sockets(port), resolve=Resolver(["127.0.0.1"]))
        async with httpx.AsyncClient(transport=transport) as elsewhere:
            for url in (vendor.base, f"http://localhost:{port}", "https://localhost", "https://127.0.0.1"):
                with pytest.raises(httpx.ConnectError) as failed:
                    await elsewhere.get(url)
                assert is_address_refused(failed.value)
    assert len(vendor.requests) == 2


async def test_a_host_of_the_own_network_is_called_when_the_owner_allowed_it() -> None:
    """A Bitrix24 in the salon's own rack; the permission is for the host, and for nothing beside it."""
    for host in ("crm.lan", HOME):
        sockets = Sockets()
        answer = await ask(f"https://{host}", Resolver([HOME]), sockets, own_hosts=frozenset({host}))
        assert answer == RetryLater("v.unreachable", Scope.TARGET)
        assert sockets.connected == [HOME]
    for found in (["127.0.0.1"], ["169.254.169.254"], [HOME, "127.0.0.1"]):
        sockets = Sockets()
        answer = await ask("https://crm.lan", Resolver(found), sockets, own_hosts=frozenset({"crm.lan"}))
        assert answer == REFUSED
        assert sockets.connected == []
    other = await ask("https://nas.lan", Resolver([HOME]), Sockets(), own_hosts=frozenset({"crm.lan", HOME}))
    assert other == REFUSED


async def test_the_certificate_must_be_that_of_the_name() -> None:
    """We connect to an address, and still it is the name that the other side has to prove."""
    async with tls_server("api.example") as (port, trust):
        answer = await ask("https://api.example", Resolver([PUBLIC]), Sockets(port), trust=trust)
        assert isinstance(answer, Answered)
        assert answer.body == {"host": "api.example", "asked_for": "api.example"}
        wrong = await ask("https://other.example", Resolver([PUBLIC]), Sockets(port), trust=trust)
        assert wrong == RetryLater("v.unreachable", Scope.TARGET)


async def test_a_name_that_nobody_knows_is_unreachable() -> None:
    """And no mistake of the salon's: it may be back in a minute."""

    async def fail(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such host")

    transport = GuardedTransport(Guard("https://api.example"), backend=Sockets(), resolve=fail)
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(httpx.ConnectError) as failed:
            await client.get("https://api.example")
    assert not is_address_refused(failed.value)


async def test_a_resolver_that_hangs_does_not_hold_the_call() -> None:
    """It has the time of a connection, no more."""
    hang = asyncio.Event()

    async def wait(_host: str, _port: int) -> Sequence[str]:
        await hang.wait()
        return ()

    transport = GuardedTransport(Guard("https://api.example"), backend=Sockets(), resolve=wait)
    async with httpx.AsyncClient(transport=transport, timeout=0.05) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.get("https://api.example")


@asynccontextmanager
async def tls_server(name: str) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """A server with a certificate for this name, and the trust that believes it; it tells what it was asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _socket, asked, _context: names.append(asked or "")
    with_key = pem + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    await asyncio.to_thread(_load, context, with_key)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        host = head.partition("\r\nhost: ")[2].partition("\r\n")[0]
        body = f'{{"host": "{host}", "asked_for": "{names[-1]}"}}'.encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        trust = ssl.create_default_context(cadata=pem.decode())
        yield server.sockets[0].getsockname()[1], trust


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    """The library reads certificates from files alone."""
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
