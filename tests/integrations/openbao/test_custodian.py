"""The transit engine of a real OpenBao as a custodian: the one suite, its versions, its refusals and its absence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from leadgate.errors import ConfigurationError, CustodianUnavailableError, UnknownKeyError
from leadgate.integrations.openbao.custodian import TransitCustodian
from leadgate.model.secret import Secret
from leadgate.testing.custodian_suite import DATA_KEY, HERE, CustodianSuite
from leadgate.testing.openbao_server import OpenBao, openbao


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """One for all; every test has keys of its own."""
    with openbao(tmp_path_factory.mktemp("openbao")) as running:
        yield running


@pytest.fixture
def name() -> str:
    """Of the key."""
    return f"kek-{uuid4().hex}"


def open_custodian(server: OpenBao, name: str, token: str) -> TransitCustodian:
    """A process with this token."""
    return TransitCustodian({"address": server.url, "key": name}, {"token": Secret(token)})


class TestTransit(CustodianSuite):
    """With a token that may use and rotate the one key and nothing else."""

    @pytest.fixture
    def custodian(self, server: OpenBao, name: str) -> TransitCustodian:
        """A key of its own."""
        return open_custodian(server, name, server.make_key(name))

    @pytest.fixture
    def second(self, custodian: TransitCustodian) -> TransitCustodian:
        """The same settings."""
        return TransitCustodian(
            {"address": str(custodian._service._client.base_url).rstrip("/"), "key": custodian._key},  # noqa: SLF001 - as it was opened
            custodian._secrets,  # noqa: SLF001 - likewise
        )

    @pytest.fixture
    def foreign(self, server: OpenBao) -> TransitCustodian:
        """Another key of the same server."""
        other = f"kek-{uuid4().hex}"
        return open_custodian(server, other, server.make_key(other))

    def test_a_deleted_key_opens_nothing(self, server: OpenBao, custodian: TransitCustodian, name: str) -> None:
        """Whoever holds the server can end all access at once."""
        wrapped = custodian.wrap(DATA_KEY, HERE)
        server.post(f"transit/keys/{name}/config", {"deletion_allowed": True})
        assert server.client.delete(f"/v1/transit/keys/{name}").is_success
        with pytest.raises((UnknownKeyError, CustodianUnavailableError)):
            custodian.unwrap(wrapped, HERE)

    def test_a_wrong_version_is_not_asked_for(self, custodian: TransitCustodian) -> None:
        """What the row says and what the ciphertext says must agree."""
        wrapped = custodian.wrap(DATA_KEY, HERE)
        with pytest.raises(UnknownKeyError):
            custodian.unwrap(replace(wrapped, key_id=wrapped.key_id[:-1] + "7"), HERE)


def test_where_we_may_not_rotate_we_take_over_what_somebody_else_rotated(server: OpenBao, name: str) -> None:
    """And say which command it takes while nobody did."""
    custodian = open_custodian(server, name, server.make_key(name, may_rotate=False))
    before = custodian.key_id()
    with pytest.raises(ConfigurationError) as caught:
        custodian.rotate()
    assert "bao write -f transit/keys/" in caught.value.hint
    server.rotate(name)
    made = custodian.rotate()
    assert made != before
    custodian.use(made)
    assert custodian.wrap(DATA_KEY, HERE).key_id == made


def test_a_role_signs_in_and_signs_in_again(server: OpenBao, name: str) -> None:
    """Its tokens live for minutes; nobody notices when one ends."""
    server.make_key(name)
    if "approle/" not in server.client.get("/v1/sys/auth").json():
        server.post("sys/auth/approle", {"type": "approle"})
    server.post(f"auth/approle/role/{name}", {"token_policies": [name], "token_ttl": "15m"})
    role_id = server.client.get(f"/v1/auth/approle/role/{name}/role-id").json()["data"]["role_id"]
    secret_id = server.post(f"auth/approle/role/{name}/secret-id", {})["data"]["secret_id"]
    custodian = TransitCustodian(
        {"address": server.url, "key": name}, {"role_id": Secret(role_id), "secret_id": Secret(secret_id)}
    )
    wrapped = custodian.wrap(DATA_KEY, HERE)
    assert custodian._token is not None  # noqa: SLF001 - to end it behind its back
    server.post("auth/token/revoke", {"token": custodian._token.reveal()})  # noqa: SLF001 - likewise
    assert custodian.unwrap(wrapped, HERE) == DATA_KEY


def test_a_token_that_ended_is_told_apart_from_silence(server: OpenBao, name: str) -> None:
    """Both mean that it does not serve; the cure is another."""
    custodian = open_custodian(server, name, server.make_key(name))
    wrapped = custodian.wrap(DATA_KEY, HERE)
    server.post("auth/token/revoke", {"token": custodian._secrets["token"].reveal()})  # noqa: SLF001 - behind its back
    for act in (custodian.check, lambda: custodian.unwrap(wrapped, HERE), lambda: custodian.wrap(DATA_KEY, HERE)):
        with pytest.raises(CustodianUnavailableError) as caught:
            act()
        assert caught.value.code == "custodian.refused"


def test_a_sealed_server_is_away_and_comes_back(server: OpenBao, name: str) -> None:
    """Nothing that was wrapped is taken for lost meanwhile."""
    custodian = open_custodian(server, name, server.make_key(name))
    wrapped = custodian.wrap(DATA_KEY, HERE)
    server.seal()
    try:
        for act in (custodian.check, lambda: custodian.unwrap(wrapped, HERE), lambda: custodian.wrap(DATA_KEY, HERE)):
            with pytest.raises(CustodianUnavailableError) as caught:
                act()
            assert caught.value.code == "custodian.unavailable"
    finally:
        server.unseal()
    assert custodian.unwrap(wrapped, HERE) == DATA_KEY


def test_an_address_where_nobody_answers_is_away(server: OpenBao) -> None:
    """At once, and without a word of the address."""
    _ = server
    custodian = TransitCustodian({"address": "http://127.0.0.1:9", "key": "kek"}, {"token": Secret("t")})
    with pytest.raises(CustodianUnavailableError) as caught:
        custodian.check()
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "secrets"),
    [
        ({}, {"token": "t"}),
        ({"address": "http://bao.example", "key": "kek"}, {"token": "t"}),
        ({"address": "https://user:word@bao.example", "key": "kek"}, {"token": "t"}),
        ({"address": "https://bao.example", "key": "../sys/raw"}, {"token": "t"}),
        ({"address": "https://bao.example", "key": "kek", "mount": "../sys"}, {"token": "t"}),
        ({"address": "https://bao.example", "key": "kek", "colour": "red"}, {"token": "t"}),
        ({"address": "https://bao.example", "key": "kek", "ca_file": "/nowhere"}, {"token": "t"}),
        ({"address": "https://bao.example", "key": "kek"}, {"role_id": "r"}),
        ({"address": "https://[bao.example", "key": "kek"}, {"token": "t"}),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_asked(settings: dict[str, str], secrets: dict[str, str]) -> None:
    """In the clear to another machine, out of the engine's own path, half a role."""
    with pytest.raises(ConfigurationError):
        TransitCustodian(settings, {name: Secret(value) for name, value in secrets.items()})
