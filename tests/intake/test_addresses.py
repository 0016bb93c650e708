import pytest

from leadgate.intake.addresses import base_address_problem


@pytest.mark.parametrize(
    "address",
    [
        "https://api.telegram.org",
        "https://bots.example:8443/path",
        "http://127.0.0.1:8081",
        "http://localhost:1",
        "http://[::1]:80",
    ],
)
def test_https_and_this_machine_are_taken(address: str) -> None:
    """Plain http is for a server on this machine."""
    assert base_address_problem(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "api.telegram.org",
        "ftp://127.0.0.1",
        "http://api.telegram.org",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://10.0.0.5",
        "https://",
        "https://user:secret@api.example",
        "https://api.example?x=1",
        "https://api.example#x",
        "https://api.example:port",
        "http://[::1",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    """A token would travel in the clear, or to somebody else; the value is never repeated."""
    problem = base_address_problem(address)
    assert problem is not None
    assert "secret" not in problem
    assert "evil" not in problem
