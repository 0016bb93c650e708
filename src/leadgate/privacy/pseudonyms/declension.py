"""A name in the nominative, put into another case, or None where that is not sure. The dictionary first, then rules for endings."""

from __future__ import annotations

import re

from leadgate.privacy.pseudonyms.dictionary import CASES, GENDERS, decline_known
from leadgate.privacy.pseudonyms.names import find_words, shaped_like

_RUSSIAN = re.compile(r"[а-яё]+")
_LATIN = re.compile(r"[a-z]+")
_AFTER_HUSHING = ("ж", "ш", "ч", "щ", "ц")
_NO_Y = ("г", "к", "х", "ж", "ш", "ч", "щ")
_UNCHANGED = re.compile(r".*(?:[еёиоуыэю]|[иы]х|аго|яго)")
_LIKE_ADJECTIVE = ("ий", "ый", "ой", "ая", "яя")

_SURNAME = re.compile(r".+(?:[оеё]в|улл?ин)а?")
_SURNAME_OR_NAME = re.compile(r".+[иы]на?")
_SURE_OF_BOTH = {"masc": ("gent", "datv", "accs", "loct"), "femn": ("accs", "ablt")}
"""Cases in which «Ралина» declines alike as a given name and as a surname."""

_OVA = {"gent": "ой", "datv": "ой", "accs": "у", "ablt": "ой", "loct": "ой"}
_HARD = {"gent": "а", "datv": "у", "accs": "а", "ablt": "ом", "loct": "е"}
_SOFT = {"gent": "я", "datv": "ю", "accs": "я", "ablt": "ем", "loct": "е"}
_A = {"gent": "ы", "datv": "е", "accs": "у", "ablt": "ой", "loct": "е"}
_YA = {"gent": "и", "datv": "е", "accs": "ю", "ablt": "ей", "loct": "е"}
_IYA = _YA | {"datv": "и", "loct": "и"}


def decline(value: str, gender: str, cases: frozenset[str]) -> str | None:
    """The name in the case that is asked for; None when the words of the name, or the cases, leave more than one answer.

    Args:
        value: in the nominative.
        gender: `masc`, `femn`, or empty when not known: then both must give the same.
        cases: of `dictionary.CASES`; with several all must give the same.
    """
    forms = {_in_case(value, each, case) for each in ([gender] if gender else GENDERS) for case in cases & set(CASES)}
    return forms.pop() if len(forms) == 1 else None


def _in_case(value: str, gender: str, case: str) -> str | None:
    if case == "nomn":
        return value
    parts, cursor = [], 0
    for start, end in find_words(value):
        form = _decline_word(value[start:end], gender, case)
        if form is None:
            return None
        parts += [value[cursor:start], form]
        cursor = end
    return "".join([*parts, value[cursor:]])


def _decline_word(typed: str, gender: str, case: str) -> str | None:
    word = typed.lower()
    if len(word) == 1 or _LATIN.fullmatch(word) is not None:
        return typed
    if _RUSSIAN.fullmatch(word) is None:
        return None  # a Tatar spelling in a Russian sentence: both ways are seen
    known = decline_known(word, gender, case)
    if len(known) > 1:
        return None
    form = known.pop() if known else _by_rules(word, gender, case)
    return None if form is None else shaped_like(typed, form if "ё" in word else form.replace("ё", "е"))


def _by_rules(word: str, gender: str, case: str) -> str | None:
    """A name that no dictionary has."""
    if _SURNAME.fullmatch(word) is not None and (gender == "femn") == word.endswith("а"):
        return word[:-1] + _OVA[case] if gender == "femn" else word + (_HARD | {"ablt": "ым"})[case]
    is_either = _SURNAME_OR_NAME.fullmatch(word) is not None and case not in _SURE_OF_BOTH[gender]
    if is_either or word.endswith(_LIKE_ADJECTIVE):
        return None
    return word if _UNCHANGED.fullmatch(word) is not None else _given_name(word, gender, case)


def _given_name(word: str, gender: str, case: str) -> str:
    stem, last = word[:-1], word[-1]
    if last in {"а", "я"}:
        return _first_declension(stem, last, case)
    if gender == "femn":
        return word
    if last in {"ь", "й"}:
        return stem + ("и" if case == "loct" and stem.endswith("и") else _SOFT[case])
    return word + ("ем" if case == "ablt" and word.endswith(_AFTER_HUSHING) else _HARD[case])


def _first_declension(stem: str, last: str, case: str) -> str:
    if last == "я":
        return stem + (_IYA if stem.endswith("и") else _YA)[case]
    if case == "gent" and stem.endswith(_NO_Y):
        return stem + "и"
    return stem + ("ей" if case == "ablt" and stem.endswith(_AFTER_HUSHING) else _A[case])
