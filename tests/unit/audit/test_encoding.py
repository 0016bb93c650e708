"""An entry has one and only one writing, and a row that somebody else wrote has none."""

from __future__ import annotations

import json
from dataclasses import astuple, fields, replace

import pytest

from leadgate.audit.encoding import Line, canonical, leaf_of, read_line

LINE = Line(
    3, 1_790_000_000_000_001, "subject.erased", "command", "subj_1", "done", '{"a":1,"ё":"\\n"}', b"h" * 32, b"s" * 64
)


def test_a_leaf_is_canonical_json_with_the_signature_before() -> None:
    """Anybody can write it again from an export."""
    leaf = json.loads(leaf_of(LINE, b"before"))
    assert leaf == {
        "at": "2026-09-21T14:13:20.000001Z",
        "by": "command",
        "details": {"a": 1, "ё": "\n"},
        "number": 3,
        "on": "subj_1",
        "previous": "YmVmb3Jl",
        "result": "done",
        "tag": "subject.erased",
    }
    assert canonical(leaf) == leaf_of(LINE, b"before")


@pytest.mark.parametrize("name", [field.name for field in fields(Line) if field.name not in {"hashes", "signature"}])
def test_every_column_is_in_the_leaf(name: str) -> None:
    """A column that is not hashed could be changed unseen."""
    value = getattr(LINE, name)
    others = {"details": '{"a":2,"ё":"\\n"}', "on": None}
    other = others.get(name, value + 1 if isinstance(value, int) else f"{value}x")
    changed = replace(LINE, **{name: other})  # type: ignore[arg-type]  # the value is of the type of its column
    assert leaf_of(changed, b"") != leaf_of(LINE, b"")
    assert leaf_of(LINE, b"1") != leaf_of(LINE, b"")


@pytest.mark.parametrize(
    "details",
    ['{"a": 1}', '{"b":1,"a":1}', '{"a":1,"a":1}', "[]", "1", "", "{", '{"a":NaN}', '{"a":1.50}', '{"a":"\\u0041"}'],
)
def test_details_in_another_writing_are_none(details: str) -> None:
    """The same meaning in other bytes is a change too."""
    with pytest.raises(ValueError, match=r".*"):
        leaf_of(replace(LINE, details=details), b"")


@pytest.mark.parametrize(
    ("place", "value"), [(0, "1"), (0, True), (1, 1.5), (2, None), (3, b"x"), (4, 1), (7, "h"), (8, None)]
)
def test_a_column_of_another_type_is_none(place: int, value: object) -> None:
    """SQLite keeps whatever it is given."""
    columns = list(astuple(LINE))
    assert read_line(tuple(columns)) == LINE
    columns[place] = value
    with pytest.raises(ValueError, match="type"):
        read_line(tuple(columns))


def test_a_time_that_is_none_is_refused() -> None:
    """Every number fits the column."""
    with pytest.raises(ValueError, match="time"):
        leaf_of(replace(LINE, at=2**62), b"")


def test_a_text_that_is_no_unicode_is_refused() -> None:
    """As read from a file into which somebody wrote bytes."""
    with pytest.raises(ValueError, match="surrogates"):
        leaf_of(replace(LINE, by="\udc80"), b"")
