"""Our outgoing message in Telegram's words: pieces of bearable length and the keyboard. Pure."""

from __future__ import annotations

import re

from leadgate.intake.untrusted import clean_text
from leadgate.model.messages import OutgoingMessage

PIECE_LIMIT = 4096
"""Longest text of one message, in UTF-16 units: never more than Telegram's count, whichever it uses."""

MESSAGE_LIMIT = 40_960
"""Longest text that we send at all, in characters: ten pieces."""

BUTTONS_LIMIT = 100
_NUMBER = re.compile(r"-?[0-9]{1,19}")
_SHORT_TITLE = 16
"""Titles up to this many characters stand two in a row on a telephone."""


def send_payloads(message: OutgoingMessage) -> list[dict[str, object]]:
    """Bodies of `sendMessage`, in order; the keyboard hangs on the last one."""
    pieces = split_text(clean_text(message.text, limit=MESSAGE_LIMIT))
    payloads: list[dict[str, object]] = [{"chat_id": _chat(message.chat_id), "text": piece} for piece in pieces]
    if payloads:
        payloads[-1]["reply_markup"] = _keyboard(message)
    return payloads


def split_text(text: str, *, limit: int = PIECE_LIMIT) -> list[str]:
    """Pieces of at most `limit` UTF-16 units that joined give the text, cut after a line or a word.

    A text without a visible character gives no piece: Telegram refuses it.
    """
    pieces = []
    rest = text
    while _units(rest) > limit:
        head = _head(rest, limit)
        cut = max(head.rfind("\n"), head.rfind(" ")) + 1 or len(head)
        pieces.append(rest[:cut])
        rest = rest[cut:]
    return [piece for piece in (*pieces, rest) if piece.strip()]


def _head(text: str, limit: int) -> str:
    """The longest beginning of at most `limit` units; never half a character."""
    head = text[:limit]
    while _units(head) > limit:
        head = head[: -max(1, (_units(head) - limit) // 2)]
    return head


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _chat(chat_id: str) -> int | str:
    return int(chat_id) if _NUMBER.fullmatch(chat_id) else chat_id


def _keyboard(message: OutgoingMessage) -> dict[str, object]:
    """Quick answers as a keyboard that folds away after use; without any, an old keyboard is taken away."""
    rows: list[list[dict[str, object]]] = []
    if message.ask_contact:
        rows.append([{"text": message.ask_contact, "request_contact": True}])
    titles = [title for title in message.buttons if title.strip()][: BUTTONS_LIMIT - len(rows)]
    width = 2 if all(len(title) <= _SHORT_TITLE for title in titles) else 1
    rows += [[{"text": title} for title in titles[at : at + width]] for at in range(0, len(titles), width)]
    if not rows:
        return {"remove_keyboard": True}
    return {"keyboard": rows, "resize_keyboard": True, "one_time_keyboard": True}
