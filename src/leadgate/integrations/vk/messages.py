"""Our outgoing message in VK's words: pieces of bearable length, each with a mark against doubling, and the keyboard. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from leadgate.intake.untrusted import clean_text
from leadgate.model.messages import OutgoingMessage
from leadgate.wire.pieces import split_text, with_choices

PIECE_LIMIT = 4096
"""Longest text of one message, in UTF-16 units. VK documents 9000 characters; people see longer texts than this cut."""

MESSAGE_LIMIT = 40_960
"""Longest text that we send at all, in characters: ten pieces."""

LABEL_LIMIT = 40
ROWS_LIMIT = 10
BUTTONS_LIMIT = 40
_SHORT_TITLE = 16
"""Titles up to this many characters stand two in a row on a telephone."""
_WIDEST_ROW = 5


@dataclass(frozen=True, slots=True)
class Piece:
    """One call of `messages.send`.

    Attributes:
        random_id: VK drops a second message with the same one.
        titles: what the keyboard offers.
    """

    chat_id: str
    text: str
    random_id: int
    titles: tuple[str, ...] = ()

    def parameters(self, *, with_keyboard: bool = True) -> dict[str, str]:
        """As VK takes them; without the keyboard the choices stand in the text."""
        written = {"peer_id": self.chat_id, "random_id": str(self.random_id), "message": self.text}
        if not self.titles:
            return written
        if with_keyboard:
            return written | {"keyboard": _keyboard(self.titles)}
        return written | {"message": with_choices(self.text, self.titles)}


def to_pieces(message: OutgoingMessage) -> list[Piece]:
    """The message in order; the keyboard hangs on the last piece, and what it cannot hold stands in the text.

    VK has no button that shares a phone, so `ask_contact` is left out: the words ask for it.
    """
    titles = [clean_text(title, limit=MESSAGE_LIMIT) for title in message.buttons if title.strip()]
    shown = [title for title in titles if len(title) <= LABEL_LIMIT][:BUTTONS_LIMIT]
    text = clean_text(
        with_choices(message.text, [title for title in titles if title not in shown]), limit=MESSAGE_LIMIT
    )
    texts = split_text(text, limit=PIECE_LIMIT)
    last = len(texts) - 1
    return [
        Piece(message.chat_id, piece, random_id(message.message_id, number), tuple(shown) if number == last else ())
        for number, piece in enumerate(texts)
    ]


def random_id(message_id: str, piece: int) -> int:
    """VK's mark of a message: 32 bits with a sign, never 0 (which would switch the protection off), the same for a repeat.

    Args:
        message_id: ours.
        piece: number of the piece, from 0.
    """
    digest = hashlib.sha256(f"{message_id}/{piece}".encode()).digest()
    return int.from_bytes(digest[:4], "big", signed=True) or 1


def _keyboard(titles: Sequence[str]) -> str:
    """Quick answers below the input, which fold away after use; a press sends the label as words."""
    width = 2 if all(len(title) <= _SHORT_TITLE for title in titles) else 1
    while len(titles) > width * ROWS_LIMIT and width < _WIDEST_ROW:
        width += 1
    buttons = [{"action": {"type": "text", "label": title}} for title in titles]
    rows = [buttons[at : at + width] for at in range(0, len(buttons), width)]
    return json.dumps({"one_time": True, "inline": False, "buttons": rows}, ensure_ascii=False)
