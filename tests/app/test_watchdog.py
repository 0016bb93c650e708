import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from leadgate import registry
from leadgate.app.watchdog import Watchdog, find_fault
from leadgate.connections.book import ConnectionBook
from leadgate.connections.connect import ConnectionDesk, Openers
from leadgate.model.alerts import CHANNEL_FAULT
from leadgate.model.connections import CheckReport, ConnectionState, Finding, FindingState, OpenConnection
from leadgate.model.secret import Secret
from leadgate.ports.channel import Channel
from leadgate.ports.integration import Integration, Surroundings
from leadgate.testing.connections import NOW
from leadgate.testing.journal import MemoryJournal
from leadgate.testing.telegram_server import TelegramServer
from leadgate.wire.certificate import certificate_finding
from tests.delivery.rig import Rig, open_rig

TOKEN = "7000000001:DEMO-token"
PUBLIC_URL = "https://salon.example"


class House:
    """A bot that is connected, and the watchdog of one node."""

    def __init__(self, rig: Rig, server: TelegramServer) -> None:
        self.rig = rig
        self.server = server
        self.channels: dict[str, Channel] = {}
        self.book = ConnectionBook(rig.storage, rig.vault, rig.clock, registry.get)
        self.desk = ConnectionDesk(
            rig.storage,
            rig.vault,
            self.book,
            Openers(channel=self._channel, crm=lambda _i, _o: pytest.fail("no CRM is asked")),
            workspace_id="ws",
            kinds=("telegram",),
            clock=rig.clock,
            ids=rig.ids,
            public_url=PUBLIC_URL,
            journal=MemoryJournal(rig.clock),
            on_change=lambda: None,
        )
        self.watchdog = self.of_node("node-1")
        self.connection_id = ""

    def of_node(self, holder: str) -> Watchdog:
        """Another node's watchdog."""
        clock = self.rig.clock
        return Watchdog(self.rig.storage, self.book, self.desk, public_url=None, clock=clock, holder=holder)

    async def connect(self) -> None:
        """Connect the bot; nothing else is connected."""
        for opened in self.book.all():
            await self.desk.remove(opened.connection.connection_id, by="test")
        connected = await self.desk.connect(
            "telegram",
            name="Бот",
            settings={"api_base": self.server.base},
            secrets={"bot_token": Secret(TOKEN)},
            check=True,
            by="test",
        )
        self.connection_id = connected.connection_id

    async def fault(self) -> tuple[str, dt.datetime] | None:
        """What is noted for the alarms."""
        note = await self.rig.storage.read(lambda tx: tx.alerts.find_note(CHANNEL_FAULT, self.connection_id))
        return None if note is None else (note.detail, note.at)

    def _channel(self, integration: Integration, opened: OpenConnection) -> Channel:
        assert integration.open_channel is not None
        key = opened.connection.connection_id
        if key not in self.channels:
            surroundings = Surroundings(clock=self.rig.clock, ids=self.rig.ids)
            self.channels[key] = integration.open_channel(opened, surroundings)
        return self.channels[key]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A salon with one Telegram bot."""
    rig = await open_rig(tmp_path)
    for connection_id in ("conn_bot", "conn_crm"):
        await rig.storage.write(
            lambda tx, c=connection_id: tx.connections.set_state(c, ConnectionState.REMOVED, at=NOW)  # type: ignore[misc]  # a default binds c now
        )
    async with TelegramServer(TOKEN) as server:
        made = House(rig, server)
        await made.connect()
        yield made
        for channel in made.channels.values():
            await channel.close()
    rig.storage.close()


def _address(house: House) -> str:
    return f"{PUBLIC_URL}/webhooks/telegram/{house.connection_id}"


async def test_a_webhook_that_was_taken_away_is_set_again(house: House) -> None:
    """Somebody tried the bot in another program; the salon would hear nothing from now on."""
    await house.channels[house.connection_id].unregister()
    await house.watchdog.look()
    assert await house.fault() is None
    after = await house.channels[house.connection_id].check()
    assert not any(finding.needs_registration for finding in after.findings)


async def test_a_dead_token_is_noted_once_with_the_time_it_began(house: House) -> None:
    """The alarm says since when; a minute later it is still the same trouble, and a new token ends it."""
    house.server.token = "7000000001:NEW-token"
    await house.watchdog.look()
    noted = await house.fault()
    assert noted is not None
    code, since = noted
    assert code.startswith("telegram.token")
    house.rig.clock.move(timedelta(minutes=1))
    await house.watchdog.look()
    assert await house.fault() == (code, since)
    house.server.token = TOKEN
    await house.watchdog.look()
    assert await house.fault() is None


async def test_updates_that_pile_up_are_noted(house: House) -> None:
    """They are dropped after a day; a warning on a page that nobody opens would not save them."""
    house.server.info["pending_update_count"] = 5000
    await house.watchdog.look()
    noted = await house.fault()
    assert noted is not None
    assert noted[0] == "telegram.updates_waiting"


async def test_only_one_node_looks(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vendors count requests; ten nodes must not ask ten times."""
    asked: list[str] = []
    reached, may_go_on = asyncio.Event(), asyncio.Event()

    async def look_after(connection_id: str, *_further: Finding) -> None:
        asked.append(connection_id)
        reached.set()
        await may_go_on.wait()

    monkeypatch.setattr(house.desk, "look_after", look_after)
    first = asyncio.create_task(house.watchdog.look())
    await reached.wait()
    await house.of_node("node-2").look()
    may_go_on.set()
    await first
    assert asked == [house.connection_id]


