"""Reading a call's parameters, which come as JSON values or, from a form, as strings and PHP arrays. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from leadgate.sandbox.bitrix24.envelope import bad_argument

Params = Mapping[str, object]


def find(params: Params, name: str) -> object:
    """The parameter under `name` in any letter case, or None."""
    if name in params:
        return params[name]
    wanted = name.lower()
    return next((value for key, value in params.items() if key.lower() == wanted), None)


def entries(value: object) -> list[tuple[str, object]]:
    """Keys and values of a PHP array in either writing; nothing for anything else."""
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    if isinstance(value, list):
        return [(str(index), item) for index, item in enumerate(value)]
    return []


def mapping(value: object) -> dict[str, object]:
    """A PHP array as a dict with string keys; empty for anything else."""
    return dict(entries(value))


def texts(value: object) -> list[str]:
    """A list of texts; a single text counts as a list of one."""
    if isinstance(value, str):
        return [value] if value else []
    return [str(item) for _, item in entries(value) if isinstance(item, (str, int, float))]


def text(value: object) -> str:
    """The value as text; empty for None, arrays and objects."""
    if isinstance(value, bool):
        return "Y" if value else "N"
    return str(value) if isinstance(value, (str, int, float)) else ""


def find_integer(value: object) -> int | None:
    """The whole number written in `value`, or None."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    stripped = value.strip() if isinstance(value, str) else ""
    digits = stripped.removeprefix("-")
    return int(stripped) if digits.isascii() and digits.isdecimal() and len(digits) <= 18 else None  # noqa: PLR2004 - what a 64-bit id can hold


def required_integer(params: Params, name: str) -> int:
    """The whole number under `name`.

    Raises:
        RestError: `100` as the controllers give it, when it is missing or not a number.
    """
    number = find_integer(find(params, name))
    if number is None:
        raise missing(name)
    return number


def required_array(params: Params, name: str) -> dict[str, object]:
    """The array under `name`; may be empty, must be there.

    Raises:
        RestError: `100`, when it is missing or not an array.
    """
    value = find(params, name)
    if not isinstance(value, (Mapping, list)):
        raise missing(name)
    return mapping(value)


def missing(name: str) -> Exception:
    """The controllers' refusal for a parameter that is not there."""
    return bad_argument("100", f"Could not find value for parameter {{{name}}}")


def is_yes(value: object) -> bool:
    """Whether a flag is set, in any of the writings that the portal takes for yes."""
    return value is True or text(value).lower() in {"1", "y", "true"}
