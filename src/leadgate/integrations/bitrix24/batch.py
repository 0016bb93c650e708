"""The `batch` method: writing commands and reading their answers. Pure.

Facts (`batch.md`): at most 50 commands, run in order; `$result[key][field]` puts an earlier answer into a
later command; with `halt` the chain ends at the first error, what ran before it stays. HTTP 200 even when
every command failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from leadgate.integrations.bitrix24.errors import Failure, classify
from leadgate.integrations.bitrix24.shapes import as_list, as_mapping

MAX_COMMANDS: Final = 50
_APART = "\u200c"  # zero width non-joiner: invisible, but the marker no longer reads as one


@dataclass(frozen=True, slots=True)
class Ref:
    """A value of an earlier command's answer: `Ref("c0")` is written `$result[c0][item][id]`."""

    key: str
    path: tuple[str, ...] = ("item", "id")

    def __str__(self) -> str:
        return f"$result[{self.key}]" + "".join(f"[{part}]" for part in self.path)


@dataclass(frozen=True, slots=True)
class Command:
    """One call inside a batch. Keys start with a letter, or PHP would answer a list instead of an object."""

    key: str
    method: str
    params: Mapping[str, object]


class NotRun:
    """Marker: the batch ended before this command, or its answer is missing."""


NOT_RUN: Final = NotRun()


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """Answers of the commands by key, in the order of the commands: a value, a Failure or NOT_RUN.

    Attributes:
        times: the `time` part by key.
        nexts: the start of the next page by key, where there is one.
    """

    values: Mapping[str, object]
    times: Mapping[str, Mapping[str, object]]
    nexts: Mapping[str, int]

    @property
    def first_failure(self) -> Failure | None:
        """The first failure in the order of the commands."""
        return next((value for value in self.values.values() if isinstance(value, Failure)), None)


def write_batch(commands: Sequence[Command], *, halt: bool) -> dict[str, object]:
    """Parameters of `batch`.

    Raises:
        ValueError: more than 50 commands, or a key twice.
    """
    lines = {command.key: f"{command.method}?{encode(command.params)}" for command in commands}
    if len(commands) > MAX_COMMANDS or len(lines) != len(commands):
        raise ValueError("A batch takes at most 50 commands with different keys.")
    return {"halt": int(halt), "cmd": lines}


def read_batch(commands: Sequence[Command], result: object) -> BatchAnswer | None:
    """Answers by key, or None when this is no answer of `batch` at all."""
    if not isinstance(result, dict) or not isinstance(result.get("result"), dict | list):
        return None
    values, errors = as_mapping(result["result"]), as_mapping(result.get("result_error"))
    times, nexts = as_mapping(result.get("result_time")), as_mapping(result.get("result_next"))
    return BatchAnswer(
        values={command.key: _value(command.key, values, errors) for command in commands},
        times={key: as_mapping(time) for key, time in times.items()},
        nexts={key: start for key, start in nexts.items() if isinstance(start, int)},
    )


def _value(key: str, values: Mapping[str, object], errors: Mapping[str, object]) -> object:
    if key in errors:
        error = errors[key]
        told = as_mapping(error)
        code = told.get("error") if told else error
        return classify(error=code, description=told.get("error_description"), status=None)
    return values.get(key, NOT_RUN)


def encode(params: Mapping[str, object]) -> str:
    """PHP's query string of nested parameters; None is left out, lists are numbered."""
    return "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in _pairs("", params))


def _pairs(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _pairs(f"{prefix}[{key}]" if prefix else str(key), inner)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(as_list(list(value))):
            yield from _pairs(f"{prefix}[{number}]", inner)
    elif value is not None:
        yield prefix, _text(value)


_MARKER = re.compile(r"\$(?=\w+\s*\[)")


def _text(value: object) -> str:
    """A scalar as text. A client who types `$result[…]` must not read another client's answer."""
    if isinstance(value, Ref):
        return str(value)
    if isinstance(value, bool):
        return "Y" if value else "N"
    return _MARKER.sub("$" + _APART, str(value))
