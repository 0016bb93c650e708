"""`batch`: up to fifty commands in one request, later ones may use the results of earlier ones.

References (`$result[key][field]…`) are put into the values after the query has been taken apart, so an answer
that contains `&` or `[` cannot change the command. A reference to nothing, for example to a failed command,
is empty text. Source: the page `how-to-call-rest-api/batch`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from leadgate.sandbox.bitrix24.arguments import Params, entries, find, is_yes, mapping, text
from leadgate.sandbox.bitrix24.envelope import Reply, RestError, bad_argument
from leadgate.sandbox.bitrix24.php_query import MalformedQueryError, as_php_array, parse_php_query

MAX_COMMANDS = 50

RunCommand = Callable[[str, Params], "tuple[Reply, dict[str, object]]"]
"""Runs one method and gives its reply with its `time`; refusals are raised."""

_REFERENCE = re.compile(r"\$result((?:\[[^\[\]]*\])+)")
_KEY = re.compile(r"\[([^\[\]]*)\]")


@dataclass(slots=True)
class _Outcome:
    result: dict[str, object] = field(default_factory=dict)
    result_error: dict[str, object] = field(default_factory=dict)
    result_total: dict[str, object] = field(default_factory=dict)
    result_next: dict[str, object] = field(default_factory=dict)
    result_time: dict[str, object] = field(default_factory=dict)

    def shape(self) -> dict[str, object]:
        return {
            "result": as_php_array(self.result),
            "result_error": as_php_array(self.result_error),
            "result_total": as_php_array(self.result_total),
            "result_next": as_php_array(self.result_next),
            "result_time": as_php_array(self.result_time),
        }


def commands(params: Params) -> list[tuple[str, str]]:
    """Keys and command texts of a batch, in order; values that are no text are empty commands."""
    return [(key, text(value)) for key, value in entries(find(params, "cmd"))]


def method_of(command: str) -> str:
    """The method that a command calls, in lower case and without a format suffix."""
    return command.partition("?")[0].strip().lower().removesuffix(".json")


def run_batch(params: Params, run: RunCommand) -> Reply:
    """Runs the commands in order. No transaction: what ran before an error stays."""
    halts = is_yes(find(params, "halt"))
    outcome = _Outcome()
    for number, (key, command) in enumerate(commands(params)):
        try:
            if number >= MAX_COMMANDS:
                raise bad_argument("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
            _run_command(key, command, run=run, outcome=outcome)
        except RestError as refusal:
            outcome.result_error[key] = refusal.body()
            if halts:
                break
    return Reply(outcome.shape())


def _run_command(key: str, command: str, *, run: RunCommand, outcome: _Outcome) -> None:
    method = method_of(command)
    if method == "batch":
        words = "Method is not allowed for batch usage"
        raise RestError(HTTPStatus.METHOD_NOT_ALLOWED, "ERROR_BATCH_METHOD_NOT_ALLOWED", words)
    try:
        params = parse_php_query(command.partition("?")[2])
    except MalformedQueryError as error:
        raise bad_argument("INVALID_REQUEST", str(error)) from error
    reply, time = run(method, mapping(_resolve(params, outcome.result)))
    outcome.result[key] = reply.result
    outcome.result_time[key] = time
    if reply.total is not None:
        outcome.result_total[key] = reply.total
    if reply.next is not None:
        outcome.result_next[key] = reply.next


def _resolve(value: object, results: Mapping[str, object]) -> object:
    if isinstance(value, dict):
        return {key: _resolve(item, results) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, results) for item in value]
    words = text(value)
    whole = _REFERENCE.fullmatch(words)
    if whole:
        return _look_up(whole, results)
    return _REFERENCE.sub(lambda found: text(_look_up(found, results)), words)


def _look_up(found: re.Match[str], results: Mapping[str, object]) -> object:
    value: object = results
    for key in _KEY.findall(found[1]):
        value = mapping(value).get(key)
    return "" if value is None else value
