"""What kind of place an address is: the table that every guard stands on."""

from __future__ import annotations

import pytest

from leadgate.model.addresses import AddressKind, is_api_port, kind_of, kind_of_host

KINDS = {
    AddressKind.PUBLIC: ("93.184.216.34", "2606:4700::6810:85e5", "64:ff9b::5db8:d822"),
    AddressKind.LOOPBACK: ("127.0.0.1", "127.255.255.254", "::1"),
    AddressKind.OWN_NETWORK: ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.10", "100.64.0.1", "fd12:3456::1"),
    AddressKind.FORBIDDEN: (
        *("169.254.169.254", "169.254.1.1", "fe80::1", "fd00:ec2::254"),  # link-local and the clouds' metadata
        *("224.0.0.1", "239.255.255.255", "ff02::1"),  # multicast
        *("0.0.0.0", "0.1.2.3", "::", "255.255.255.255", "240.0.0.1"),  # unspecified, broadcast, reserved  # noqa: S104 - no listening
        *("192.0.2.1", "198.51.100.1", "203.0.113.9", "2001:db8::1", "198.18.0.1"),  # documentation, benchmarks
        *("::ffff:127.0.0.1", "::ffff:93.184.216.34", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),  # mapped
        *("::127.0.0.1", "2002:7f00:1::", "2002:c0a8:10a::1", "64:ff9b::7f00:1", "64:ff9b::a00:1"),  # other disguises
        *("64:ff9b:1::a00:1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
        *("", "localhost", "example.org", "127.1", "2130706433", "0x7f.0.0.1", "127.0.0.1:80", "1.2.3.4/8"),
    ),
}


@pytest.mark.parametrize(("address", "kind"), [(one, kind) for kind, all_of in KINDS.items() for one in all_of])
def test_every_address_has_its_kind(address: str, kind: AddressKind) -> None:
    """What is not known to be public is not."""
    assert kind_of(address) is kind


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "bot.localhost", "[::1]", "127.0.0.1."])
def test_this_machine_is_known_by_name(host: str) -> None:
    """By the names that no resolver has to be asked about."""
    assert kind_of_host(host) is AddressKind.LOOPBACK


@pytest.mark.parametrize(
    "host", ["api.telegram.org", "crm.lan", "127.1", "2130706433", "0x7f000001", "localhost.evil.example"]
)
def test_a_name_says_nothing_of_itself(host: str) -> None:
    """Short writings of an IP address are names too: the resolver's answer is what is judged."""
    assert kind_of_host(host) is None


@pytest.mark.parametrize(
    ("port", "host", "may"),
    [
        *((port, "crm.example", True) for port in (80, 443, 1024, 8443, 65535)),
        *((port, "crm.example", False) for port in (0, 1, 22, 25, 53, 79, 81, 1023, 5432, 6379, 11211, 65536)),
        *((port, "127.0.0.1", True) for port in (9, 80, 8081)),
        *((port, "127.0.0.1", False) for port in (0, 5432, 6379)),
    ],
)
def test_an_api_listens_at_no_port_of_a_database(port: int, host: str, may: bool) -> None:
    """A request to Redis or to a mail server does harm although it is no HTTP."""
    assert is_api_port(port, host) is may
