"""A text cut into words, numbers and signs; what other finders took already is one token. No meaning lives here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from leadgate.privacy.detect.spans import Span

_TOKEN = re.compile(r"(?P<word>[^\W\d_]+(?:[-'’][^\W\d_]+)*)|(?P<number>\d+)|\n|[^\w\s]{4,200}|[^\w\s]|_")
_SENTENCE_ENDS = frozenset('.!?\n:;>«"(—-')
_WORD_CHARACTERS_MAX = 40
"""Longer words are looked at by their first letters: no name is longer, and hostile texts have words without an end."""


class Token(NamedTuple):
    """One piece of the text.

    Attributes:
        start, end: its place.
        word: in lower case with е for ё; `#LABEL` for what was taken before.
        kind: `w` word, `n` number, `p` sign, `t` taken.
        case: `x` nothing can be learned from it, `l` lower in a text without capitals, `m` lower in a text with capitals,
            `s` capitalised at the start of a sentence, `t` capitalised elsewhere, `u` all capitals.
    """

    start: int
    end: int
    word: str
    kind: str
    case: str


def tokens_of(text: str, taken: Sequence[Span] = (), begin: int = 0, end: int | None = None) -> list[Token]:
    """Cut a folded text, or a part of it; linear in its length."""
    end = len(text) if end is None else end
    holes = sorted(taken, key=lambda span: span.start)
    pieces: list[tuple[int, int, str]] = []
    for hole in holes:
        if hole.start < begin:
            continue
        pieces += _pieces(text, begin, hole.start)
        pieces.append((hole.start, hole.end, f"#{hole.label}"))
        begin = hole.end
    pieces += _pieces(text, begin, end)
    return _with_case(text, pieces)


def _pieces(text: str, begin: int, end: int) -> list[tuple[int, int, str]]:
    kinds = {"word": "w", "number": "n", None: "p"}
    return [(found.start(), found.end(), kinds[found.lastgroup]) for found in _TOKEN.finditer(text, begin, end)]


def _with_case(text: str, pieces: Sequence[tuple[int, int, str]]) -> list[Token]:
    is_loud = text.isupper()
    tokens: list[Token] = []
    append = tokens.append
    has_capitals, is_start = False, True
    for start, end, kind in pieces:
        if kind != "w":
            if kind[0] == "#":
                append(Token(start, end, kind, "t", "x"))
                is_start = False
                continue
            sign = text[start : min(end, start + 7)] if kind == "n" else text[start]
            sign = "¶" if sign == "\n" else sign
            append(Token(start, end, sign, kind, "x"))
            is_start = sign in _SENTENCE_ENDS
            continue
        typed = text[start : min(end, start + _WORD_CHARACTERS_MAX)]
        case = "x"
        if not is_loud:
            case = _case(typed, is_start=is_start)
            has_capitals |= case == "t"
        word = typed.lower()
        append(Token(start, end, word.replace("ё", "е") if "ё" in word else word, "w", case))
        is_start = False
    if has_capitals:
        return [token._replace(case="m") if token.case == "l" else token for token in tokens]
    return tokens


def _case(typed: str, *, is_start: bool) -> str:
    if typed[0].islower() or not typed[0].isupper():
        return "l"
    if len(typed) > 1 and typed.isupper():
        return "u"
    return "s" if is_start else "t"