async def test_a_paused_channel_is_left_alone(house: House) -> None:
    """Whoever paused it knows; asking would raise an alarm about nothing."""
    await house.desk.pause(house.connection_id, by="test")
    house.server.token = "7000000001:NEW-token"
    await house.watchdog.look()
    assert await house.fault() is None


def test_a_plain_warning_is_no_fault() -> None:
    """The watchdog cries for what loses messages, not for what could be nicer."""
    warning = Finding("vendor.old", FindingState.WARN, "Old.", "Renew.")
    jam = Finding("vendor.jam", FindingState.WARN, "Jam.", "Look.", is_jam=True)
    dead = Finding("vendor.dead", FindingState.FAIL, "Dead.", "Renew.")
    assert find_fault(CheckReport((warning,))) is None
    assert find_fault(CheckReport((warning, jam))) == jam
    assert find_fault(CheckReport((jam, dead))) == dead


class TestCertificate:
    @pytest.mark.parametrize(
        ("days", "found"),
        [(60, None), (14, FindingState.WARN), (3, FindingState.FAIL)],
    )
    async def test_its_end_is_told_in_time(self, days: int, found: FindingState | None, tmp_path: Path) -> None:
        """The day it ends every messenger falls silent."""
        now = dt.datetime.now(dt.UTC)
        async with _served(tmp_path, ends_at=now + timedelta(days=days)) as (url, trust):
            finding = await certificate_finding(url, now=now, trust=trust)
        assert (finding.state if finding else None) == found

    async def test_one_that_nobody_vouches_for_is_told(self, tmp_path: Path) -> None:
        """Vendors refuse it, and their errors stand in no log of ours."""
        now = dt.datetime.now(dt.UTC)
        async with _served(tmp_path, ends_at=now + timedelta(days=60)) as (url, _trust):
            finding = await certificate_finding(url, now=now)
        assert finding is not None
        assert finding.code == "connection.certificate_wrong"

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1"])
    async def test_an_address_that_cannot_be_asked_from_here_is_no_fault(self, url: str) -> None:
        """Many networks do not let a server reach its own public address."""
        assert await certificate_finding(url, now=NOW) is None


class _served:  # noqa: N801 - reads as what it does
    """A TLS server with a certificate of its own; gives its address and who vouches for it."""

    def __init__(self, folder: Path, *, ends_at: dt.datetime) -> None:
        self._folder, self._ends_at = folder, ends_at
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> tuple[str, ssl.SSLContext]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "salon")])
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(self._ends_at - timedelta(days=90))
            .not_valid_after(self._ends_at)
            .add_extension(address, critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        shown = self._folder / "shown.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        shown.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
        ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ours.load_cert_chain(shown)
        self._server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=ours)
        port = self._server.sockets[0].getsockname()[1]
        return f"https://127.0.0.1:{port}", ssl.create_default_context(cafile=shown)

    async def __aexit__(self, *_error: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
