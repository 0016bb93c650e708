import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadgate.errors import WebhookRejectedError
from leadgate.model.secret import Secret
from leadgate.model.webhooks import RawWebhook
from leadgate.wire.graph_webhooks import content_key, find_moment, joined_key, prove

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "fixtures" / "meta_signatures.json").read_bytes())
SIGNATURES: dict[str, str] = VECTORS["signatures"]
LIVE = (Secret(VECTORS["app_secret"]),)


def _body(name: str) -> bytes:
    vendor, _, file = name.partition("/")
    return (HERE.parent / "integrations" / vendor / "fixtures" / file).read_bytes()


def _request(body: bytes, signature: str) -> RawWebhook:
    return RawWebhook("POST", {VECTORS["header"].lower(): signature}, body)


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_signature_of_the_vectors_is_good(name: str) -> None:
    """Made elsewhere over the exact bytes of the files."""
    prove(_request(_body(name), SIGNATURES[name]), LIVE)
    prove(_request(_body(name), SIGNATURES[name]), (Secret("another-app-secret"), *LIVE))


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_signature_fits_its_own_body_alone(name: str) -> None:
    """A body written anew is another body, even when it means the same."""
    anew = json.dumps(json.loads(_body(name))).encode()
    for body in (anew, _body(name) + b"\n"):
        with pytest.raises(WebhookRejectedError):
            prove(_request(body, SIGNATURES[name]), LIVE)


def test_every_fixture_has_a_signature() -> None:
    """No file is left unchecked."""
    files = {
        f"{vendor}/{path.name}"
        for vendor in ("whatsapp", "instagram")
        for path in (HERE.parent / "integrations" / vendor / "fixtures").glob("*.json")
    }
    assert files == set(SIGNATURES)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1782900001, datetime(2026, 7, 1, 10, 0, 1, tzinfo=UTC)),
        ("1782900001", datetime(2026, 7, 1, 10, 0, 1, tzinfo=UTC)),
        (1782900001999, datetime(2026, 7, 1, 10, 0, 1, tzinfo=UTC)),
        ("1782900001999", datetime(2026, 7, 1, 10, 0, 1, tzinfo=UTC)),
        (0, None),
        (True, None),
        ("", None),
        ("soon", None),
        (1e9, None),
        ("9" * 5000, None),
        (10**30, None),
        (-1782900001, None),
    ],
)
def test_times_come_in_four_writings(value: object, moment: datetime | None) -> None:
    """Seconds or milliseconds, as a number or as a text; what is none of them is no time."""
    assert find_moment(value) == moment


def test_a_key_is_never_too_long() -> None:
    """A long one is named by its hash, so that two long ones still differ."""
    long = [joined_key("x" * 600 + end) for end in "ab"]
    assert max(map(len, long)) <= 512
    assert len(set(long)) == 2
    assert joined_key("a", None, "b") == "a::b"


def test_content_has_one_name_in_every_order() -> None:
    """Meta repeats with other spaces and another order."""
    assert content_key({"a": 1, "b": [2]}) == content_key({"b": [2], "a": 1}) != content_key({"a": 1, "b": [3]})
