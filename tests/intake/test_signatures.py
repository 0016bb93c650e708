import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from leadgate.errors import ConfigurationError, WebhookRejectedError
from leadgate.intake.signatures import (
    body_key,
    make_signing_secret,
    matches_any,
    sign_standard,
    signing_key,
    verify_shared_secret,
    verify_standard,
)
from leadgate.model.secret import Secret
from leadgate.testing.connections import CountedIds

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "fixtures" / "standard_webhooks__vectors.json").read_text()
)
NOW = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
KEY = "whsec_bGltb24tZGVtby1zaWduaW5nLWtleS0wMDAwMDE="
OTHER = "whsec_bGltb24tZGVtby1zaWduaW5nLWtleS0wMDAwMDI="
BODY = '{"text":"Запишите на 12:00 😀"}'.encode()


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _verify(headers: dict[str, str], body: bytes = BODY, *, keys: tuple[str, ...] = (KEY,), now: datetime = NOW) -> str:
    return verify_standard(headers, body, live=[Secret(key) for key in keys], now=now)


def _refusal(headers: dict[str, str], body: bytes = BODY, *, keys: tuple[str, ...] = (KEY,)) -> str:
    with pytest.raises(WebhookRejectedError) as error:
        _verify(headers, body, keys=keys)
    assert error.value.status == 401
    assert not any(key in str(error.value) for key in keys if key)
    return error.value.code


def _signed(body: bytes = BODY, *, key: str = KEY, at: datetime = NOW) -> dict[str, str]:
    return sign_standard(body, secret=key, webhook_id="msg_demo0001", at=at)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_vector_gets_its_verdict(vector: dict[str, Any]) -> None:
    """Confirmed with the reference library; a replay has the same natural key, which the store drops."""
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    body = base64.b64decode(vector["body_b64"])
    now = datetime.fromtimestamp(vector["now"], UTC)
    if vector["expect"] == "reject":
        with pytest.raises(WebhookRejectedError):
            _verify(headers, body, keys=tuple(vector["secrets"]), now=now)
        return
    keys = {_verify(headers, body, keys=tuple(vector["secrets"]), now=now) for _ in range(2)}
    assert keys == {vector["headers"].get("webhook-id") or vector["headers"]["Webhook-Id"]}


def test_there_are_vectors_of_both_verdicts() -> None:
    """A table that is empty or only accepts proves nothing."""
    assert {vector["expect"] for vector in VECTORS} == {"accept", "reject", "accept_once"}


@given(body=st.binary(max_size=200).filter(_is_utf8))
def test_the_reference_library_takes_what_we_sign(body: bytes) -> None:
    """A bot builder that uses the library and one that uses our example get the same."""
    headers = _signed(body, at=datetime.now(UTC))
    Webhook(KEY).verify(body, headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, headers, json_parse=False)


@given(text=st.text(max_size=100))
def test_we_take_what_the_reference_library_signs(text: str) -> None:
    """The bytes are signed as they travel."""
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return
    signature = Webhook(KEY).sign("msg_1", NOW, body.decode())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": signature,
    }
    assert _verify(headers, body) == "msg_1"


@pytest.mark.parametrize("age_s", [-300, -299, 0, 299, 300])
def test_the_edges_of_the_window_are_inside(age_s: int) -> None:
    """Within 300 s both ways, whatever the fraction of our second."""
    headers = _signed(at=NOW - timedelta(seconds=age_s))
    assert _verify(headers, now=NOW + timedelta(microseconds=999_999)) == "msg_demo0001"


@pytest.mark.parametrize("age_s", [-301, 301, 10**6, -(10**8)])
def test_a_time_outside_the_window_is_refused(age_s: int) -> None:
    """An overheard request must not be good for ever."""
    assert _refusal(_signed(at=NOW - timedelta(seconds=age_s))) == "webhook.timestamp_outside_window"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("change", ["absent", "empty", "doubled", "padded"])
def test_a_header_that_is_not_whole_is_refused(name: str, change: str) -> None:
    """Absent, empty, doubled (joined with a comma by HTTP) or padded: 401, never another exception."""
    headers = _signed()
    value = headers.pop(name)
    changed = {"empty": "", "doubled": f"{value}, {value}", "padded": f" {value}\t"}.get(change)
    if changed is not None:
        headers[name] = changed
    _refusal(headers)


@pytest.mark.parametrize(
    "timestamp",
    [
        "-1",
        "+1782900000",
        "1782900000.0",
        "1782900000.5",
        "1e9",
        "9" * 400,
        "١٧٨٢٩٠٠٠٠٠",
        "0x6A",
        "now",
        "NaN",
    ],
)
def test_a_timestamp_that_is_not_whole_seconds_is_refused(timestamp: str) -> None:
    """int() and float() would take some of these."""
    assert _refusal(_signed() | {"webhook-timestamp": timestamp}) == "webhook.timestamp_malformed"


