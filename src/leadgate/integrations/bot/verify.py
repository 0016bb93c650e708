"""Is this lead from the salon's bot builder, and is it a lead? What is not is refused before it is stored."""

from __future__ import annotations

from datetime import datetime

from leadgate.errors import WebhookRejectedError
from leadgate.intake.signatures import verify_standard
from leadgate.intake.untrusted import decode_json
from leadgate.integrations.bot.quick import find_sender
from leadgate.integrations.bot.schema import read_lead
from leadgate.integrations.bot.settings import SIGNING_SECRET
from leadgate.model.connections import OpenConnection
from leadgate.model.leads import LeadRequest, Person
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook

NOT_JSON = "bot.not_json"


def verify_lead(request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
    """Prove a signed lead; its `webhook-id` is the natural key.

    Raises:
        WebhookRejectedError: 401 not genuine; 400 genuine but not JSON.
        InvalidLeadError: 422 genuine JSON that breaks the schema; names every bad field.
    """
    live = connection.secrets.get(SIGNING_SECRET, ())
    webhook_id = verify_standard(request.headers, request.body, live=live, now=now)
    sender = find_sender(request.body)
    if sender is None:
        lead = _read(request.body)
        sender = lead.channel, lead.contact
    return VerifiedWebhook(webhook_id, conversation_key(*sender), request.body)


def conversation_key(channel: str, contact: Person) -> str:
    """The strongest identifier of the person: leads of one person are worked on in order."""
    if contact.phone:
        return f"phone:{contact.phone}"
    if contact.email:
        return f"email:{contact.email.lower()}"
    if contact.channel_user_id:
        return f"user:{channel}:{contact.channel_user_id}"
    return f"username:{channel}:{(contact.username or '').lower()}"


def _read(body: bytes) -> LeadRequest:
    try:
        value = decode_json(body)
    except ValueError as error:
        raise WebhookRejectedError("The body is not JSON in UTF-8.", code=NOT_JSON, status=400) from error
    return read_lead(value)
