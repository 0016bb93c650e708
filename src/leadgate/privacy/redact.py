"""The one choke point: free text that leaves the house is a `RedactedText`, and only `redact` makes it.

What a request for a visit never needs is masked: cards, bank accounts, passports, SNILS, policies, by form and check digit or
by the word that announces them. A name and a phone are what a lead is about and stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NewType

RedactedText = NewType("RedactedText", str)
"""Text without personal data that its reader does not need."""

_SEPARATOR = r"[\s\-\u2010-\u2015.\u00a0\u200b]{0,2}"


def redact(text: str) -> RedactedText:
    """Mask what no CRM needs: `карта 4111 1111 1111 1111` becomes `карта [CARD_1]`.

    The same value gets the same number. A second call changes nothing.
    """
    seen: dict[tuple[str, str], int] = {}
    for rule in _RULES:
        text = rule.pattern.sub(partial(_mask, rule=rule, seen=seen), text)
    return RedactedText(text)


@dataclass(frozen=True, slots=True)
class _Rule:
    label: str
    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool]


def _digits(count: str) -> str:
    return rf"(?<![\d+])(?P<value>\d(?:{_SEPARATOR}\d){{{count}}})(?!\d)"


def _announced(words: str, value: str) -> str:
    return rf"(?P<cue>\b(?:{words})\w*[\s:№.,\-]{{0,6}}(?:(?:номер|серия|и|рф|мой)\w*[\s:№.,\-]{{0,4}}){{0,4}}){value}"


def _mask(found: re.Match[str], *, rule: _Rule, seen: dict[tuple[str, str], int]) -> str:
    value = found["value"]
    digits = re.sub(r"\D", "", value)
    if not rule.is_valid(digits):
        return found[0]
    number = seen.setdefault((rule.label, digits), 1 + sum(label == rule.label for label, _ in seen))
    return found[0].replace(value, f"[{rule.label}_{number}]")


def _passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(sum(divmod(value, 10)) for value in doubled) % 10 == 0


def _passes_snils(digits: str) -> bool:
    """Sum of digit times weight 9..1, modulo 101, 100 counts as 00."""
    total = sum(int(digit) * weight for digit, weight in zip(digits[:9], range(9, 0, -1), strict=True))
    return total % 101 % 100 == int(digits[9:])


def _always(_digits: str) -> bool:
    return True


_RULES = (
    _Rule("ACCOUNT", re.compile(_digits("19")), _always),
    _Rule("OMS", re.compile(_announced("полис|омс|енп", _digits("15")), re.IGNORECASE), _always),
    _Rule("CARD", re.compile(_announced("карт|card", _digits("12,18")), re.IGNORECASE), _always),
    _Rule("CARD", re.compile(_digits("12,18")), _passes_luhn),
    _Rule("SNILS", re.compile(_announced("снилс", _digits("10")), re.IGNORECASE), _always),
    _Rule("SNILS", re.compile(r"(?<![\d+])(?P<value>\d{3}-\d{3}-\d{3}[\s-]\d{2})(?!\d)"), _passes_snils),
    _Rule("PASSPORT", re.compile(_announced("паспорт|загран", _digits("8,9")), re.IGNORECASE), _always),
)
