"""A channel: where clients write. Two halves: a pure receiver and a sender that talks to the vendor."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from leadgate.model.connections import CheckReport, OpenConnection
from leadgate.model.events import NormalisedEvent
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Outcome
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook, WebhookAnswer


class WebhookReceiver(Protocol):
    """Reads what a vendor posts. Pure: no input or output, no clock of its own."""

    def handshake(self, request: RawWebhook, connection: OpenConnection) -> WebhookAnswer | None:
        """The answer to the vendor's handshake, or None when the request is an ordinary webhook."""
        ...

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        """Prove that the request is genuine, on its raw bytes and in constant time; fail closed.

        A missing secret refuses everything. With two live secrets either is good.

        Raises:
            WebhookRejectedError: not genuine (401), or genuine but malformed where the contract wants 400 or 422.
        """
        ...

    def parse(self, webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
        """Every event of the body, in order; never empty: what is unknown becomes `unsupported`. Never raises on odd bodies."""
        ...

    def accepted(self, receipt: Receipt) -> WebhookAnswer:
        """What this vendor wants to hear when the webhook is on disk (or was already)."""
        ...


class Channel(Protocol):
    """Sends to clients of one connection. Knows the vendor's limits; owns no state that must survive."""

    def can_repeat(self) -> bool:
        """True when the vendor drops a second send with the same `message_id`, so that a repeat cannot double."""
        ...

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Send one message. Never raises for what the vendor answers: every answer is an Outcome."""
        ...

    async def check(self) -> CheckReport:
        """Ask the vendor whether token and webhook are as we think; changes nothing there."""
        ...

    async def register(self, webhook_url: str) -> CheckReport:
        """Tell the vendor our address and secret, keeping updates that wait there. A second call is harmless."""
        ...

    async def unregister(self) -> None:
        """Take our address away at the vendor, best effort."""
        ...

    async def close(self) -> None:
        """Close the connections to the vendor; the channel is not used afterwards."""
        ...
