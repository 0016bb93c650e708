"""A text without its disguises, letter by letter: what is found in it is mapped back to the places of the text as it was typed.

Zero-width characters go, odd spaces become a space, letters of the other script that look alike become those of the word's own
script, and letters that stand for digits inside a number become digits. Never NFKC: it changes lengths (fact sheet pii, section 4).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_INVISIBLE = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufe0e\ufe0f\ufeff"
_ODD_SPACES = "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_LINE_ENDS = "\r\x0b\x0c\x85\u2028\u2029"
_MAPPED = str.maketrans(
    dict.fromkeys(_ODD_SPACES, " ")
    | dict.fromkeys(_LINE_ENDS, "\n")
    | {
        "\u0130": "I",
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2015": "-",
        "\u2212": "-",
    }
)
"""One character for one, so that places stay. Capital dotted I alone would become two letters in lower case."""

_IS_ODD = re.compile(f"[{_INVISIBLE}{_ODD_SPACES}{_LINE_ENDS}\u0130\u2010-\u2015\u2212]")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_DROPPED = re.compile(f"[{_INVISIBLE}]")

_LATIN, _CYRILLIC = "ABCEHKMOPTXYaceopxykmti", "АВСЕНКМОРТХУасеорхукмті"
_TO_CYRILLIC, _TO_LATIN = str.maketrans(_LATIN, _CYRILLIC), str.maketrans(_CYRILLIC, _LATIN)
_WORD = re.compile(r"[^\W\d_]+")
_A_LATIN, _A_CYRILLIC = re.compile("[A-Za-z]"), re.compile("[А-Яа-яЁёӘәӨөҮүҖҗҢңҺһ]")

_LETTER_DIGITS = "OoОоQЗзlI|бБЧ"
_AS_DIGITS = str.maketrans(_LETTER_DIGITS, "0000033111" + "66" + "4")
_MAYBE_NUMBER = re.compile(rf"(?<![\w|])[\d{_LETTER_DIGITS}]+(?![\w|])")


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text.

    Attributes:
        text: to be searched for words.
        digits: the same length; letters that stand for digits inside numbers are digits. To be searched for numbers.
        typed: the text as it came.
    """

    text: str
    digits: str
    typed: str
    _origin: Sequence[int] | None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of the folded text, which is not empty, stands in the text as it was typed."""
        if self._origin is None:
            return start, end
        return self._origin[start], self._origin[end - 1] + 1


def fold(typed: str) -> Folded:
    """Take the disguises off; linear in the length of the text."""
    text, origin = typed, None
    if _IS_ODD.search(typed) is not None:
        text = typed.translate(_MAPPED)
        if _DROPPED.search(text) is not None:
            origin = [place for place, letter in enumerate(text) if letter not in _INVISIBLE]
            text = "".join([text[place] for place in origin])
    if not text.isascii() and _OTHER_DIGIT.search(text) is not None:
        text = _OTHER_DIGIT.sub(_as_digit, text)
    if not text.isascii() and _A_LATIN.search(text) is not None:
        text = _WORD.sub(_in_one_script, text)
    return Folded(text, _MAYBE_NUMBER.sub(_as_number, text), typed, origin)


def _as_digit(found: re.Match[str]) -> str:
    return str(unicodedata.decimal(found[0]))


def _in_one_script(found: re.Match[str]) -> str:
    word = found[0]
    if _A_LATIN.search(word) is None or _A_CYRILLIC.search(word) is None:
        return word
    is_cyrillic = len(_A_CYRILLIC.findall(word)) >= len(_A_LATIN.findall(word))
    return word.translate(_TO_CYRILLIC if is_cyrillic else _TO_LATIN)


def _as_number(found: re.Match[str]) -> str:
    token = found[0]
    if token.isdecimal() or not any(letter.isdecimal() for letter in token):
        return token
    is_inside = found.string[found.end() : found.end() + 1] in {"-", "."}
    hours = "Ч" if token.endswith("Ч") and not is_inside else ""  # "В 14Ч": an hour, not a digit
    return token.removesuffix(hours).translate(_AS_DIGITS) + hours
