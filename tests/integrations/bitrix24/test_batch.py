from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.integrations.bitrix24.batch import (
    NOT_RUN,
    Command,
    NotRun,
    Ref,
    encode,
    read_batch,
    write_batch,
)
from leadgate.integrations.bitrix24.errors import Failure
from leadgate.sandbox.bitrix24.php_query import parse_php_query


def test_nested_parameters_are_written_as_php_reads_them() -> None:
    """Brackets name the way, lists are numbered, None is left out."""
    params = {
        "filter": {"@originId": ["a b", "c&d"]},
        "fields": {"fm": [{"typeId": "PHONE", "value": "+7"}], "x": None},
    }
    assert parse_php_query(encode(params)) == {
        "filter": {"@originId": ["a b", "c&d"]},
        "fields": {"fm": [{"typeId": "PHONE", "value": "+7"}]},
    }


@given(st.dictionaries(st.text(st.characters(categories=["Ll"]), min_size=1), st.text(), min_size=1))
def test_any_text_arrives_as_it_was(fields: dict[str, str]) -> None:
    """Signs that mean something in a query mean nothing in a value."""
    sent = {name: value for name, value in fields.items() if "$" not in value and "\ud800" not in value}
    if sent:
        assert parse_php_query(encode({"fields": sent})) == {"fields": sent}


def test_a_reference_is_written_in_the_portals_words() -> None:
    """`$result[key][item][id]` of an earlier command."""
    assert parse_php_query(encode({"id": Ref("c0")})) == {"id": "$result[c0][item][id]"}


@pytest.mark.parametrize("text", ["$result[c0][item][id]", "цена $result[x] тут", "$result [c0]"])
def test_a_typed_reference_is_broken(text: str) -> None:
    """Else the portal would put another client's data in its place."""
    [value] = parse_php_query(encode({"x": text})).values()
    assert value != text
    assert str(value).replace("\u200c", "") == text


def test_a_batch_takes_fifty_commands() -> None:
    """The surplus ones would fail one by one."""
    commands = [Command(f"a{number}", "profile", {}) for number in range(51)]
    assert len(write_batch(commands[:50], halt=False)["cmd"]) == 50  # type: ignore[arg-type]  # a mapping of lines
    with pytest.raises(ValueError, match="50"):
        write_batch(commands, halt=False)


def test_answers_are_read_by_key() -> None:
    """A value, a failure, or nothing; PHP writes an empty object as a list."""
    commands = [Command(key, "crm.item.add", {}) for key in ("a", "b", "c")]
    answer = read_batch(
        commands,
        {
            "result": {"a": {"item": {"id": 1}}},
            "result_error": {"b": {"error": "NOT_FOUND", "error_description": "Not found"}},
            "result_time": {"a": {"operating": 1.5}},
            "result_next": {"a": 50},
        },
    )
    assert answer is not None
    assert answer.values["a"] == {"item": {"id": 1}}
    assert isinstance(answer.values["b"], Failure)
    assert isinstance(answer.values["c"], NotRun)
    assert answer.first_failure is answer.values["b"]
    assert (answer.times, answer.nexts) == ({"a": {"operating": 1.5}}, {"a": 50})


def test_an_empty_answer_means_that_nothing_ran() -> None:
    """`[]` instead of `{}` is not an error."""
    answer = read_batch([Command("a", "profile", {})], {"result": [], "result_error": [], "result_time": []})
    assert answer is not None
    assert answer.values == {"a": NOT_RUN}


@pytest.mark.parametrize("result", [None, [], "text", {"result": "x"}, {"result_error": {}}])
def test_what_is_no_answer_of_batch_is_not_read_as_one(result: object) -> None:
    """A wrong shape must become "unknown", never "nothing was executed"."""
    assert read_batch([Command("a", "profile", {})], result) is None
