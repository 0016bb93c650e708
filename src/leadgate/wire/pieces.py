"""A text in pieces of bearable length, and choices as words where a messenger has no buttons for them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Size = Callable[[str], int]
"""Length of a text as a vendor counts it."""


def utf16_units(text: str) -> int:
    """Length in UTF-16 units: never less than a vendor's count, whichever it uses but bytes."""
    return len(text.encode("utf-16-le")) // 2


def split_text(text: str, *, limit: int, size: Size = utf16_units) -> list[str]:
    """Pieces of at most `limit` that joined give the text, cut after a line or a word, never inside a character.

    A text without a visible character gives no piece: vendors refuse it.

    Args:
        text: without half surrogates (`intake.untrusted.clean_text`).
        limit: longest piece, at least 2.
        size: how the limit is counted.
    """
    pieces = []
    rest = text
    while size(rest) > limit:
        head = _head(rest, limit, size)
        cut = max(head.rfind("\n"), head.rfind(" ")) + 1 or len(head)
        pieces.append(rest[:cut])
        rest = rest[cut:]
    return [piece for piece in (*pieces, rest) if piece.strip()]


def with_choices(text: str, titles: Sequence[str]) -> str:
    """The text with the choices below it, a line each: nothing that is offered stays hidden."""
    lines = [f"— {title}" for title in titles if title.strip()]
    return "\n".join((text, *lines)) if text.strip() else text


def _head(text: str, limit: int, size: Size) -> str:
    """The longest beginning of at most `limit`."""
    head = text[:limit]
    while size(head) > limit:
        head = head[: -max(1, (size(head) - limit) // 2)]
    return head
