"""Is this update from MAX, and which one? The body is not signed: a secret header is all the proof, and updates carry no id."""

from __future__ import annotations

from collections.abc import Mapping

from leadgate.intake.signatures import body_key, verify_shared_secret
from leadgate.intake.untrusted import find_object, identifier_at, text_at
from leadgate.integrations.max.settings import WEBHOOK_SECRET
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook

SECRET_HEADER = "x-max-bot-api-secret"  # noqa: S105 - the name of a header

Path = tuple[str, ...]

_MID: Path = ("message", "body", "mid")
_TIME: Path = ("timestamp",)
_KEY_PATHS: dict[str, tuple[Path, ...]] = {
    "message_created": (_MID,),
    "message_edited": (_MID, _TIME),
    "message_removed": (("message_id",),),
    # MAX calls it the id of the keyboard, so the time of the press tells two presses apart.
    "message_callback": (("callback", "callback_id"), ("callback", "timestamp")),
}
_OTHER_KEY: tuple[Path, ...] = (("user", "user_id"), ("chat_id",), _TIME)
"""What names an update of a person's standing: started, stopped, removed and the like."""

_CHAT_PATHS: tuple[Path, ...] = (
    ("message", "recipient", "chat_id"),
    ("chat_id",),
    ("callback", "user", "user_id"),
    ("user", "user_id"),
    ("user_id",),
)


def verify_update(request: RawWebhook, connection: OpenConnection) -> VerifiedWebhook:
    """Prove an update and name it.

    An authentic body that is no update is kept under the hash of its bytes: an error would make MAX repeat it for hours, and
    take the subscription away after eight.

    Raises:
        WebhookRejectedError: 401, the secret is missing here, missing there or different.
    """
    verify_shared_secret(request.headers.get(SECRET_HEADER), connection.secrets.get(WEBHOOK_SECRET, ()))
    update = find_object(request.body) or {}
    return VerifiedWebhook(update_key(update) or body_key(request.body), _conversation_key(update), request.body)


def update_key(update: Mapping[str, object]) -> str | None:
    """The name of an update, put together of what MAX repeats unchanged; None when a part is missing."""
    kind = text_at(update, "update_type")
    if kind is None:
        return None
    if kind == "message_created" and "message" not in update:
        # What MAX sends for a voice message (seen in August 2026): nothing but the time tells two of them apart.
        return _joined(kind, (identifier_at(update, *_TIME),))
    parts = (text_at(update, *path) or identifier_at(update, *path) for path in _KEY_PATHS.get(kind, _OTHER_KEY))
    return _joined(kind, tuple(parts))


def _joined(kind: str, parts: tuple[str | None, ...]) -> str | None:
    known = [part for part in parts if part is not None]
    return ":".join((kind, *known))[:512] if len(known) == len(parts) else None


def _conversation_key(update: Mapping[str, object]) -> str | None:
    """The chat, else the person: what one person says and presses is worked on in order."""
    return next((found for found in (identifier_at(update, *path) for path in _CHAT_PATHS) if found is not None), None)
