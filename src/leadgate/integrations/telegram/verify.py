"""Is this update from Telegram, and which one? The body is not signed: a secret header is all the proof."""

from __future__ import annotations

from collections.abc import Mapping

from leadgate.intake.signatures import body_key, verify_shared_secret
from leadgate.intake.untrusted import find_object, identifier_at, integer_at
from leadgate.integrations.telegram.settings import WEBHOOK_SECRET
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header

_CHAT_PATHS = (("chat", "id"), ("message", "chat", "id"), ("from", "id"), ("user", "id"))


def verify_update(request: RawWebhook, connection: OpenConnection) -> VerifiedWebhook:
    """Prove an update and name it.

    The natural key is `update_id`, unique per bot (it may restart after a silent week, so it is no
    watermark). An authentic body that is no update is kept under the hash of its bytes: an error would make
    Telegram repeat it for a day.

    Raises:
        WebhookRejectedError: 401, the secret is missing here, missing there or different.
    """
    verify_shared_secret(request.headers.get(SECRET_HEADER), connection.secrets.get(WEBHOOK_SECRET, ()))
    update = find_object(request.body)
    if update is None:
        return VerifiedWebhook(body_key(request.body), None, request.body)
    return VerifiedWebhook(update_key(update) or body_key(request.body), _conversation_key(update), request.body)


def update_key(update: Mapping[str, object]) -> str | None:
    """The `update_id` as text, or None when there is none."""
    update_id = integer_at(update, "update_id")
    return None if update_id is None or update_id < 0 else str(update_id)


def _conversation_key(update: Mapping[str, object]) -> str | None:
    """The chat, else the person: texts and button presses of one person are worked on in order.

    Telegram itself keeps order per chat for messages but has another queue for presses, so they may swap on
    the way.
    """
    for content in update.values():
        for path in _CHAT_PATHS:
            found = identifier_at(content, *path)
            if found is not None:
                return found
    return None
