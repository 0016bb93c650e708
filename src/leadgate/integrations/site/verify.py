"""Is this message from a visitor whom we let in, from a page in the salon's list?"""

from __future__ import annotations

import json
from datetime import datetime

from leadgate.errors import WebhookRejectedError
from leadgate.intake.origins import is_listed
from leadgate.intake.untrusted import find_object
from leadgate.integrations.site.message import SiteMessage, bad_fields, find_message
from leadgate.integrations.site.parse import parse_message
from leadgate.integrations.site.tokens import read_token
from leadgate.model.connections import OpenConnection
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook, WebhookAnswer


class SiteReceiver:
    """Reads what the widget posts."""

    def handshake(self, request: RawWebhook, connection: OpenConnection) -> WebhookAnswer | None:  # noqa: ARG002 - the port's shape
        """The site has no handshake: None."""
        return None

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        """Prove the page and the visitor's token; see the port.

        Raises:
            WebhookRejectedError: 401 `site.origin_refused`, `site.token_invalid`, `site.token_expired`,
                `site.secret_missing`, `site.visitor_mismatch`; 400 `site.not_json`; 422 `site.message_invalid`,
                naming the bad fields.
        """
        origin = request.headers.get("origin")
        if not is_listed(origin, connection.settings):
            raise WebhookRejectedError("This page is not in the list of origins.", code="site.origin_refused")
        visitor_id = read_token(connection, origin=origin, token=bearer_token(request), now=now)
        message = _message(request.body)
        if message.visitor_id != visitor_id:
            raise WebhookRejectedError("The token belongs to another visitor.", code="site.visitor_mismatch")
        return VerifiedWebhook(message.key, visitor_id, request.body)

    def parse(self, webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:  # noqa: ARG002 - the port's shape
        """The one event of the body; see the port."""
        return [parse_message(webhook)]

    def accepted(self, receipt: Receipt) -> WebhookAnswer:
        """202 with the event's id, also for a repeat: the widget may forget the message."""
        status = "duplicate" if receipt.duplicate else "accepted"
        body = json.dumps({"event": receipt.event_id, "status": status}).encode()
        return WebhookAnswer(202, body, "application/json")


def bearer_token(request: RawWebhook) -> str:
    """The token of the Authorization header; an empty string when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _message(body: bytes) -> SiteMessage:
    document = find_object(body)
    if document is None:
        raise WebhookRejectedError("The body is not a JSON object.", code="site.not_json", status=400)
    message = find_message(document)
    if message is None:
        fields = ", ".join(bad_fields(document))
        raise WebhookRejectedError(f"Wrong fields: {fields}.", code="site.message_invalid", status=422)
    return message
