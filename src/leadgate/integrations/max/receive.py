"""The receiving half of MAX, joined: proof, parsing and the answer."""

from __future__ import annotations

from datetime import datetime

from leadgate.integrations.max import parse, verify
from leadgate.model.connections import OpenConnection
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook, WebhookAnswer


class MaxReceiver:
    """Reads what the Bot API posts; see `leadgate.ports.channel.WebhookReceiver`."""

    def handshake(self, request: RawWebhook, connection: OpenConnection) -> WebhookAnswer | None:
        """None: MAX has no handshake."""
        _ = request, connection
        return None

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        """Prove the secret header; the time is not part of MAX's proof."""
        _ = now
        return verify.verify_update(request, connection)

    def parse(self, webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
        """The one event of an update."""
        return [parse.parse_update(webhook, connection)]

    def accepted(self, receipt: Receipt) -> WebhookAnswer:
        """Exactly 200: MAX takes every other success for a failure."""
        _ = receipt
        return WebhookAnswer(200)
