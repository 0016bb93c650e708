"""The certificate of MAX leads to an authority that Python does not know: it is added, and verification is never switched off."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from leadgate.integrations.max.send import MaxChannel
from leadgate.integrations.max.settings import FIELDS, ca_file_problem
from leadgate.model.connections import FindingState
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import RetryLater, Scope
from leadgate.testing.connections import FixedClock, open_connection

HELLO = OutgoingMessage(message_id="m", chat_id="1", text="Здравствуйте!")
ANSWER = b'{"user_id":1,"subscriptions":[],"success":true}'


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that vouches for itself, as a root does, and its key."""
    folder = tmp_path_factory.mktemp("certificates")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Invented root")])
    now = FixedClock().now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=3650))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    root, secret = folder / "root.pem", folder / "key.pem"
    root.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return root, secret


@asynccontextmanager
async def _serving(certificates: tuple[Path, Path]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that speaks TLS with the certificate; its address, and what it was asked."""
    root, secret = certificates
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(root, secret)
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(ANSWER)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + ANSWER)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@asynccontextmanager
async def _bot(base: str, ca_file: str) -> AsyncIterator[MaxChannel]:
    connection = open_connection(
        "max",
        secrets={"bot_token": "f9LDEMO-limon-token-0001", "webhook_secret": "Limon-demo_secret"},
        settings={"api_base": base, "ca_file": ca_file},
    )
    channel = MaxChannel(connection, clock=FixedClock())
    try:
        yield channel
    finally:
        await channel.close()


async def test_an_unknown_authority_is_found_with_its_cure(certificates: tuple[Path, Path]) -> None:
    """Nothing is sent, the token least of all, and the person who reads it knows what to install."""
    async with _serving(certificates) as (base, asked), _bot(base, "") as channel:
        (finding,) = (await channel.check()).findings
        assert (finding.code, finding.state) == ("max.certificate_unknown", FindingState.FAIL)
        assert "ca_file" in finding.cure
        assert await channel.send(HELLO) == RetryLater("max.certificate_unknown", Scope.TARGET, needs_person=True)
    assert asked == []


async def test_the_file_makes_the_authority_known(certificates: tuple[Path, Path]) -> None:
    """The usual authorities stay known besides."""
    async with _serving(certificates) as (base, asked), _bot(base, str(certificates[0])) as channel:
        assert "max.token_good" in [finding.code for finding in (await channel.check()).findings]
    assert asked


async def test_a_file_that_has_gone_is_found_in_the_same_way(certificates: tuple[Path, Path], tmp_path: Path) -> None:
    """It was there when the connection was made; an update of the server may have swept it away."""
    async with _serving(certificates) as (base, _), _bot(base, str(tmp_path / "gone.pem")) as channel:
        assert (await channel.check()).findings[0].code == "max.certificate_unknown"


async def test_another_name_is_not_believed(certificates: tuple[Path, Path]) -> None:
    """The certificate is for the address, not for everybody who holds one of the same authority."""
    async with _serving(certificates) as (base, asked):
        async with _bot(base.replace("127.0.0.1", "localhost"), str(certificates[0])) as channel:
            assert (await channel.check()).findings[0].code == "max.certificate_unknown"
        assert asked == []


def test_the_file_is_looked_into_when_the_connection_is_made(certificates: tuple[Path, Path], tmp_path: Path) -> None:
    """A wrong path is told at once instead of at the first message."""
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate", "utf-8")
    assert ca_file_problem(str(certificates[0])) is None
    for wrong in (str(empty), str(tmp_path), str(tmp_path / "none.pem"), "a\x00b", "gopher://x"):
        assert "PEM" in (ca_file_problem(wrong) or "")
    assert {field.name for field in FIELDS if not field.secret} == {"ca_file", "api_base", "bot_name"}
