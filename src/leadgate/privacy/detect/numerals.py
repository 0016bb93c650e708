"""Number words of Russian and Tatar as digits: `двести сорок один` is 241, `ноль шесть` is 0 and 6."""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter

_RUSSIAN = {
    "0": "ноль нуль нолик нулик ноля зеро",
    "1": "один одна раз единица единичка адин",
    "2": "два две двойка двоечка",
    "3": "три тройка троечка",
    "4": "четыре четверка четверочка",
    "5": "пять пятерка пятерочка",
    "6": "шесть шестерка шестерочка",
    "7": "семь семерка семерочка",
    "8": "восемь восем восьмерка восьмерочка",
    "9": "девять девятка девяточка",
    "10": "десять",
    "11": "одиннадцать одинадцать",
    "12": "двенадцать",
    "13": "тринадцать",
    "14": "четырнадцать",
    "15": "пятнадцать",
    "16": "шестнадцать",
    "17": "семнадцать",
    "18": "восемнадцать",
    "19": "девятнадцать",
    "20": "двадцать",
    "30": "тридцать",
    "40": "сорок",
    "50": "пятьдесят",
    "60": "шестьдесят шесдесят",
    "70": "семьдесят",
    "80": "восемьдесят",
    "90": "девяносто",
    "100": "сто",
    "200": "двести",
    "300": "триста",
    "400": "четыреста",
    "500": "пятьсот",
    "600": "шестьсот",
    "700": "семьсот",
    "800": "восемьсот",
    "900": "девятьсот",
}
_TATAR = {
    "0": "нуль",
    "1": "бер",
    "2": "ике",
    "3": "өч",
    "4": "дүрт",
    "5": "биш",
    "6": "алты",
    "7": "җиде",
    "8": "сигез сикез",
    "9": "тугыз",
    "10": "ун",
    "20": "егерме",
    "30": "утыз",
    "40": "кырык",
    "50": "илле",
    "60": "алтмыш",
    "70": "җитмеш",
    "80": "сиксән",
    "90": "туксан",
    "100": "йөз",
}
_ENGLISH = "zero one two three four five six seven eight nine"
_IN_LATIN = str.maketrans(
    dict(zip("абвгдезиклмнопрстух", "abvgdeziklmnoprstuh", strict=True))
    | {"ц": "c", "ч": "ch", "ш": "sh", "ы": "y", "ь": "", "я": "ya"}
)
_HUNDRED, _TEN = 100, 10


def _spoken(table: dict[str, str]) -> dict[str, int]:
    return {word: int(value) for value, words in table.items() for word in words.split()}


def _all_words() -> dict[str, int]:
    """With `ё`, with Tatar's `унсигез` (ten and eight as one word), and Russian in Latin letters."""
    russian, tatar = _spoken(_RUSSIAN), _spoken(_TATAR)
    teens = {f"ун{word}": _TEN + value for word, value in tatar.items() if 0 < value < _TEN}
    dotted = {word.replace("е", "ё", 1): value for word, value in russian.items() if word.endswith(("ерка", "ерочка"))}
    latin = {word.translate(_IN_LATIN): value for word, value in russian.items()}
    also_latin = {word.replace("c", "ts"): value for word, value in latin.items() if "dc" in word}
    english = {word: value for value, word in enumerate(_ENGLISH.split())}
    return tatar | teens | russian | dotted | latin | also_latin | english


_VALUES = _all_words()
_BY_FIRST_LETTER = groupby(sorted(_VALUES), key=itemgetter(0))
WORDS = "|".join(
    f"{letter}(?:{'|'.join(sorted((word[1:] for word in words), key=len, reverse=True))})"
    for letter, words in _BY_FIRST_LETTER
)
"""Alternatives of a regular expression over lower-case text: first letters, then the longest first."""

_ONE = re.compile(f"(?:{WORDS})")


def values_of(words: str) -> list[int]:
    """The values of one number word in lower case, or of several written without spaces, `восемьдевятьсот`."""
    value = _VALUES.get(words)
    return [value] if value is not None else [_VALUES[part[0]] for part in _ONE.finditer(words)]


def joined(before: int, after: int, *, multiplies: bool = True) -> int | None:
    """What two neighbouring values say together, `сорок` and `два`; None when they are two numbers.

    A hundred takes tens and units, a ten units. Tatar says nine hundred in two words, `тугыз йөз`: there a unit multiplies; in
    Russian `шесть сто двенадцать` is 6 and 112.
    """
    if multiplies and 1 < before < _TEN and after == _HUNDRED:
        return before * after
    if before == 0 or after == 0:
        return None
    takes = _HUNDRED if before % _HUNDRED == 0 else _TEN if before % _TEN == 0 and before % _HUNDRED != _TEN else 0
    return before + after if after < takes else None
