"""Is this from Avito, and which message is it? Avito signs in a way that it tells nobody: a secret in the address is the proof.

Whoever reads the address can forge messages, so it is kept out of every log (`web.door_protocol` never prints a query), and
proxies in front must do the same (docs/integrations/avito.md).
"""

from __future__ import annotations

from collections.abc import Mapping

from leadgate.intake.signatures import body_key, verify_shared_secret
from leadgate.intake.untrusted import find_object, identifier_at, object_at, text_at
from leadgate.integrations.avito.settings import SECRET_PARAMETER, WEBHOOK_SECRET
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook


def verify_message(request: RawWebhook, connection: OpenConnection) -> VerifiedWebhook:
    """Prove a webhook and name it by its message; what is no message is kept under the hash of its bytes.

    Raises:
        WebhookRejectedError: 401, the secret is missing here, missing there or different.
    """
    verify_shared_secret(request.query.get(SECRET_PARAMETER), connection.secrets.get(WEBHOOK_SECRET, ()))
    value = find_message(request.body)
    if value is None:
        return VerifiedWebhook(body_key(request.body), None, request.body)
    chat = text_at(value, "chat_id") or identifier_at(value, "author_id")
    return VerifiedWebhook(message_key(value) or body_key(request.body), chat, request.body)


def find_message(body: bytes) -> Mapping[str, object] | None:
    """The message of a webhook, or None when it carries none."""
    envelope = find_object(body)
    return object_at(envelope, "payload", "value") if text_at(envelope, "payload", "type") == "message" else None


def message_key(value: Mapping[str, object]) -> str | None:
    """The id of the message, or None; a message that becomes `deleted` keeps its id and is another event."""
    message_id = text_at(value, "id")
    if message_id is None:
        return None
    return f"{message_id}/deleted" if text_at(value, "type") == "deleted" else message_id
