"""How the name of a person is understood: its words in the nominative and the gender, in all the ways a form allows.

The dictionary is asked first; rules for endings serve names that it does not have (`Риназа`, `Миляушу`). Whether two names are one
person is decided in `register`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice, product

from leadgate.privacy.detect.fold import fold
from leadgate.privacy.pseudonyms.dictionary import CASES, GENDERS, WordReading, is_name, read_word
from leadgate.privacy.pseudonyms.table import Reading

_WORD = re.compile(r"[^\W\d_]+")
_CYRILLIC = re.compile(r"[а-яёәөүҗңһі]+")
_SINGLE_NAMES = frozenset({"кызы", "улы", "оглы", "кизи", "угли"})
_COMBINATIONS_MAX = 16

_STEMS: dict[str, tuple[tuple[str, str, str], ...]] = {
    **{f"{letter}и": ((f"{letter}а", "femn", "gent"),) for letter in "гкхжшчщ"},
    "ой": (("а", "femn", "ablt"),),
    "ей": (("а", "femn", "ablt"), ("я", "femn", "ablt")),
    "ою": (("а", "femn", "ablt"),),
    "ею": (("я", "femn", "ablt"),),
    "ью": (("ь", "femn", "ablt"),),
    "ом": (("", "masc", "ablt"),),
    "ем": (("", "masc", "ablt"), ("ь", "masc", "ablt"), ("й", "masc", "ablt")),
    "а": (("", "masc", "gent"), ("", "masc", "accs")),
    "я": (("ь", "masc", "gent"), ("й", "masc", "gent"), ("ь", "masc", "accs"), ("й", "masc", "accs")),
    "у": (("", "masc", "datv"), ("а", "femn", "accs")),
    "ю": (("ь", "masc", "datv"), ("й", "masc", "datv"), ("я", "femn", "accs")),
    "ы": (("а", "femn", "gent"),),
    "и": (
        *(("я", "femn", "gent"), ("я", "femn", "datv"), ("я", "femn", "loct")),
        *(("ь", "femn", "gent"), ("ь", "femn", "datv"), ("ь", "femn", "loct")),
    ),
    "е": (
        *(("а", "femn", "datv"), ("а", "femn", "loct"), ("я", "femn", "datv"), ("я", "femn", "loct")),
        *(("", "masc", "loct"), ("ь", "masc", "loct"), ("й", "masc", "loct")),
    ),
}
"""By ending: what the nominative has instead, the gender, the case. Russian grammar, the declensions that names follow."""

_SURNAME = re.compile(r"(?P<stem>.+(?:[оеё]в|[иы]н))(?P<ending>|а|у|ым|е|ой|ою)")
_SURNAME_ENDINGS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "": (("", "masc", "nomn"),),
    "а": (("а", "femn", "nomn"), ("", "masc", "gent"), ("", "masc", "accs")),
    "у": (("", "masc", "datv"), ("а", "femn", "accs")),
    "ым": (("", "masc", "ablt"),),
    "е": (("", "masc", "loct"), ("а", "femn", "datv"), ("а", "femn", "loct")),
    **dict.fromkeys(("ой", "ою"), tuple(("а", "femn", case) for case in ("gent", "datv", "ablt", "loct"))),
}
"""As `_STEMS`. The dative in -е is that of given names, Ралине, which end like surnames."""

_POSSIBLE = {
    "": re.compile(r"[бвгджзклмнпрстфхцчшщ]\Z"),
    "а": re.compile(r"[бвгджзклмнпрстфхцчшщ]\Z"),
    "я": re.compile(r"[бвджзийлмнпрстфьеаоу]\Z"),
    "ь": re.compile(r"[бвджзлмнпрстфчшщ]\Z"),
    "й": re.compile(r"[аеёиоуыэюя]\Z"),
}
"""By what is put back: how the stem before it may end."""

_ANY = re.compile("")

_NEVER_CHANGES = re.compile(r"(?:лу|су|бану)\Z")
"""Tatar women: Тансылу, Алсу, Гульбану."""

_VOWEL = re.compile(r"[аеёиоуыэюяәөү]\Z")
_STEM_MIN = 2


@dataclass(frozen=True, slots=True)
class Name:
    """A name as understood.

    Attributes:
        readings: the ways that are likely: those the words before ask for, otherwise the nominative, otherwise all.
        others: the ways that are left, for a person who is known already; none when the words before have decided.
        value: the nominative when all likely ways agree, otherwise as typed; written with capitals.
    """

    readings: tuple[Reading, ...]
    others: tuple[Reading, ...]
    value: str


def read_name(typed: str, cases: frozenset[str]) -> Name:
    """Understand a name as it was typed, disguises and case endings included.

    Args:
        cases: those that the words before it leave open; empty when they do not decide.
    """
    text, places, found = _understand(typed)
    asked_for = [key for key, its in found.items() if its & cases]
    likely = asked_for or [key for key, its in found.items() if "nomn" in its] or list(found)
    bases = {words for _, words in likely}
    value = _replace(text, places, bases.pop()) if len(bases) == 1 and places else text
    others = [key for key in found if key not in likely] if not asked_for else []
    return Name(_readings(likely), _readings(others), write_name(value))


def settle_name(typed: str, reading: Reading) -> str:
    """The nominative of a name as it was typed, now that its reading is known; as typed when it cannot be read so."""
    text, places, found = _understand(typed)
    for gender, words in found:
        if (
            places
            and reading.words == _readings([(gender, words)])[0].words
            and (not gender or reading.gender == gender)
        ):
            return write_name(_replace(text, places, words))
    return write_name(text)


def take_name(typed: str) -> Name:
    """A name as it was typed, without asking what it is a form of."""
    text = fold(typed).text
    words = [text[start:end].lower() for start, end in find_words(text)]
    return Name(_readings([("", tuple(words or [text.casefold()]))]), (), write_name(text))


def write_name(value: str) -> str:
    """With capitals, as names are written: «алсу гарипова» and «АЛСУ ГАРИПОВА» become «Алсу Гарипова»; «МакКинли» stays."""
    return _WORD.sub(_capitalise, value)


def find_words(value: str) -> list[tuple[int, int]]:
    """Places of the words of a name; a double name has two."""
    return [(found.start(), found.end()) for found in _WORD.finditer(value)]


def _understand(typed: str) -> tuple[str, list[tuple[int, int]], dict[tuple[str, tuple[str, ...]], set[str]]]:
    """The text without disguises, the places of its words, and their readings with the cases of each."""
    text = fold(typed).text
    places = find_words(text)
    typed_words = tuple(text[start:end].lower() for start, end in places) or (text.casefold(),)
    found = _joint([_read_part(text, start, end) for start, end in places]) if places else {}
    return text, places, found or {("", typed_words): set(CASES)}


def _capitalise(found: re.Match[str]) -> str:
    word = found[0]
    if word.lower() in _SINGLE_NAMES:
        return word.lower()
    is_even = word == word.lower() or (len(word) > 1 and word == word.upper())
    return word[0].upper() + word[1:].lower() if is_even else word


def _read_part(text: str, start: int, end: int) -> list[WordReading]:
    word = text[start:end].lower()
    if len(word) == 1:
        return [WordReading(f"{word}.", "", case) for case in CASES]
    if _CYRILLIC.fullmatch(word) is None or word in _SINGLE_NAMES:
        return [WordReading(word, "", case) for case in CASES]
    known = read_word(word)
    if any(reading.case == "nomn" for reading in known):
        return known
    return list(dict.fromkeys(known + _by_rules(word, has_known=bool(known))))


def _by_rules(word: str, *, has_known: bool) -> list[WordReading]:
    """Readings of a form that is in no dictionary; of those whose nominative is, when there are any."""
    surname = None if has_known else _SURNAME.fullmatch(word)
    if surname is not None:
        rows = _SURNAME_ENDINGS[surname["ending"]]
        return [WordReading(surname["stem"] + ending, gender, case) for ending, gender, case in rows]
    found = []
    for size in (2, 1):
        for ending, gender, case in _STEMS.get(word[-size:], ()):
            stem = word[:-size]
            if len(stem) >= _STEM_MIN and _POSSIBLE.get(ending, _ANY).search(stem) is not None:
                found.append(WordReading(stem + ending, gender, case))
    known = [reading for reading in found if is_name(reading.nominative, reading.gender)]
    if known or has_known:
        return [reading for reading in known if reading.nominative.endswith("ь")] or known
    return found + _as_nominative(word)


def _as_nominative(word: str) -> list[WordReading]:
    if word.endswith(("а", "я")):
        return [WordReading(word, "femn", "nomn")]
    if _NEVER_CHANGES.search(word) is not None or not (word[-2:] in _STEMS or word[-1] in _STEMS):
        is_vowel = _VOWEL.search(word) is not None
        return [WordReading(word, "" if is_vowel or case == "nomn" else "femn", case) for case in CASES]
    return []


def _joint(parts: list[list[WordReading]]) -> dict[tuple[str, tuple[str, ...]], set[str]]:
    """Readings of the whole name with their cases: its words agree in gender and case; failing that, in gender alone.

    Empty for words that agree in nothing, two people in one mention for instance.
    """
    found: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for case in CASES:
        _add_agreeing(found, [[reading for reading in part if reading.case == case] for part in parts], case)
    if not found:
        _add_agreeing(found, parts, None)
    return found


def _add_agreeing(
    found: dict[tuple[str, tuple[str, ...]], set[str]], parts: list[list[WordReading]], case: str | None
) -> None:
    for gender in GENDERS:
        agreeing = [dict.fromkeys(r for r in part if r.gender in {gender, ""}) for part in parts]
        for choice in islice(product(*agreeing), _COMBINATIONS_MAX):
            key = (gender if any(reading.gender for reading in choice) else "", tuple(r.nominative for r in choice))
            found.setdefault(key, set()).update(CASES if case is None else {case})


def _replace(text: str, places: list[tuple[int, int]], words: tuple[str, ...]) -> str:
    """The text with its words in another form; capitals and what stands between the words stay."""
    parts, cursor = [], 0
    for (start, end), word in zip(places, words, strict=True):
        parts += [text[cursor:start], shaped_like(text[start:end], word)]
        cursor = end
    return "".join([*parts, text[cursor:]])


def shaped_like(model: str, word: str) -> str:
    """A lower-case word with the capitals of its other form; an initial stays as it is."""
    if len(model) == 1:
        return model
    if model == model.upper():
        return word.upper()
    return word[0].upper() + word[1:] if model[0] != model[0].lower() else word


def _readings(keys: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[Reading, ...]:
    return tuple(
        dict.fromkeys(Reading(gender, tuple(sorted(w.replace("ё", "е") for w in words))) for gender, words in keys)
    )
