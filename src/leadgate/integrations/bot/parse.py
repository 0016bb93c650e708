"""From a signed lead to the normalised event of kind `form`. Pure, and never raises."""

from __future__ import annotations

from leadgate.errors import InvalidLeadError
from leadgate.intake.untrusted import decode_json
from leadgate.integrations.bot.schema import read_lead
from leadgate.integrations.bot.verify import NOT_JSON
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.webhooks import VerifiedWebhook


def parse_lead(webhook: VerifiedWebhook) -> NormalisedEvent:
    """The lead of a body; one that breaks the schema is `rejected` with its bad fields.

    The store holds no such body; `leadgate parse` may meet one.

    The phone is never verified: the builder signs that somebody told it this number, not whose number it is.
    """
    try:
        lead = read_lead(decode_json(webhook.body))
    except InvalidLeadError as error:
        return _rejected(webhook, "; ".join(f"{problem.field}: {problem.problem}" for problem in error.problems))
    except ValueError:
        return _rejected(webhook, NOT_JSON)
    contact = lead.contact
    return NormalisedEvent(
        kind=EventKind.FORM,
        event_key=webhook.natural_key,
        sender_id=contact.channel_user_id,
        text=lead.message,
        phone=contact.phone,
        phone_verified=None if contact.phone is None else False,
        sender_name=contact.name,
        username=contact.username,
        lead=lead,
    )


def _rejected(webhook: VerifiedWebhook, reason: str) -> NormalisedEvent:
    return NormalisedEvent(kind=EventKind.REJECTED, event_key=webhook.natural_key, reason=reason)
