"""Check digits of numbers that people have: whether a row of digits can be such a number at all."""

from __future__ import annotations

from collections.abc import Sequence

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_INN_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_11 = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_12 = (3, *_INN_11)
_INN_FIRM_LENGTH = 10
_INN_PERSON_LENGTH = 12
_SNILS_LENGTH = 11
_SNILS_WITHOUT_CHECK = 1_001_998
"""Numbers up to 001-001-998 were given out before the check digit was."""


def passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B; the digit of a policy number (ЕНП) comes out the same."""
    values = [int(digit) for digit in reversed(digits)]
    return (sum(values[::2]) + sum(map(_DOUBLED.__getitem__, values[1::2]))) % 10 == 0


def passes_snils(digits: str) -> bool:
    """Sum of digit times weight 9..1, modulo 101; 100 counts as 00. False for another length than 11."""
    if len(digits) != _SNILS_LENGTH:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(9, 0, -1), strict=False))
    return total % 101 % 100 == int(digits[9:]) and int(digits[:9]) > _SNILS_WITHOUT_CHECK


def passes_inn(digits: str) -> bool:
    """Ten digits of a firm or twelve of a person; False for another length. One random row of ten in ten passes."""
    if len(digits) == _INN_FIRM_LENGTH:
        return _inn_digit(digits, _INN_10) == digits[9]
    if len(digits) == _INN_PERSON_LENGTH:
        return _inn_digit(digits, _INN_11) == digits[10] and _inn_digit(digits, _INN_12) == digits[11]
    return False


def _inn_digit(digits: str, weights: Sequence[int]) -> str:
    return str(sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % 11 % 10)
