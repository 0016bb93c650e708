"""The receiving half of WhatsApp, joined: handshake, proof, parsing and the answer."""

from __future__ import annotations

from datetime import datetime

from leadgate.integrations.whatsapp import parse, verify
from leadgate.model.connections import OpenConnection
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook, WebhookAnswer
from leadgate.wire.graph_keys import VERIFY_TOKEN
from leadgate.wire.graph_webhooks import answer_challenge


class WhatsAppReceiver:
    """Reads what the Cloud API posts; see `leadgate.ports.channel.WebhookReceiver`."""

    def handshake(self, request: RawWebhook, connection: OpenConnection) -> WebhookAnswer | None:
        """The challenge of Meta, sent back when it knows our verify token; see `answer_challenge`."""
        return answer_challenge(request, connection.secrets.get(VERIFY_TOKEN, ()))

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        """Prove the signature and take a batch apart; the time is not part of Meta's proof."""
        _ = now
        return verify.verify_webhook(request, connection)

    def parse(self, webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
        """Every event of a body, in order."""
        return parse.parse_webhook(webhook, connection)

    def accepted(self, receipt: Receipt) -> WebhookAnswer:
        """200 with an empty body."""
        _ = receipt
        return WebhookAnswer(200)
