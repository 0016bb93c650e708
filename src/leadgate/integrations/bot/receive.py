"""The receiving half of `bot`, joined: proof, parsing and the answer."""

from __future__ import annotations

from datetime import datetime

import msgspec

from leadgate.integrations.bot import parse, verify
from leadgate.model.connections import OpenConnection
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook, WebhookAnswer


class BotReceiver:
    """Reads signed leads; see `leadgate.ports.channel.WebhookReceiver`."""

    def handshake(self, request: RawWebhook, connection: OpenConnection) -> WebhookAnswer | None:
        """None: Standard Webhooks have no handshake."""
        _ = request, connection
        return None

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        """Prove the signature, then the schema."""
        return verify.verify_lead(request, connection, now=now)

    def parse(self, webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
        """The one lead of a body."""
        _ = connection
        return [parse.parse_lead(webhook)]

    def accepted(self, receipt: Receipt) -> WebhookAnswer:
        """202 with the event's id; a webhook-id seen before gets the first event's id and `duplicate`."""
        status = "duplicate" if receipt.duplicate else "accepted"
        body = msgspec.json.encode({"event": receipt.event_id, "status": status})
        return WebhookAnswer(202, body, "application/json")
