"""Where an alarm may go: the real library and real sockets; a resolver that lies and a service that redirects."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from leadgate.errors import ConfigurationError
from leadgate.integrations.apprise_notifier.guard import AlarmAddressRefusedError, AlarmGuard, guarded
from leadgate.integrations.apprise_notifier.notifier import AppriseNotifier
from leadgate.model.secret import Secret
from leadgate.ports.notifier import Message
from leadgate.testing.mailbox import open_mailbox
from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.vendor_server import Reply

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
MESSAGE = Message("Битрикс24 не отвечает", "Ждут: 2.")
PUBLIC, HOME = "93.184.216.34", "192.168.1.10"
REFUSED = "alert.address_refused"


def lie(monkeypatch: pytest.MonkeyPatch, **answers: str) -> None:
    """A resolver whose answers for `name.example` the attacker chooses."""

    def resolve(host: str, port: int, *_: object, **__: object) -> list[tuple[Any, ...]]:
        found = answers.get(str(host).removesuffix(".example"), host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, int(port)))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("answer", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - no listening
async def test_a_name_that_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """By http, by mail and by the plug-in of our own: each opens its sockets in its own way."""
    lie(monkeypatch, evil=answer)
    async with open_mailbox() as box:
        port = box.address.partition("127.0.0.1:")[2].partition("/")[0]
        for address in (
            f"json://evil.example:{port}/",
            f"mailto://user:pass@evil.example?smtp=evil.example&port={port}&mode=insecure",
            f"max://f9LDEMO-limon-token-0001@70000001/?api_base=https://evil.example:{port}",
        ):
            assert await AppriseNotifier().send(Secret(address), MESSAGE) == REFUSED, address
    assert box.knocks == 0


async def test_a_redirect_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library follows redirects; a service that was good sends us to a database."""
    async with TelegramServer() as target, TelegramServer() as service:
        service.faults.append(Reply(b"", 302, {"Location": "http://127.0.0.1:6379/"}))
        port = service.base.rpartition(":")[2]
        notifier = AppriseNotifier(own_hosts=lambda: frozenset({HOME}))
        assert await notifier.send(Secret(f"json://127.0.0.1:{port}/"), MESSAGE) == REFUSED
        assert len(service.requests) == 1
        assert target.requests == []


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (f"json://{HOME}/", "alert.own_network"),
        ("json://10.0.0.1:8080/hook", "alert.own_network"),
        (f"mailto://user:pass@salon.example?smtp={HOME}", "alert.own_network"),
        ("json://169.254.169.254/latest/meta-data", "alert.address_wrong"),
        ("jsons://[::ffff:127.0.0.1]/", "alert.address_wrong"),
        ("json://0.0.0.0/", "alert.address_wrong"),
    ],
)
def test_what_would_be_refused_is_refused_when_it_is_added(address: str, code: str) -> None:
    """Else the owner learns of it with the first alarm that does not come."""
    with pytest.raises(ConfigurationError) as refused:
        AppriseNotifier().service_of(Secret(address))
    assert refused.value.code == code


def test_an_allowed_host_takes_alarms() -> None:
    """The salon's own mail server."""
    notifier = AppriseNotifier(own_hosts=lambda: frozenset({HOME}))
    assert notifier.service_of(Secret(f"mailto://user:pass@salon.example?smtp={HOME}")) == "E-Mail"
    AlarmGuard(f"mailto://u:p@salon.example?smtp={HOME}", frozenset({HOME})).check(HOME, 25)


@pytest.mark.parametrize(
    ("named", "host", "port", "may"),
    [
        ("json://a.example", PUBLIC, 443, True),
        ("json://a.example", PUBLIC, 25, True),
        ("json://a.example", PUBLIC, 6379, False),
        ("json://a.example", "127.0.0.1", 8080, False),
        ("json://127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("json://localhost:8080", "::1", 8080, True),
        ("json://127.0.0.1:6379", "127.0.0.1", 6379, False),
        ("json://127.0.0.1", HOME, 443, False),
        ("json://a.example", "fe80::1", 443, False),
        (f"json://{HOME}", "192.168.1.11", 443, True),
        ("json://a.example", "", 0, False),
        ("json://[", PUBLIC, 443, True),
    ],
)
def test_every_socket_is_judged_by_where_it_leads(named: str, host: str, port: int, may: bool) -> None:
    """A host that is allowed may have another address of the own network tomorrow."""
    guard = AlarmGuard(named, frozenset({HOME}))
    if may:
        guard.check(host, port)
    else:
        with pytest.raises(AlarmAddressRefusedError):
            guard.check(host, port)
    assert guard.has_refused is not may


def test_a_proxy_of_the_environment_may_stand_in_the_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the server set it."""
    lie(monkeypatch)
    monkeypatch.setenv("HTTPS_PROXY", "http://10.0.0.3:3128")
    AlarmGuard("tgram://1:a/2", frozenset()).check("10.0.0.3", 3128)
    monkeypatch.delenv("HTTPS_PROXY")
    with pytest.raises(AlarmAddressRefusedError):
        AlarmGuard("tgram://1:a/2", frozenset()).check("10.0.0.3", 3128)


def test_only_the_guarded_block_is_held() -> None:
    """Everything else in the process opens sockets as before."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with guarded(AlarmGuard("json://a.example", frozenset())), socket.socket() as held:
            with pytest.raises(AlarmAddressRefusedError):
                held.connect(listener.getsockname())
            with pytest.raises(AlarmAddressRefusedError), socket.socket(type=socket.SOCK_DGRAM) as datagram:
                datagram.sendto(b"x", listener.getsockname())
            with pytest.raises(AlarmAddressRefusedError), socket.socket(socket.AF_UNIX) as local:
                local.connect("/nothing")
        with socket.socket() as free:
            free.connect(listener.getsockname())
