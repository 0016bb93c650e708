"""Reads what Hello posts: `{"id": 1, "kind": "said", "from": "u-1", "text": "…"}`, the secret in a header."""

from __future__ import annotations

from datetime import datetime

from leadgate.intake.signatures import body_key, verify_shared_secret
from leadgate.intake.untrusted import TEXT_LIMIT, find_object, identifier_at, text_at
from leadgate.model.connections import OpenConnection
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook, WebhookAnswer

_KINDS = {"said": EventKind.TEXT, "left": EventKind.BLOCKED}
"""The vendor's words and ours. What is not here becomes `unsupported`."""


class HelloReceiver:
    """The receiving half; see `leadgate.ports.channel.WebhookReceiver`."""

    def handshake(self, request: RawWebhook, connection: OpenConnection) -> WebhookAnswer | None:
        """Hello has no handshake."""
        _ = request, connection
        return None

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        """Prove the secret header, then name the webhook by the vendor's own id."""
        _ = now  # Hello signs no time
        verify_shared_secret(request.headers.get("x-hello-secret"), connection.secrets.get("webhook_secret", ()))
        body = find_object(request.body)
        return VerifiedWebhook(
            natural_key=identifier_at(body, "id") or body_key(request.body),
            conversation_key=text_at(body, "from"),
            body=request.body,
        )

    def parse(self, webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
        """One event of each body."""
        _ = connection
        body = find_object(webhook.body)
        sender_id = text_at(body, "from")
        event = NormalisedEvent(
            kind=_KINDS.get(text_at(body, "kind") or "", EventKind.UNSUPPORTED),
            event_key=identifier_at(body, "id") or webhook.natural_key,
            sender_id=sender_id,
            text=text_at(body, "text", limit=TEXT_LIMIT),
            chat_id=sender_id,
        )
        return [event]

    def accepted(self, receipt: Receipt) -> WebhookAnswer:
        """Hello is content with 200."""
        _ = receipt
        return WebhookAnswer(200)
