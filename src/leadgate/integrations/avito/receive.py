"""The receiving half of Avito, joined: proof, parsing and the answer."""

from __future__ import annotations

from datetime import datetime

from leadgate.integrations.avito import parse, verify
from leadgate.model.connections import OpenConnection
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook, WebhookAnswer


class AvitoReceiver:
    """Reads what Avito posts; see `leadgate.ports.channel.WebhookReceiver`."""

    def handshake(self, request: RawWebhook, connection: OpenConnection) -> WebhookAnswer | None:
        """None: Avito has no handshake."""
        _ = request, connection
        return None

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        """Prove the secret of the address; no time is part of the proof."""
        _ = now
        return verify.verify_message(request, connection)

    def parse(self, webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
        """The one event of a webhook."""
        return [parse.parse_message(webhook, connection)]

    def accepted(self, receipt: Receipt) -> WebhookAnswer:
        """200, within two seconds."""
        _ = receipt
        return WebhookAnswer(200)
