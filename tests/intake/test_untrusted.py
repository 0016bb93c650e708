import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.intake.untrusted import (
    clean_text,
    decode_json,
    find_object,
    identifier_at,
    integer_at,
    moment_at,
    object_at,
    text_at,
    value_at,
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"NaN",
        b"[Infinity]",
        b"[" * 100_000,
        b"9" * 5000,
        b"[1e400]",
        b"-1" + b"0" * 600 + b"e" + b"0" * 50,
        b"\xef\xbb\xbf{}",
        '{"a"'.encode("utf-16"),
    ],
)
def test_what_is_not_json_in_utf8_is_one_error(body: bytes) -> None:
    """Callers need to know one exception, also for endless numbers and endless nesting."""
    with pytest.raises(ValueError):  # noqa: PT011 - the one kind of error is the promise
        decode_json(body)
    assert find_object(body) is None


def test_only_an_object_is_an_object() -> None:
    """A list or a number has no fields."""
    assert find_object(b'{"a": 1}') == {"a": 1}
    for body in (b"[]", b"1", b"null", b'"x"'):
        assert find_object(body) is None


@given(st.text(st.characters(), max_size=50))
def test_storable_text_is_kept_exactly(text: str) -> None:
    """The client's own words, spaces and all."""
    if "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text):
        assert clean_text(text, limit=50) == text


@given(st.text(st.characters(codec=None), max_size=50))
def test_cleaned_text_is_storable_and_as_long(text: str) -> None:
    """One character for one, so that offsets stay; cleaning twice changes nothing."""
    cleaned = clean_text(text, limit=50)
    cleaned.encode()
    assert "\x00" not in cleaned
    assert len(cleaned) == len(text)
    assert clean_text(cleaned, limit=50) == cleaned


def test_text_is_cut_to_its_limit() -> None:
    """A name of a megabyte is nobody's name."""
    assert text_at({"name": "x" * 1000}, "name", limit=10) == "x" * 10


@pytest.mark.parametrize("value", [None, 5, True, [], {}, ""])
def test_a_value_of_another_type_is_absent_as_text(value: object) -> None:
    """Nothing is turned into text that was none."""
    assert text_at({"a": value}, "a") is None


@pytest.mark.parametrize("value", [None, "5", True, 1.0, [], {}, 2**63, -(2**63) - 1, 10**400])
def test_a_value_of_another_type_is_absent_as_integer(value: object) -> None:
    """Ids are 64-bit integers; a float has lost digits already, and true is not 1."""
    assert integer_at({"a": value}, "a") is None
    assert identifier_at({"a": value}, "a") is None
    assert moment_at({"a": value}, "a") is None


def test_values_are_found_by_their_path() -> None:
    """A path that leads through something else leads nowhere."""
    body = json.loads('{"a": {"b": {"c": 5}}, "n": 1, "t": 1782900000}')
    assert value_at(body, "a", "b", "c") == 5
    assert identifier_at(body, "a", "b", "c") == "5"
    assert value_at(body, "n", "b") is None
    assert object_at(body, "a", "b") == {"c": 5}
    assert object_at(body, "n") is None
    assert moment_at(body, "t") == datetime(2026, 7, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [0, -1, 978_307_199, 4_102_444_800, 2**62])
def test_a_time_of_another_century_is_none(seconds: int) -> None:
    """Zero means "no time" at some vendors, and the calendar has an end."""
    assert moment_at({"t": seconds}, "t") is None
