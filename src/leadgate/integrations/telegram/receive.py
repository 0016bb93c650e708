"""The receiving half of Telegram, joined: proof, parsing and the answer."""

from __future__ import annotations

from datetime import datetime

from leadgate.integrations.telegram import parse, verify
from leadgate.model.connections import OpenConnection
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook, WebhookAnswer


class TelegramReceiver:
    """Reads what the Bot API posts; see `leadgate.ports.channel.WebhookReceiver`."""

    def handshake(self, request: RawWebhook, connection: OpenConnection) -> WebhookAnswer | None:
        """None: Telegram has no handshake."""
        _ = request, connection
        return None

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        """Prove the secret header; the time is not part of Telegram's proof."""
        _ = now
        return verify.verify_update(request, connection)

    def parse(self, webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
        """The one event of an update."""
        return [parse.parse_update(webhook, connection)]

    def accepted(self, receipt: Receipt) -> WebhookAnswer:
        """200 with an empty body: Telegram would carry out a `method` in it as an API call."""
        _ = receipt
        return WebhookAnswer(200)
