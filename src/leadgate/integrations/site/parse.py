"""From the widget's message to the normalised event."""

from __future__ import annotations

from leadgate.intake.signatures import body_key
from leadgate.intake.untrusted import find_object
from leadgate.integrations.site.message import SiteMessage, find_message
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.leads import LeadRequest, Person
from leadgate.model.webhooks import VerifiedWebhook


def parse_message(webhook: VerifiedWebhook) -> NormalisedEvent:
    """The event of a body; `unsupported` when it is none of ours. Never raises.

    A pressed quick answer has its title both in `payload` and, because the visitor saw and chose it, in `text`.
    """
    message = find_message(find_object(webhook.body))
    if message is None:
        return NormalisedEvent(kind=EventKind.UNSUPPORTED, event_key=body_key(webhook.body))
    return NormalisedEvent(
        kind=EventKind.BUTTON if message.is_button else EventKind.TEXT,
        event_key=message.key,
        sender_id=message.visitor_id,
        chat_id=message.visitor_id,
        message_id=message.message_id,
        text=message.text,
        payload=message.text if message.is_button else None,
        language=message.language,
        lead=_campaign(message),
    )


def _campaign(message: SiteMessage) -> LeadRequest | None:
    """Where the visitor came from, in the shape that leads carry; None when the page's address did not say."""
    if message.utm is None:
        return None
    return LeadRequest(channel="site", contact=Person(channel_user_id=message.visitor_id), utm=message.utm)
