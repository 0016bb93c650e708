"""Webhooks of Meta as WhatsApp and Instagram share them: the handshake, the signature, batches taken apart. Pure.

What an event means is the vendor's `parse.py`. The bytes are signed as they came: Meta escapes letters and slashes in its own
way, so nothing is parsed and written anew before the proof.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadgate.errors import WebhookRejectedError
from leadgate.intake.signatures import body_key, matches_any, verify_hex_hmac
from leadgate.intake.untrusted import moment_at, text_at
from leadgate.model.secret import Secret
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook, WebhookAnswer

SIGNATURE_HEADER = "x-hub-signature-256"
ID_LIMIT = 400
"""Longest id that is kept; the longest seen is half of it."""

_PREFIX = "sha256="
_KEY_LIMIT = 512
# Meta sends digits. Anything that a browser could read as markup would make of the handshake a page written by a stranger.
_CHALLENGE = re.compile(r"[A-Za-z0-9_.-]{1,256}", re.ASCII)
_MILLISECONDS_FROM = 100_000_000_000


@dataclass(frozen=True, slots=True)
class Part:
    """One event of a body.

    Attributes:
        key: names the event, the same alone and in a batch.
        conversation_key: of the person, None when there is no order to keep.
        body: the smallest body of Meta's shape that holds this event alone.
    """

    key: str
    conversation_key: str | None
    body: Mapping[str, object]


def answer_challenge(request: RawWebhook, live: Sequence[Secret]) -> WebhookAnswer | None:
    """The answer to `hub.challenge`, or None when the request is no handshake.

    Raises:
        WebhookRejectedError: 403 for a verify token that is not ours, or when we have none; 400 for an odd challenge.
    """
    if request.method != "GET" or "hub.mode" not in request.query:
        return None
    if not matches_any(request.query.get("hub.verify_token", ""), live) or request.query["hub.mode"] != "subscribe":
        raise WebhookRejectedError("The verify token is not ours.", code="webhook.secret_mismatch", status=403)
    challenge = request.query.get("hub.challenge", "")
    if not _CHALLENGE.fullmatch(challenge):
        raise WebhookRejectedError("The challenge of the handshake is odd.", status=400)
    return WebhookAnswer(200, challenge.encode("ascii"))


def prove(request: RawWebhook, live: Sequence[Secret]) -> None:
    """Prove a body under any of the live app secrets; see `verify_hex_hmac`."""
    verify_hex_hmac(request.headers.get(SIGNATURE_HEADER), request.body, live, prefix=_PREFIX)


def take_apart(raw: bytes, parts: Sequence[Part]) -> VerifiedWebhook:
    """The proven webhook: as it came when it is one event, else with each event as a webhook of its own.

    A body without any event is kept under the hash of its bytes.
    """
    if not parts:
        return VerifiedWebhook(body_key(raw), None, raw)
    if len(parts) == 1:
        return VerifiedWebhook(parts[0].key, parts[0].conversation_key, raw)
    try:
        split = tuple(
            VerifiedWebhook(part.key, part.conversation_key, json.dumps(part.body).encode()) for part in parts
        )
    except RecursionError:  # nested as deep as could just be read
        return VerifiedWebhook(body_key(raw), None, raw)
    return VerifiedWebhook(body_key(raw), split[0].conversation_key, raw, split)


def joined_key(*parts: str | None) -> str:
    """The parts of a name with colons between; the hash of them when that is longer than a key may be."""
    key = ":".join(part or "" for part in parts)
    return key if len(key) <= _KEY_LIMIT else body_key(key.encode("utf-8", "surrogatepass"))


def content_key(value: object) -> str:
    """The name of what has no id: the hash of its content, however it is ordered and escaped."""
    try:
        return body_key(json.dumps(value, sort_keys=True).encode())
    except RecursionError:
        return "nested"


def id_at(value: object, *path: str) -> str | None:
    """The id at the path, a text, or None."""
    return text_at(value, *path, limit=ID_LIMIT)


def objects_in(value: object) -> list[Mapping[str, object]]:
    """The objects of a list; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def find_moment(value: object) -> datetime | None:
    """A time of Meta, which writes seconds or milliseconds, as a number or as a text; None when it is neither."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:20])
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return moment_at({"at": value // 1000 if value >= _MILLISECONDS_FROM else value}, "at")
