"""Our outgoing message in Instagram's words: pieces counted in bytes, quick replies, the tag of a human. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from leadgate.intake.untrusted import clean_text
from leadgate.integrations.instagram.addresses import Address
from leadgate.model.messages import OutgoingMessage
from leadgate.wire.pieces import split_text, with_choices

PIECE_LIMIT_BYTES = 1000
"""Longest text of one message, in bytes of UTF-8: about 500 Cyrillic letters."""

MESSAGE_LIMIT = 10_000
"""Longest text that we send at all, in characters."""

REPLIES_LIMIT, REPLY_TITLE_LIMIT = 13, 20

WINDOW = timedelta(hours=24)
"""How long after the client's last message the bot may answer."""

HUMAN_WINDOW = timedelta(days=7)
"""The same for an employee."""

Payload = dict[str, object]


def size_bytes(text: str) -> int:
    """Length as Instagram counts it."""
    return len(text.encode())


def find_frame(message: OutgoingMessage, *, now: datetime) -> Payload | None:
    """As what the message may be sent now: an answer, or the words of a human; None when the window is closed."""
    if message.heard_at is None:
        return None
    silence = now - message.heard_at
    if silence < WINDOW:
        return {"messaging_type": "RESPONSE"}
    if message.by_person and silence < HUMAN_WINDOW:
        return {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    return None


def payloads(message: OutgoingMessage, address: Address, frame: Payload) -> list[Payload]:
    """Bodies of the messages in order; the quick replies hang on the last one.

    What does not fit on quick replies stands in the text: nothing that is offered is hidden. A text without a visible character
    gives no body: Instagram refuses it.
    """
    titles = [title for button in message.buttons if (title := button.strip())]
    asking: list[Payload] = [] if message.ask_contact is None else [{"content_type": "user_phone_number"}]
    fits = len(asking) + len(titles) <= REPLIES_LIMIT and all(len(title) <= REPLY_TITLE_LIMIT for title in titles)
    text = message.text if fits else with_choices(message.text, titles)
    pieces = split_text(clean_text(text, limit=MESSAGE_LIMIT), limit=PIECE_LIMIT_BYTES, size=size_bytes)
    bodies: list[Payload] = [{"text": piece} for piece in pieces]
    replies = [*asking, *(_replies(titles) if fits else [])]
    if bodies and replies:
        bodies[-1]["quick_replies"] = replies
    return [{"recipient": {"id": address.person}, **frame, "message": body} for body in bodies]


def _replies(titles: Sequence[str]) -> list[Payload]:
    clean = [clean_text(title, limit=REPLY_TITLE_LIMIT) for title in titles]
    return [{"content_type": "text", "title": title, "payload": title} for title in clean]
