"""The receiving half of VK, joined: handshake, proof, parsing and the answer."""

from __future__ import annotations

from datetime import datetime

from leadgate.integrations.vk import parse, verify
from leadgate.model.connections import OpenConnection
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook, WebhookAnswer


class VkReceiver:
    """Reads what the Callback API posts; see `leadgate.ports.channel.WebhookReceiver`."""

    def handshake(self, request: RawWebhook, connection: OpenConnection) -> WebhookAnswer | None:
        """The confirmation string when VK asks for it."""
        return verify.confirm_address(request, connection) if request.method == "POST" else None

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        """Prove the secret in the body; the time is not part of VK's proof."""
        _ = now
        return verify.verify_event(request, connection)

    def parse(self, webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
        """The one event of a body."""
        return [parse.parse_event(webhook, connection)]

    def accepted(self, receipt: Receipt) -> WebhookAnswer:
        """Exactly `ok` as text: for anything else VK sends the event again and at last nothing more."""
        _ = receipt
        return WebhookAnswer(200, b"ok")
