"""Is this lead from the salon's bot builder, and is it a lead? What is not is refused before it is stored."""

from __future__ import annotations

from datetime import datetime

from leadgate.errors import WebhookRejectedError
from leadgate.intake.signatures import verify_standard
from leadgate.intake.untrusted import decode_json
from leadgate.integrations.bot.schema import read_lead
from leadgate.integrations.bot.settings import SIGNING_SECRET
from leadgate.model.connections import OpenConnection
from leadgate.model.leads import LeadRequest
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
    try:
        value = decode_json(request.body)
    except ValueError as error:
        raise WebhookRejectedError("The body is not JSON in UTF-8.", code=NOT_JSON, status=400) from error
    return VerifiedWebhook(webhook_id, conversation_key(read_lead(value)), request.body)


def conversation_key(lead: LeadRequest) -> str:
    """The strongest identifier of the person: leads of one person are worked on in order."""
    contact = lead.contact
    if contact.phone:
        return f"phone:{contact.phone}"
    if contact.email:
        return f"email:{contact.email.lower()}"
    if contact.channel_user_id:
        return f"user:{lead.channel}:{contact.channel_user_id}"
    return f"username:{lead.channel}:{(contact.username or '').lower()}"
