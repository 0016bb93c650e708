"""What the bot says to a client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """One message to one chat.

    Attributes:
        message_id: ours, unique for ever; an idempotency key where the vendor has one.
        chat_id: the vendor's id of the chat.
        text: plain text, no markup.
        buttons: titles of quick answers; pressing one sends its title back.
        ask_contact: title of a button that shares the client's own phone, or None.
        callback_id: a button press that this message acknowledges, or None.
        heard_at: when the client last wrote in this chat; vendors let us answer freely only for some time after it.
        template: our word for what the message is (`reminder`), for vendors that outside that time send only texts that they
            have approved; the salon says in the connection's settings which of its templates that is. None: a free answer.
        parameters: what the template fills in, in order.
        by_person: an employee wrote it, not the bot.
        tried: of a notice, the conversations that it was sent to, this one last: where one way is closed it takes the next.
            None for an answer, which belongs to its chat.
        is_advertising: it is sent only to whom the gate of `crm.consent` lets it, asked when it is decided on and again before it
            goes.
    """

    message_id: str
    chat_id: str
    text: str
    buttons: tuple[str, ...] = ()
    ask_contact: str | None = None
    callback_id: str | None = None
    heard_at: datetime | None = None
    template: str | None = None
    parameters: tuple[str, ...] = ()
    by_person: bool = False
    tried: tuple[str, ...] | None = None
    is_advertising: bool = False
