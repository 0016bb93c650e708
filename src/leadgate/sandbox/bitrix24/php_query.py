"""Query strings and forms read as PHP reads them: `fields[PHONE][0][VALUE]=…` becomes nested arrays.

Pure. `as_php_array` is the way back: what `json_encode` of PHP would make of an array.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import parse_qsl

PhpValue: TypeAlias = "str | list[PhpValue] | dict[str, PhpValue]"
_Node: TypeAlias = "dict[str, str | _Node]"

MAX_VARIABLES = 10_000
MAX_DEPTH = 32


class MalformedQueryError(ValueError):
    """The query has more variables or deeper brackets than a PHP server takes."""


def parse_php_query(query: str) -> dict[str, PhpValue]:
    """Nested arrays from `query` (an URL's query or a form's body, still encoded).

    Arrays whose keys are 0, 1, 2 … come back as lists, all other ones as dicts; values are always strings.

    Raises:
        MalformedQueryError: more than 10,000 variables or 32 levels.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=MAX_VARIABLES)
    except ValueError as error:
        raise MalformedQueryError("too many variables") from error
    root: _Node = {}
    for key, value in pairs:
        _plant(root, _path_of(key), value)
    return {key: _harvest(node) for key, node in root.items()}


def as_php_array(items: Mapping[str, object]) -> list[object] | dict[str, object]:
    """What PHP's `json_encode` makes of this array: a list when the keys are 0, 1, 2 …, `[]` when empty."""
    if all(key == str(index) for index, key in enumerate(items)):
        return list(items.values())
    return dict(items)


def _path_of(key: str) -> list[str]:
    name, bracket, rest = key.partition("[")
    if not bracket or "]" not in rest:
        return [key]
    path = [name]
    while bracket:
        part, closing, rest = rest.partition("]")
        if not closing:
            break
        path.append(part)
        _, bracket, rest = rest.partition("[")
    if len(path) > MAX_DEPTH:
        raise MalformedQueryError("brackets are nested too deep")
    return path


def _plant(root: _Node, path: list[str], value: str) -> None:
    node = root
    for part in path[:-1]:
        child = node.setdefault(part or _next_index(node), {})
        if isinstance(child, str):  # PHP: the later, nested writing wins over an earlier plain one
            child = node[part] = {}
        node = child
    last = path[-1] if path[-1] or len(path) == 1 else _next_index(node)
    node[last] = value


def _next_index(node: _Node) -> str:
    return str(max((int(key) for key in node if key.isdecimal()), default=-1) + 1)


def _harvest(node: str | _Node) -> PhpValue:
    if isinstance(node, str):
        return node
    grown = {key: _harvest(child) for key, child in node.items()}
    if all(key == str(index) for index, key in enumerate(grown)):
        return list(grown.values())
    return grown
