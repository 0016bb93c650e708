from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.sandbox.bitrix24.php_query import MalformedQueryError, as_php_array, parse_php_query


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[]=x&a[]=y", {"a": ["x", "y"]}),
        ("a[0][b]=x&a[1][b]=y", {"a": [{"b": "x"}, {"b": "y"}]}),
        ("a[5]=x&a[]=y", {"a": {"5": "x", "6": "y"}}),
        ("a[k][]=x", {"a": {"k": ["x"]}}),
        ("a[%3E%3Did]=5", {"a": {">=id": "5"}}),
        ("a=1&a[b]=2", {"a": {"b": "2"}}),
        ("a[b=1", {"a[b": "1"}),
        ("a=x+y%2B", {"a": "x y+"}),
        ("a=1&a=2", {"a": "2"}),
    ],
)
def test_brackets_become_arrays(query: str, expected: object) -> None:
    """The rules of PHP's `parse_str`, which clients of the portal rely on."""
    assert parse_php_query(query) == expected


@pytest.mark.parametrize("query", ["&".join("a=1" for _ in range(10_001)), "a" + "[b]" * 40 + "=1"])
def test_a_monstrous_query_is_refused(query: str) -> None:
    """Nesting and number are bounded before anything is built."""
    with pytest.raises(MalformedQueryError):
        parse_php_query(query)


def test_arrays_go_out_as_php_writes_them() -> None:
    """A list only when the keys are 0, 1, 2 in this order; an empty array is a list."""
    assert as_php_array({}) == []
    assert as_php_array({"0": "a", "1": "b"}) == ["a", "b"]
    assert as_php_array({"1": "b"}) == {"1": "b"}


_words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(
    st.dictionaries(
        _words.filter(lambda key: "[" not in key and "]" not in key and not key.isdecimal()),
        _words,
        min_size=1,
        max_size=5,
    )
)
def test_what_was_encoded_comes_back(pairs: dict[str, str]) -> None:
    """Nothing of a value or a key gets lost on the way, whatever characters it has."""
    query = "&".join(f"fields[{quote(key, safe='')}]={quote(value, safe='')}" for key, value in pairs.items())
    parsed = parse_php_query(query)["fields"]
    assert isinstance(parsed, dict)
    assert {key: parsed[key] for key in pairs} == pairs
