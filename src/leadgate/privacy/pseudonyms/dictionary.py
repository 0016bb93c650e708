"""What the dictionary of pymorphy3 knows of one word of a name. Loaded at the first question: 0.2 s, 15 MB.

Rules for names that it does not know stand in `names` (from a form to the nominative) and `declension` (the way back).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from pymorphy3.analyzer import MorphAnalyzer

CASES = ("nomn", "gent", "datv", "accs", "ablt", "loct")
GENDERS = ("masc", "femn")
_NAME_TAGS = frozenset({"Name", "Surn", "Patr"})
_GUESSED_SURNAMES = ("ский", "цкий")
"""Endings tell patronymics and these surnames of a new word; what else is guessed of new names is chance (Миляушу, Гульназ)."""

_UNCHANGED_WOMEN = frozenset(
    {
        *("айназ", "айсылу", "алсин", "гульназ", "гульсияр", "гульсум", "гульчачак", "гульшат", "ильсияр", "илсияр"),
        *("ландыш", "лейсан", "ляйсан", "назгуль", "нурсылу", "сумбель", "тансылу", "фирдаус", "энже", "эндже"),
    }
)
"""Women whom the dictionary takes for men or does not know; these names never change."""

_MISSING = {
    **dict.fromkeys(("аделя", "азалия", "амина", "асия", "дания", "нафиса", "раиля", "фираза", "хадича"), "femn"),
    **dict.fromkeys(
        ("алмаз", "данис", "динар", "ильнар", "ильфат", "муса", "фаиль", "фидан", "фларис", "юлай"), "masc"
    ),
    **dict.fromkeys(("адель", "айнур", "рузиль"), ""),
}
"""Names that the dictionary lacks or takes for a form of another (Амина for Амин's), with the gender; they follow the rules."""

_FANCIES = frozenset({"асий", "азалий", "даний", "хадич", "фираз"})
"""Nominatives that the dictionary makes up from the names above."""


@dataclass(frozen=True, slots=True)
class WordReading:
    """One way to understand a form.

    Attributes:
        nominative: lower case, as the dictionary writes it.
        gender: `masc`, `femn`, or empty for both.
        case: one of `CASES`.
    """

    nominative: str
    gender: str
    case: str


def read_word(word: str) -> list[WordReading]:
    """All readings of a lower-case form as a part of a name in the singular; empty when the dictionary knows none.

    A name that declines is preferred to its double that does not: «Анне» is Анна's, though a Danish Anne exists.
    """
    if word in _UNCHANGED_WOMEN:
        return [WordReading(word, "femn", case) for case in CASES]
    if word in _MISSING:
        return [WordReading(word, _MISSING[word], "nomn")]
    return [
        WordReading(nominative, _gender(parse), parse.tag.case)
        for parse in _name_parses(word)
        if (nominative := _form(parse, "nomn")) is not None and nominative not in _FANCIES
    ]


def is_name(word: str, gender: str) -> bool:
    """Whether the dictionary has this nominative as a given name."""
    if word in _MISSING:
        return _MISSING[word] in {gender, ""}
    return any(
        parse.is_known and "Name" in parse.tag and parse.tag.case == "nomn" and _gender(parse) in {gender, ""}
        for parse in _name_parses(word)
    )


def decline_known(word: str, gender: str, case: str) -> set[str]:
    """The forms of a nominative in a case, lower case; empty when the dictionary does not know the word."""
    if word in _UNCHANGED_WOMEN:
        return {word} if gender == "femn" else set()
    if word in _MISSING:
        return set()
    parses = [parse for parse in _name_parses(word) if parse.tag.case == "nomn" and _gender(parse) in {gender, ""}]
    return {form for parse in parses if (form := _form(parse, case)) is not None}


def _name_parses(word: str) -> list[Any]:
    parses = [parse for parse in _analyzer().parse(word) if parse.tag.number == "sing" and _is_trusted(parse)]
    known = [parse for parse in parses if parse.is_known] or parses
    return [parse for parse in known if "Fixd" not in parse.tag] or known


def _is_trusted(parse: Any) -> bool:  # noqa: ANN401 - pymorphy3 has no types
    if parse.is_known:
        return bool(_NAME_TAGS & parse.tag.grammemes)
    return "Patr" in parse.tag or ("Surn" in parse.tag and parse.normal_form.endswith(_GUESSED_SURNAMES))


def _gender(parse: Any) -> str:  # noqa: ANN401 - pymorphy3 has no types
    return parse.tag.gender if parse.tag.gender in GENDERS and "ms-f" not in parse.tag else ""


def _form(parse: Any, case: str) -> str | None:  # noqa: ANN401 - pymorphy3 has no types
    form = parse.inflect({"sing", case})
    return None if form is None else str(form.word)


@cache
def _analyzer() -> Any:  # noqa: ANN401 - pymorphy3 has no types
    return MorphAnalyzer()
