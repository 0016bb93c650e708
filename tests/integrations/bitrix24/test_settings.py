from __future__ import annotations

from datetime import UTC, datetime

import pytest

from leadgate.errors import ConfigurationError
from leadgate.integrations.bitrix24.access import WebhookAccess
from leadgate.integrations.bitrix24.manifest import INTEGRATION
from leadgate.integrations.bitrix24.settings import read_settings, seconds_problem, webhook_url_problem
from leadgate.model.connections import Connection, ConnectionState, OpenConnection
from leadgate.model.secret import Secret
from tests.integrations.bitrix24.house import SECRET

GOOD = f"https://salon.bitrix24.example/rest/7/{SECRET}/"


def connection(url: str | None = GOOD, **settings: str) -> OpenConnection:
    """A connection with these settings."""
    about = Connection("ws_1", "conn_1", "bitrix24", "CRM", settings, ConnectionState.ACTIVE, datetime.now(UTC))
    return OpenConnection(about, {} if url is None else {"webhook_url": (Secret(url),)})


@pytest.mark.parametrize(
    "url",
    [
        GOOD,
        GOOD.rstrip("/"),
        f"https://crm.example.org:8443/rest/1/{SECRET}/",
        f"http://localhost:8080/rest/1/{SECRET}/",
        f"http://127.0.0.2/rest/1/{SECRET}/",
        f"http://[::1]:9/rest/1/{SECRET}/",
    ],
)
def test_addresses_that_are_taken(url: str) -> None:
    """Encrypted anywhere, plain http on this machine only."""
    assert webhook_url_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        GOOD.replace("https", "http"),
        GOOD.replace("https", "ftp"),
        f"http://localhost.example.org/rest/1/{SECRET}/",
        f"http://127.0.0.1.example.org/rest/1/{SECRET}/",
        f"http://10.0.0.1/rest/1/{SECRET}/",
        f"https://user:pass@salon.example/rest/1/{SECRET}/",
        f"{GOOD}profile.json",
        f"{GOOD}?auth=1",
        f"{GOOD}#x",
        f"https://salon.example/rest/0/{SECRET}/",
        "https://salon.example/rest/1/",
        f"https://salon.example/rest/api/1/{SECRET}/",
        f"https://salon.example/rest/1/{SECRET}/../../",
        "https://salon.example:99999/rest/1/a/",
        "https://[::1/rest/1/a/",
    ],
)
def test_addresses_that_are_refused_and_not_repeated(url: str) -> None:
    """The reason is shown on screens; the address is a password."""
    problem = webhook_url_problem(url)
    assert problem
    assert SECRET not in problem
    with pytest.raises(ConfigurationError) as caught:
        read_settings(connection(url))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ("30", True),
        ("0.5", True),
        ("0", False),
        ("-1", False),
        ("inf", False),
        ("nan", False),
        ("x", False),
        ("", False),
    ],
)
def test_seconds_are_positive(text: str, is_good: bool) -> None:
    """A time-out of zero or for ever would stop the lane."""
    assert (seconds_problem(text) is None) is is_good


def test_settings_have_defaults() -> None:
    """Two keys may be left out."""
    settings = read_settings(connection(quiet_time_s="0.2"))
    assert (settings.timeout_s, settings.quiet_time_s) == (30.0, 0.2)
    assert SECRET not in repr(settings)


def test_a_connection_without_address_is_a_configuration_error() -> None:
    """It names the key and the remedy."""
    with pytest.raises(ConfigurationError, match="webhook_url"):
        read_settings(connection(None))


@pytest.mark.parametrize(
    ("location", "follows"),
    [
        (f"https://new.bitrix24.example/rest/7/{SECRET}/batch", True),
        (f"//new.bitrix24.example/rest/7/{SECRET}/batch", True),
        (f"http://new.bitrix24.example/rest/7/{SECRET}/batch", False),
        ("https://new.bitrix24.example/", False),
        (f"https://new.bitrix24.example/rest/7/{SECRET}/batch?a=1", False),
        (f"https://u@new.bitrix24.example/rest/7/{SECRET}/batch", False),
        (f"/rest/7/{SECRET}/batch", False),
        (f"https://new.bitrix24.example/rest/8/{SECRET}/batch", False),
        ("https://[bad/rest", False),
        ("", False),
    ],
)
def test_only_a_renamed_portal_is_followed(location: str, follows: bool) -> None:
    """The secret goes nowhere but to the same call at another https host."""
    access = WebhookAccess(Secret(GOOD))
    assert access.follow("batch", location) is follows
    assert access.moved_to == ("new.bitrix24.example" if follows else None)
    assert access.url("profile").startswith("https://new." if follows else "https://salon.")


def test_the_manifest_hides_the_address() -> None:
    """Forms, masking and listings follow from the manifest."""
    [secret] = [field for field in INTEGRATION.manifest.fields if field.secret]
    assert (INTEGRATION.manifest.kind, secret.name, secret.required) == ("bitrix24", "webhook_url", True)
    assert {field.name: field.default for field in INTEGRATION.manifest.fields if not field.secret} == {
        "timeout_s": "30",
        "quiet_time_s": "180",
    }