@pytest.mark.parametrize("webhook_id", ["a.b", "a b", "a,b", "я", "a\x00", "\ud800", "a" * 257, "\n"])
def test_an_id_that_could_be_read_two_ways_is_refused(webhook_id: str) -> None:
    """A dot would let id and time be cut elsewhere; the id is a key, so it is short and visible."""
    assert _refusal(_signed() | {"webhook-id": webhook_id}) == "webhook.id_malformed"
    with pytest.raises(ConfigurationError):
        sign_standard(BODY, secret=KEY, webhook_id=webhook_id, at=NOW)


@pytest.mark.parametrize(
    "signature",
    [
        "v1",
        "v1,",
        "v1,====",
        "v1,%%%",
        "v1,я",
        "v2,AAAA",
        "v1a,AAAA",
        ",",
        "AAAA",
        "v1,AAAA,AAAA",
        "\ud800",
        "v1 ,",
    ],
)
def test_an_odd_signature_is_refused(signature: str) -> None:
    """The reference library raises other exceptions for some of these."""
    assert _refusal(_signed() | {"webhook-signature": signature}) == "webhook.signature_mismatch"


def test_one_good_signature_among_others_is_enough() -> None:
    """While the sender rotates it signs with both keys; other versions are skipped."""
    good = _signed()["webhook-signature"]
    mixed = f"v1a,AAAA v9,AAAA v1,AAAA nonsense {good}"
    assert _verify(_signed() | {"webhook-signature": mixed}) == "msg_demo0001"


def test_the_list_of_signatures_is_bounded() -> None:
    """A thousand entries would be a thousand comparisons for anybody who asks."""
    good = _signed()["webhook-signature"]
    many = " ".join(["v1,AAAA"] * 1000 + [good])
    assert _refusal(_signed() | {"webhook-signature": many}) == "webhook.signature_malformed"
    few = " ".join(["v1,AAAA"] * 31 + [good])
    assert _verify(_signed() | {"webhook-signature": few})


def test_a_version_swap_is_refused() -> None:
    """An HMAC under another version's name is no v1."""
    v1a = _signed()["webhook-signature"].replace("v1,", "v1a,")
    assert _refusal(_signed() | {"webhook-signature": v1a}) == "webhook.signature_mismatch"


@given(data=st.data())
def test_one_changed_bit_is_refused(data: st.DataObject) -> None:
    """The signature is over the raw bytes."""
    at = data.draw(st.integers(0, len(BODY) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = BODY[:at] + bytes([BODY[at] ^ bit]) + BODY[at + 1 :]
    assert _refusal(_signed(), changed) == "webhook.signature_mismatch"


def test_without_a_usable_key_everything_is_refused() -> None:
    """A key that is missing, short or of another kind closes the door."""
    for keys in ((), ("",), ("whsec_",), ("whsec_c2hvcnQ=",), ("whpk_" + "A" * 44,), ("whsec_%%%",)):
        assert _refusal(_signed(), keys=keys) == "webhook.secret_missing"


def test_a_broken_key_beside_a_good_one_does_no_harm() -> None:
    """During a rotation one of the two may be wrong."""
    assert _verify(_signed(), keys=("whsec_short", KEY)) == "msg_demo0001"


@pytest.mark.parametrize(("length", "good"), [(23, False), (24, True), (32, True), (64, True), (65, False)])
def test_a_key_has_24_to_64_bytes(length: int, good: bool) -> None:
    """The range of the specification."""
    secret = "whsec_" + base64.b64encode(b"k" * length).decode()
    if good:
        assert signing_key(secret) == signing_key(secret.rstrip("=")) == b"k" * length
        return
    with pytest.raises(ConfigurationError) as error:
        signing_key(secret)
    assert secret not in str(error.value)


def test_a_made_secret_is_good_and_new() -> None:
    """32 bytes, and never the same twice."""
    ids = CountedIds()
    first, second = make_signing_secret(ids), make_signing_secret(ids)
    assert first != second
    assert len(signing_key(first)) == 32


def test_a_shared_secret_is_compared_with_every_live_one() -> None:
    """Either is good while a rotation lasts; nothing is good without one."""
    live = (Secret("new"), Secret("old"))
    assert [matches_any(given, live) for given in ("new", "old", "ne", "newer", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert not matches_any("", (Secret(""),))
    assert not matches_any("\ud800", live)
    verify_shared_secret("old", live)
    for given_secret, secrets, code in (
        ("x", live, "webhook.secret_mismatch"),
        (None, live, "webhook.secret_mismatch"),
        ("x", (), "webhook.secret_missing"),
    ):
        with pytest.raises(WebhookRejectedError) as error:
            verify_shared_secret(given_secret, secrets)
        assert (error.value.code, error.value.status) == (code, 401)


def test_a_body_without_an_id_is_named_by_its_bytes() -> None:
    """Equal bytes are a redelivery; other bytes are another webhook."""
    assert body_key(b"a") == body_key(b"a") != body_key(b"b")
