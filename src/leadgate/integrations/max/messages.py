"""Our outgoing message in the words of MAX: pieces of bearable length and the buttons under the last one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from leadgate.intake.untrusted import clean_text
from leadgate.model.messages import OutgoingMessage
from leadgate.wire.pieces import split_text, with_choices

PIECE_LIMIT = 4000
"""Longest text of one message, in UTF-16 units: never more than the count of MAX, whichever it uses."""

MESSAGE_LIMIT = 40_000
"""Longest text that we send at all, in characters: ten pieces."""

TITLE_LIMIT = 128
ROWS_LIMIT = 30
BUTTONS_LIMIT = 210
_WIDEST_ROW = 7
_SHORT_TITLE = 10
"""Two titles of at most so many characters can be read in one row (documentation of the keyboard)."""


def send_bodies(message: OutgoingMessage) -> list[dict[str, object]]:
    """Bodies of `POST /messages`, in order; the buttons hang on the last one, and what they cannot hold stands in the text."""
    titles = [clean_text(title, limit=MESSAGE_LIMIT) for title in message.buttons if title.strip()]
    shown = [title for title in titles if len(title) <= TITLE_LIMIT][: BUTTONS_LIMIT - _WIDEST_ROW]
    text = clean_text(
        with_choices(message.text, [title for title in titles if title not in shown]), limit=MESSAGE_LIMIT
    )
    bodies: list[dict[str, object]] = [{"text": piece} for piece in split_text(text, limit=PIECE_LIMIT)]
    rows = _rows(shown, message.ask_contact)
    if bodies and rows:
        bodies[-1]["attachments"] = [{"type": "inline_keyboard", "payload": {"buttons": rows}}]
    return bodies


def _rows(titles: Sequence[str], ask_contact: str | None) -> list[list[dict[str, object]]]:
    """The button that shares the own number stands alone and first; the others send their title back."""
    contact: list[list[dict[str, object]]] = []
    if ask_contact and ask_contact.strip():
        contact = [[{"type": "request_contact", "text": clean_text(ask_contact, limit=TITLE_LIMIT)}]]
    room = ROWS_LIMIT - 1
    width = 2 if all(len(title) <= _SHORT_TITLE for title in titles) else 1
    while len(titles) > width * room and width < _WIDEST_ROW:
        width += 1
    buttons: list[dict[str, object]] = [{"type": "callback", "text": title, "payload": title} for title in titles]
    return contact + [buttons[at : at + width] for at in range(0, len(buttons), width)]
