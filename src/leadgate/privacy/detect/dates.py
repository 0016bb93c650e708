"""Dates in a text as people write them: `14.03.1951`, `7 мая`, `двадцать пятое июля`, `2007 ел 6 апрель`, a year alone.

Which of them is a birth date, `birthdates` decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from leadgate.privacy.detect.numerals import WORDS

_MONTH = (
    r"(?:январ\w{0,4}|феврал\w{0,4}|март(?!ин|ен|ыш)\w{0,4}|апрел\w{0,4}|ма(?:й|я|е|ю|ем|ен\w{1,3}|енда|йда|йның|йнын)|июн\w{0,5}|июл\w{0,5}|август\w{0,5}|сентябр\w{0,6}"
    r"|октябр\w{0,6}|ноябр\w{0,6}|декабр\w{0,6}|гыйнвар\w{0,4}|янв|фев|апр|авг|сент?|окт|нояб?|дек|january|february|march|april|may|june|july|august|september|october"
    r"|november|december)(?![^\W_])\.?"
)
_ORDINAL = (
    r"(?:перв|втор|трет|четв[её]рт|пят|шест|седьм|восьм|девят|десят|(?:один|две|три|четыр|пят|шест|сем|восем|девят)надцат|двадцат|тридцат|сороков|пятидесят|шестидесят"
    r"|семидесят|восьмидесят|девяност|двухтысячн)(?:ого|его|ое|ье|ый|ой|ом|ем|ьего)"
)
_WORD = rf"(?:{_ORDINAL}|(?>{WORDS}|тысяч[аиу]?|мең)(?:енче|нче|ынчы|нчы|унчы)?)(?![^\W_])"
_DAY = r"[0-3]?[0-9](?:[\s\-]?(?:го|ое|е|ого|нчы|нче|нчө|енче|числа|th|st|nd|rd))?"
_YEAR = r"(?:19|20)[0-9]{2}"
_OF_YEAR = r"(?:[\s\-]?(?:нчы|нче|енче|ынчы))?\s?(?:ел|елгы|елның|елнын|елда|елның|г|год|года)(?![^\W_])\.?"

_NUMERIC = re.compile(
    rf"(?<![0-9])(?<![0-9][.,\-/:])(?:[0-3]?[0-9](?P<a>\s?[./\-]\s?)[01]?[0-9](?P=a)(?:{_YEAR}|[0-9]{{2}})"
    rf"|{_YEAR}(?P<b>[.\-/])[01]?[0-9](?P=b)[0-3]?[0-9]"
    rf"|[0-3][0-9] [01][0-9] {_YEAR}|[0-3] [0-9] [01] [0-9] (?:1 9|2 0) [0-9] [0-9]"
    rf"|[0-3][0-9][01][0-9]{_YEAR})(?![0-9]|[.\-/:][0-9])"
)
_SHORT = re.compile(r"(?<![0-9])(?<![0-9][.,\-/:])[0-3]?[0-9][./][01]?[0-9](?![0-9]|[.,\-/:][0-9])")
_LOOSE = re.compile(r"(?<![0-9])(?<![0-9][.,\-/:])[0-3][0-9][\- ][01][0-9](?: [0-9]{2})?(?![0-9]|[.,\-/:][0-9])")
_NAMED = re.compile(
    rf"(?<![^\W_])(?:{_YEAR}{_OF_YEAR}\s{{1,2}}(?:{_DAY}\s?)?{_MONTH}|{_YEAR}{_OF_YEAR}\s{{1,2}}{_DAY}\s?{_MONTH}"
    rf"|(?:{_DAY}\s{{0,3}}|{_WORD}(?:\s{{1,2}}{_WORD}){{0,2}}\s{{1,2}})?{_MONTH}"
    rf"(?:[\s,]{{1,3}}(?:{_YEAR}(?![0-9])|(?<=\s)(?<!,\s)[4-9][0-9](?![0-9]|[.:\-/][0-9]|\s?(?:%|руб|р(?![^\W_])|мин|час|лет|кг|см))|[0-9]{{2}}(?=\s?г(?:ода?|\.|\b)|-?го\b)|{_WORD}(?:\s{{1,2}}{_WORD}){{0,4}}))?)"
    rf"|(?<![0-9])[0-3]?[0-9][. ][ivx]{{1,4}}[. ](?:{_YEAR}|[0-9]{{2}})(?![0-9])"
)
_NAMED_FULL = re.compile(rf"(?<![0-9])(?<![0-9][.,\-/:]){_DAY}\s{{0,2}}{_MONTH}\s{{1,2}}{_YEAR}(?![0-9])")
_YEAR_ALONE = re.compile(
    rf"(?<![0-9])(?<![0-9][.,\-/:])(?:{_YEAR}|[0-9]{{2}}(?=\s?-?(?:г\.?\s?р|го\s?г|го\sрожд|г(?:\.|ода)?\s?рожд|-?м?\s(?:году?\s)?роди|[\s\-]?нч[еы]\sел)))(?![0-9]|[.,\-/:][0-9])"
)
_YEAR_IN_WORDS = re.compile(
    rf"(?<![^\W_])(?:{_WORD}\s{{1,2}}){{1,4}}(?=года?(?![^\W_]))|(?<=\sв\s)(?:{_WORD}\s{{1,2}}){{0,3}}{_ORDINAL}(?![^\W_])"
)
_MOST = 600
_LARGEST_MONTH, _LARGEST_DAY = 12, 31
_A_YEAR = re.compile(_YEAR)


@dataclass(frozen=True, slots=True)
class Date:
    """Places of a date; `kind` is full, day (no year), year or loose (`12 05`); `year` is None unless written in four digits."""

    start: int
    end: int
    kind: str
    year: int | None


def find_dates(lower: str, *, has_cue: bool) -> list[Date]:
    """The dates of a text in order of place; without a cue in the text only those written in full with digits are looked for."""
    found = [_as_date(match, "full") for match in _NUMERIC.finditer(lower) if _is_calendar(match[0])]
    if not has_cue:
        found += [_as_date(match, "full") for match in islice(_NAMED_FULL.finditer(lower), _MOST)]
    else:
        found += [
            _as_date(match, _kind(match[0]))
            for match in islice(_NAMED.finditer(lower), _MOST)
            if not match[0].isalpha()
        ]
        found += [_as_date(match, "day") for match in islice(_SHORT.finditer(lower), _MOST) if _is_calendar(match[0])]
        found += [_as_date(match, "loose") for match in islice(_LOOSE.finditer(lower), _MOST) if _is_calendar(match[0])]
        found += [
            _as_date(match, "year")
            for pattern in (_YEAR_ALONE, _YEAR_IN_WORDS)
            for match in islice(pattern.finditer(lower), _MOST)
        ]
    dates: list[Date] = []
    for date in sorted(found, key=lambda date: (date.start, -date.end)):
        if not dates or date.start >= dates[-1].end:
            dates.append(date)
    return dates


def _as_date(match: re.Match[str], kind: str) -> Date:
    year = _A_YEAR.search(match[0])
    end = match.start() + len(match[0].rstrip(" ."))
    return Date(match.start(), end, kind, None if year is None else int(year[0]))


def _kind(text: str) -> str:
    return "full" if _A_YEAR.search(text) is not None else "day"


def _is_calendar(text: str) -> bool:
    parts = [int(part) for part in re.findall(r"[0-9]+", text)]
    if len(parts) == 1:
        digits = f"{parts[0]:08d}"
        parts = [int(digits[:2]), int(digits[2:4])]
    if parts[0] > _LARGEST_DAY:
        parts = parts[:0:-1]
    return 0 < parts[0] <= _LARGEST_DAY and 0 < parts[1] <= _LARGEST_MONTH
