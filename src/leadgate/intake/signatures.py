"""Proofs of authenticity: shared secrets and Standard Webhooks. Pure; the only place that compares secrets.

Which header carries what is the vendor's business (`integrations/*/verify.py`); replays are dropped by the
store, which remembers natural keys.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from leadgate.errors import ConfigurationError, WebhookRejectedError
from leadgate.model.secret import Secret
from leadgate.ports.clock import IdSource

TOLERANCE_S = 300
"""Oldest and newest age of a signed time, in whole seconds (contract, section 2)."""

_SIGNING_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)
_SIGNATURES_LIMIT = 32
_SIGNATURE_HEADER_LIMIT = 8192
# No dot: "id.time.body" could be cut in two ways. No space or comma: that is how a doubled header looks.
_WEBHOOK_ID = re.compile(r"[!-+\-/-~]{1,256}", re.ASCII)
_WHOLE_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)


def matches_any(given: str, live: Sequence[Secret]) -> bool:
    """True when the given text is one of the live secrets; constant time, an empty secret matches nothing."""
    given_bytes = given.encode("utf-8", "surrogatepass")
    matched = False
    for secret in live:
        expected = secret.reveal().encode("utf-8", "surrogatepass")
        matched |= bool(expected) and hmac.compare_digest(expected, given_bytes)
    return matched


def verify_shared_secret(given: str | None, live: Sequence[Secret]) -> None:
    """Prove that a header carries one of the live secrets; without a live secret everything is refused.

    Raises:
        WebhookRejectedError: 401, code `webhook.secret_missing` or `webhook.secret_mismatch`.
    """
    if not live:
        raise WebhookRejectedError(
            "This connection has no secret, so nothing can be proven.", code="webhook.secret_missing"
        )
    if given is None or not matches_any(given, live):
        raise WebhookRejectedError("The secret of the request is not ours.", code="webhook.secret_mismatch")


def verify_hex_hmac(given: str | None, body: bytes, live: Sequence[Secret], *, prefix: str = "") -> None:
    """Prove that a header carries the hex HMAC-SHA256 of the raw body under one of the live secrets.

    Args:
        given: the header's value, or None when there is none.
        body: raw bytes as received: the vendor escapes in its own way, so nothing is parsed and written anew first.
        live: without a live secret everything is refused.
        prefix: what stands before the hex digits, for instance `sha256=`.

    Raises:
        WebhookRejectedError: 401, code `webhook.secret_missing` or `webhook.signature_mismatch`.
    """
    keys = [secret.reveal().encode() for secret in live if secret.reveal()]
    if not keys:
        raise WebhookRejectedError(
            "This connection has no secret, so nothing can be proven.", code="webhook.secret_missing"
        )
    given_bytes = (given or "").encode("utf-8", "surrogatepass")
    matched = False
    for key in keys:
        matched |= hmac.compare_digest((prefix + hmac_sha256(key, body).hex()).encode(), given_bytes)
    if not matched:
        raise WebhookRejectedError("No signature fits the body.", code="webhook.signature_mismatch")


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 of the data, 32 raw bytes."""
    started = _started_hmac(key).copy()
    started.update(data)
    return started.digest()


@lru_cache(maxsize=256)
def _started_hmac(key: bytes) -> hmac.HMAC:
    """With the key worked in: half the cost of a short body's HMAC."""
    return hmac.new(key, digestmod=hashlib.sha256)


