"""Filters of list methods: prefixes, `logic: OR`, and how the portal compares values. Pure.

Text compares without regard to letter case, as the portal's database does; an empty value matches empty
fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from leadgate.sandbox.bitrix24.arguments import entries, find, mapping, text
from leadgate.sandbox.bitrix24.fields import INTEGER_KINDS, MOMENT_KINDS

# Longest first, so that `>=` is not read as `>`.
_PREFIXES = ("!=%", "!%=", ">=", "<=", "!@", "!%", "=%", "%=", "!=", ">", "<", "@", "%", "=", "!")

FieldReader = Callable[[str], "tuple[str, object] | None"]
"""Gives the kind and the value of a field of the row at hand, or None for an unknown field."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One key and value of a filter, taken apart."""

    operator: str
    field: str
    expected: object


def split_key(key: str) -> tuple[str, str]:
    """The operator (`=` when none is written) and the field of a filter's key."""
    prefix = next((prefix for prefix in _PREFIXES if key.startswith(prefix)), "")
    return prefix or "=", key.removeprefix(prefix)


def conditions(tree: object) -> list[Condition]:
    """Every condition of a filter at any depth, to check the fields before any row is looked at."""
    found: list[Condition] = []
    for key, value in entries(tree):
        if _is_group(key, value):
            found += conditions(value)
        elif key.lower() != "logic":
            found.append(Condition(*split_key(key), value))
    return found


def matches(tree: object, read: FieldReader, *, zone: tzinfo) -> bool:
    """Whether a row passes the filter. Unknown fields count as passing: refuse them before if they must fail.

    Raises:
        ValueError: a value cannot be compared with its field; the text is the field's name.
    """
    verdicts = [
        matches(value, read, zone=zone) if _is_group(key, value) else _holds(key, value, read=read, zone=zone)
        for key, value in entries(tree)
        if key.lower() != "logic"
    ]
    if text(find(mapping(tree), "logic")).upper() == "OR":
        return any(verdicts) or not verdicts
    return all(verdicts)


def _is_group(key: str, value: object) -> bool:
    return key.isdecimal() and isinstance(value, (dict, list))


def _holds(key: str, expected: object, *, read: FieldReader, zone: tzinfo) -> bool:
    operator, name = split_key(key)
    known = read(name)
    if known is None:
        return True
    kind, actual = known
    actuals = actual if isinstance(actual, list) else [actual]
    negated = operator.startswith("!")
    plain = operator.removeprefix("!") or "="
    wanted = [item for _, item in entries(expected)] if isinstance(expected, (list, dict)) else [expected]
    try:
        held = any(_compare(plain, one, other, kind=kind, zone=zone) for one in actuals or [None] for other in wanted)
    except ValueError as error:
        raise ValueError(name) from error
    return held != negated


def _compare(operator: str, actual: object, expected: object, *, kind: str, zone: tzinfo) -> bool:
    if "%" in operator:
        return _is_like(operator, text(actual), text(expected))
    if text(expected) == "":
        return operator in {"=", "@"} and actual in {None, "", 0}
    if actual is None:
        return False
    left, right = _comparable(kind, actual, zone), _comparable(kind, expected, zone)
    if operator in {"=", "@"}:
        return left == right
    if operator.startswith(">"):
        return _is_before(right, left) or (operator == ">=" and left == right)
    return _is_before(left, right) or (operator == "<=" and left == right)


def _is_like(operator: str, actual: str, expected: str) -> bool:
    if operator == "%":
        return expected.casefold() in actual.casefold()
    pattern = "".join(".*" if part == "%" else re.escape(part) for part in re.split("(%)", expected.casefold()))
    return re.fullmatch(pattern, actual.casefold(), re.DOTALL) is not None


def _is_before(left: datetime | float | str, right: datetime | float | str) -> bool:
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left < right
    if isinstance(left, float) and isinstance(right, float):
        return left < right
    return str(left) < str(right)


def _comparable(kind: str, value: object, zone: tzinfo) -> datetime | float | str:
    if kind in MOMENT_KINDS:
        return _moment(value, zone)
    if kind in INTEGER_KINDS or kind == "double":
        return float(text(value))
    return text(value).casefold()


def _moment(value: object, zone: tzinfo) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(text(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
