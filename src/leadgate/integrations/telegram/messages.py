"""Our outgoing message in Telegram's words: pieces of bearable length and the keyboard. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from leadgate.intake.untrusted import clean_text
from leadgate.model.messages import OutgoingMessage
from leadgate.wire.pieces import split_text, with_choices

PIECE_LIMIT = 4096
"""Longest text of one message, in UTF-16 units: never more than Telegram's count, whichever it uses."""

MESSAGE_LIMIT = 40_960
"""Longest text that we send at all, in characters: ten pieces."""

BUTTONS_LIMIT = 100
_NUMBER = re.compile(r"-?[0-9]{1,19}")
_SHORT_TITLE = 16
"""Titles up to this many characters stand two in a row on a telephone."""


def send_payloads(message: OutgoingMessage) -> list[dict[str, object]]:
    """Bodies of `sendMessage`, in order; the keyboard hangs on the last one, and what it cannot hold stands in the text."""
    titles = [title for title in message.buttons if title.strip()]
    room = BUTTONS_LIMIT - bool(message.ask_contact)
    text = clean_text(with_choices(message.text, titles[room:]), limit=MESSAGE_LIMIT)
    pieces = split_text(text, limit=PIECE_LIMIT)
    payloads: list[dict[str, object]] = [{"chat_id": _chat(message.chat_id), "text": piece} for piece in pieces]
    if payloads:
        payloads[-1]["reply_markup"] = _keyboard(titles[:room], message.ask_contact)
    return payloads


def _chat(chat_id: str) -> int | str:
    return int(chat_id) if _NUMBER.fullmatch(chat_id) else chat_id


def _keyboard(titles: Sequence[str], ask_contact: str | None) -> dict[str, object]:
    """Quick answers as a keyboard that folds away after use; without any, an old keyboard is taken away."""
    rows: list[list[dict[str, object]]] = []
    if ask_contact:
        rows.append([{"text": ask_contact, "request_contact": True}])
    width = 2 if all(len(title) <= _SHORT_TITLE for title in titles) else 1
    rows += [[{"text": title} for title in titles[at : at + width]] for at in range(0, len(titles), width)]
    if not rows:
        return {"remove_keyboard": True}
    return {"keyboard": rows, "resize_keyboard": True, "one_time_keyboard": True}