def body_key(body: bytes) -> str:
    """Natural key of a webhook that carries no id: `sha256:` and the hash of its raw bytes."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


def make_signing_secret(ids: IdSource) -> str:
    """A fresh Standard Webhooks secret: `whsec_` and the base64 of 32 bytes that carry 256 random bits."""
    return _SIGNING_PREFIX + base64.b64encode(hashlib.sha256(ids.token(32).encode()).digest()).decode("ascii")


def signing_key(secret: str) -> bytes:
    """The 24 to 64 key bytes of a `whsec_…` secret; base64 padding may be missing.

    Raises:
        ConfigurationError: not such a secret; the message never repeats it.
    """
    key = _find_signing_key(secret)
    if key is None:
        raise ConfigurationError(
            "The signing secret must be `whsec_` followed by the base64 of 24 to 64 random bytes.",
            code="configuration.signing_secret",
            hint="Leave it out and Leadgate makes one.",
        )
    return key


def sign_standard(body: bytes, *, secret: str, webhook_id: str, at: datetime) -> dict[str, str]:
    """The three Standard Webhooks headers for a body.

    Args:
        body: raw bytes exactly as they will travel.
        secret: `whsec_…`.
        webhook_id: stays the same over retries; visible ASCII without dot and comma, up to 256 characters.
        at: time of this attempt.

    Raises:
        ConfigurationError: the secret or the id is malformed.
    """
    if not _WEBHOOK_ID.fullmatch(webhook_id):
        raise ConfigurationError("The webhook id must be visible ASCII without dot, comma or space.")
    timestamp = str(int(at.timestamp()))
    digest = hmac_sha256(signing_key(secret), _signed_bytes(webhook_id, timestamp, body))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode("ascii"),
    }


def verify_standard(headers: Mapping[str, str], body: bytes, *, live: Sequence[Secret], now: datetime) -> str:
    """Prove a Standard Webhooks request and return its `webhook-id`, the natural key.

    Any `v1` signature of the list under any live secret is good; other versions are skipped.

    Args:
        headers: names in lower case.
        body: raw bytes as received.
        live: `whsec_…` secrets; malformed ones prove nothing.
        now: our time.

    Raises:
        WebhookRejectedError: 401 for whatever is missing, malformed, stale, early or wrong.
    """
    keys = [key for key in (_find_signing_key(secret.reveal()) for secret in live) if key is not None]
    if not keys:
        raise WebhookRejectedError(
            "This connection has no signing secret, so nothing can be proven.", code="webhook.secret_missing"
        )
    webhook_id = headers.get("webhook-id", "")
    if not _WEBHOOK_ID.fullmatch(webhook_id):
        raise WebhookRejectedError(
            "The webhook-id header is missing or is not visible ASCII without dot, comma and space.",
            code="webhook.id_malformed",
        )
    timestamp = _timestamp(headers.get("webhook-timestamp", ""), now)
    header = headers.get("webhook-signature", "")
    signed = _signed_bytes(webhook_id, timestamp, body)
    expected = [hmac_sha256(key, signed) for key in keys]
    if not (_is_only_signature(header, expected[0]) or _is_among(_signatures(header), expected)):
        raise WebhookRejectedError("No signature fits the body.", code="webhook.signature_mismatch")
    return webhook_id


def _is_only_signature(header: str, expected: bytes) -> bool:
    """True for the usual header, one signature under the first secret, which need not be taken apart for that."""
    usual = b"v1," + binascii.b2a_base64(expected, newline=False)
    return hmac.compare_digest(usual, header.encode("utf-8", "surrogatepass"))


def _is_among(given: Sequence[bytes], expected: Sequence[bytes]) -> bool:
    matched = False
    for ours in expected:
        for theirs in given:
            matched |= hmac.compare_digest(ours, theirs)
    return matched


def _timestamp(text: str, now: datetime) -> str:
    if not _WHOLE_SECONDS.fullmatch(text):
        raise WebhookRejectedError(
            "The webhook-timestamp header is missing or is not whole seconds.",
            code="webhook.timestamp_malformed",
        )
    if abs(int(now.timestamp()) - int(text)) > TOLERANCE_S:
        raise WebhookRejectedError(
            "The signed time is more than 300 seconds away from ours.",
            code="webhook.timestamp_outside_window",
            hint="Set the sender's clock, and sign every attempt anew.",
        )
    return text


def _signatures(header: str) -> list[bytes]:
    entries = header.split(" ")
    if not header or ", " in header or len(header) > _SIGNATURE_HEADER_LIMIT or len(entries) > _SIGNATURES_LIMIT:
        raise WebhookRejectedError(
            "The webhook-signature header is missing, doubled or too long.",
            code="webhook.signature_malformed",
        )
    found = []
    for entry in entries:
        version, _, encoded = entry.partition(",")
        decoded = _find_base64(encoded) if version == "v1" else None
        if decoded is not None:
            found.append(decoded)
    return found


def _signed_bytes(webhook_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{webhook_id}.{timestamp}.".encode("ascii") + body


@lru_cache(maxsize=256)
def _find_signing_key(secret: str) -> bytes | None:
    if not secret.startswith(_SIGNING_PREFIX):
        return None
    key = _find_base64(secret.removeprefix(_SIGNING_PREFIX))
    return key if key is not None and len(key) in _KEY_BYTES else None


def _find_base64(text: str) -> bytes | None:
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):  # ValueError: letters outside ASCII
        return None
