"""Normal forms of values: two writings of one value have one form. Persons are understood in `names`; nothing is checked here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from leadgate.privacy.detect.fold import fold
from leadgate.privacy.detect.spans import Label

_NOT_DIGIT = re.compile(r"[^0-9]+")
_SPACES = re.compile(r"\s+")
_NOT_WORD = re.compile(r"\W+")
_EXTENSION = re.compile(r"(?:доб\w*|вн\w*|ext\w*|#)\W*(?P<number>\d{1,6})\W*\Z", re.IGNORECASE)
_AT = re.compile(r"\s*(?:[(\[{]?\s*(?:@|\bat\b|\bсобака\b|\bсобачка\b)\s*[)\]}]?)\s*", re.IGNORECASE)
_DOT = re.compile(r"\s*(?:\.|[(\[{]\s*(?:dot|точка)\s*[)\]}]|\s(?:dot|точка)\s)\s*", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://)?(?:www\.)?(?P<rest>.*?)/*", re.DOTALL)
_TELEGRAM = re.compile(r"(?:t\.me|telegram\.me)/(?P<name>\w+)")
_PLATE_LETTERS = str.maketrans("ABEKMHOPCTYX", "АВЕКМНОРСТУХ")
_MONTHS = ("янв", "фев", "мар", "апр", "ма", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
_DATE_PART = re.compile(r"\d+|[а-яё]+")

_LOCAL_DIGITS = 7
_NATIONAL_DIGITS = 10


def normalise(label: str, typed: str) -> str:
    """The form that all writings of a value share; never empty for a text with a letter or a digit in it.

    What a rule cannot read (a phone in words) keeps its words, lower case, single spaces: two such writings are two values.
    """
    return _RULES.get(label, _words)(typed) or _words(typed) or typed


def _words(typed: str) -> str:
    return _NOT_WORD.sub(" ", fold(typed).text.casefold().replace("ё", "е")).strip()


def _digits(typed: str) -> str:
    return _NOT_DIGIT.sub("", fold(typed).digits)


def _phone(typed: str) -> str:
    """E.164 for Russian numbers; seven local digits stay; an extension is a part of the number."""
    text = fold(typed).digits
    extension = _EXTENSION.search(text)
    digits = _NOT_DIGIT.sub("", text if extension is None else text[: extension.start()])
    if len(digits) < _LOCAL_DIGITS:
        return ""
    if not text.lstrip().startswith("+"):
        if len(digits) == _NATIONAL_DIGITS + 1 and digits[0] == "8":
            digits = "7" + digits[1:]
        elif len(digits) == _NATIONAL_DIGITS:
            digits = "7" + digits
    sign = "" if len(digits) == _LOCAL_DIGITS else "+"
    return f"{sign}{digits}" + (f",{extension['number']}" if extension is not None else "")


def _email(typed: str) -> str:
    return _SPACES.sub("", _DOT.sub(".", _AT.sub("@", fold(typed).text.casefold())))


def _username(typed: str) -> str:
    found = _LINK.fullmatch(_SPACES.sub("", fold(typed).text.casefold()))
    rest = typed if found is None else found["rest"]
    telegram = _TELEGRAM.fullmatch(rest)
    return (rest if telegram is None else telegram["name"]).removeprefix("@")


def _plate(typed: str) -> str:
    return _NOT_WORD.sub("", fold(typed).text).upper().translate(_PLATE_LETTERS).removesuffix("RUS")


def _ip(typed: str) -> str:
    text = fold(typed).text.strip()
    try:
        return ipaddress.ip_address(text).compressed
    except ValueError:
        return text.casefold()


def _birth_date(typed: str) -> str:
    """Numbers and months by their number: «5 мая 1990» and «05.05.1990» are one date."""
    parts = []
    for part in _DATE_PART.findall(fold(typed).text.casefold()):
        month = next((at for at, start in enumerate(_MONTHS, 1) if part.startswith(start)), None)
        number = part if part.isdecimal() else None if month is None else str(month)
        if number is not None:
            parts.append(number.lstrip("0") or "0")
    return ".".join(parts)


_RULES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        Label.PHONE: _phone,
        Label.EMAIL: _email,
        Label.USERNAME: _username,
        Label.PLATE: _plate,
        Label.IP: _ip,
        Label.BIRTHDATE: _birth_date,
        **dict.fromkeys((Label.PASSPORT, Label.SNILS, Label.INN, Label.OMS, Label.CARD, Label.ACCOUNT), _digits),
    }
)
