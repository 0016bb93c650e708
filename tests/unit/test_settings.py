from pathlib import Path

import pytest

from leadgate.errors import ConfigurationError
from leadgate.settings import SETTINGS, Address, is_loopback, parse_listen, read_settings


def test_nothing_set_is_the_embedded_database_on_this_machine(tmp_path: Path) -> None:
    """The first start needs no configuration and opens nothing to the network."""
    settings = read_settings(data=tmp_path, environment={})
    assert settings.database_url == f"sqlite:///{tmp_path}/leadgate.sqlite3"
    assert settings.listen == Address("127.0.0.1", 8080)
    assert settings.public_url is None


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    """The nearest word counts."""
    (tmp_path / "leadgate.toml").write_text('listen = "127.0.0.1:1"\npublic_url = "https://file.example"\n')
    environment = {"LEADGATE_LISTEN": "127.0.0.1:2", "LEADGATE_METRICS_TOKEN": ""}
    settings = read_settings(data=tmp_path, listen="127.0.0.1:3", environment=environment)
    assert settings.listen.port == 3
    assert read_settings(data=tmp_path, environment=environment).listen.port == 2
    assert read_settings(data=tmp_path, environment={}).listen.port == 1
    assert settings.public_url == "https://file.example"
    assert settings.metrics_token is None, "an empty value is no value"


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    """Settings end up in tracebacks."""
    environment = {
        "LEADGATE_DATABASE_URL": "postgresql://u:geheim@db.example/l",
        "LEADGATE_METRICS_TOKEN": "geheim",
        "LEADGATE_DATA": str(tmp_path),
    }
    assert "geheim" not in repr(read_settings(environment=environment))


@pytest.mark.parametrize("text", ["", "8080", "localhost", "host:port", "host:65536", "host:-1", ":80", "host:8 0"])
def test_a_wrong_listen_address_is_named(text: str) -> None:
    """With an example of a right one."""
    with pytest.raises(ConfigurationError, match=r"LEADGATE_LISTEN.*127\.0\.0\.1:8080"):
        parse_listen(text)


@pytest.mark.parametrize(
    ("text", "shown"), [("[::1]:0", "[::1]:0"), ("::1:80", "[::1]:80"), ("0.0.0.0:1", "0.0.0.0:1")]
)
def test_a_listen_address_reads_and_prints_alike(text: str, shown: str) -> None:
    """IPv6 too."""
    assert str(parse_listen(text)) == shown


@pytest.mark.parametrize(
    "url",
    [
        "leads.example",
        "http://leads.example",
        "https://user:geheim@leads.example",
        "https://:geheim@leads.example",
        "https://leads.example/?a=1",
        "https://leads.example/#a",
        "ftp://leads.example",
        "https://",
        "https://[::1",
        "https://leads.example:99999",
    ],
)
def test_a_wrong_public_address_is_named_without_its_password(tmp_path: Path, url: str) -> None:
    """Messengers would not reach it, or it would travel unprotected."""
    with pytest.raises(ConfigurationError, match="LEADGATE_PUBLIC_URL") as caught:
        read_settings(data=tmp_path, environment={"LEADGATE_PUBLIC_URL": url})
    assert "geheim" not in str(caught.value)


def test_a_right_public_address_loses_its_last_slash(tmp_path: Path) -> None:
    """Paths are put behind it."""
    for given, kept in (
        ("https://leads.example/", "https://leads.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ):
        assert read_settings(data=tmp_path, environment={"LEADGATE_PUBLIC_URL": given}).public_url == kept


@pytest.mark.parametrize("content", ["unknown = 'x'", "listen = 8080", "data = '/tmp'", "listen =", "\xff"])
def test_a_wrong_file_is_named_with_a_cure(tmp_path: Path, content: str) -> None:
    """A misspelt setting must not be silently without effect."""
    (tmp_path / "leadgate.toml").write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"leadgate\.toml") as caught:
        read_settings(data=tmp_path, environment={})
    assert caught.value.hint


def test_an_unknown_custodian_is_refused(tmp_path: Path) -> None:
    """Keys must not end up in another place than people think."""
    with pytest.raises(ConfigurationError, match="LEADGATE_KEY_CUSTODIAN"):
        read_settings(data=tmp_path, environment={"LEADGATE_KEY_CUSTODIAN": "vault"})


def test_every_setting_is_described_once() -> None:
    """The reference page is made of it."""
    names = [described.name for described in SETTINGS]
    assert len(set(names)) == len(names)
    assert all(described.text for described in SETTINGS)


def test_loopback_is_known() -> None:
    """Names beyond `localhost` are not."""
    assert all(is_loopback(host) for host in ("localhost", "127.9.9.9", "::1"))
    assert not any(is_loopback(host) for host in ("::", "leads.example", "localhost.example", ""))


@pytest.mark.parametrize(
    ("text", "shown"),
    [("", None), ("none", []), ("127.0.0.1, 10.0.0.0/8,::1", ["127.0.0.1/32", "10.0.0.0/8", "::1/128"])],
)
def test_proxies_that_are_believed_are_named_one_by_one(text: str, shown: list[str] | None, tmp_path: Path) -> None:
    """Nothing said is not the same as no proxy."""
    settings = read_settings(data=tmp_path, environment={"LEADGATE_TRUSTED_PROXIES": text})
    proxies = settings.trusted_proxies
    assert (None if proxies is None else [str(network) for network in proxies]) == shown


@pytest.mark.parametrize("text", ["caddy", "127.0.0.1;10.0.0.1", "10.0.0.1/8", "*", ","])
def test_a_proxy_that_is_no_address_is_named(text: str, tmp_path: Path) -> None:
    """A name may change its address, and a star would believe everybody."""
    with pytest.raises(ConfigurationError, match="LEADGATE_TRUSTED_PROXIES"):
        read_settings(data=tmp_path, environment={"LEADGATE_TRUSTED_PROXIES": text})
