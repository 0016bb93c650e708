"""What the bot says to a client."""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    message_id: str
    chat_id: str
    text: str
    buttons: tuple[str, ...] = ()
    ask_contact: str | None = None
    callback_id: str | None = None
