"""`leadgate pii`: JSON lines in, JSON lines out, as scripts use it."""

from __future__ import annotations

import json
import subprocess

from leadgate.testing.gateway import COMMAND

PEOPLE: tuple[dict[str, object], ...] = (
    {"id": "m1", "text": "Запишите Алсу на завтра, 8 900 000-03-02"},
    {"id": 7, "text": "Сколько стоит стрижка?"},
    {"id": None, "text": "тел. 8 900 000 03 02, ещё раз: 8(900)000-03-02"},
)


def run(name: str, *options: str, lines: list[object]) -> subprocess.CompletedProcess[bytes]:
    """The command with these lines, a text as it is and all else as JSON."""
    given = "".join([(line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines])
    return subprocess.run([*COMMAND, "pii", name, *options], input=given.encode(), capture_output=True, check=False)


def documents(finished: subprocess.CompletedProcess[bytes]) -> list[dict[str, object]]:
    """What it printed."""
    assert finished.returncode == 0, finished.stderr.decode()
    return [json.loads(line) for line in finished.stdout.splitlines()]


def test_spans_come_in_the_order_of_the_lines() -> None:
    """Places are characters of the text as it was given."""
    found = documents(run("spans", lines=[*PEOPLE]))
    assert [line["id"] for line in found] == ["m1", 7, None]
    assert found[0]["spans"] == [
        {"start": 9, "end": 13, "label": "PERSON"},
        {"start": 25, "end": 40, "label": "PHONE"},
    ]
    assert found[1]["spans"] == []


def test_a_span_is_explained_when_asked() -> None:
    """Which rule, by which word: a filter that cannot say why is not believed."""
    (line,) = documents(run("spans", "--explain", lines=[PEOPLE[0]]))
    spans = line["spans"]
    assert isinstance(spans, list)
    assert all(span.keys() == {"start", "end", "label", "rule", "cue", "check"} and span["rule"] for span in spans)


def test_the_same_value_gets_the_same_placeholder() -> None:
    """However it is written."""
    masked = documents(run("mask", lines=[*PEOPLE]))
    assert [line["text"] for line in masked] == [
        "Запишите [PERSON_1] на завтра, [PHONE_1]",
        "Сколько стоит стрижка?",
        "тел. [PHONE_1], ещё раз: [PHONE_1]",
    ]


def test_half_a_surrogate_pair_comes_back_as_it_came() -> None:
    """Some programs cut an emoji in two; their text is still text."""
    (line,) = documents(run("mask", lines=['{"id": 1, "text": "смайлик \\ud83d и всё"}']))
    assert line["text"] == "смайлик \ud83d и всё"


def test_a_line_that_is_no_message_ends_it_with_its_number() -> None:
    """What was read before it is answered."""
    for wrong in ("nonsense", "[1]", '{"id": 1}', '{"id": 1, "text": 5}'):
        finished = run("spans", lines=[PEOPLE[1], wrong])
        assert finished.returncode == 2
        assert b"Line 2" in finished.stderr
        assert len(finished.stdout.splitlines()) == 1


def test_each_line_is_answered_before_the_next_one_is_read() -> None:
    """A program may talk to it line by line."""
    with subprocess.Popen([*COMMAND, "pii", "mask"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in PEOPLE:
            process.stdin.write(json.dumps(line).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == line["id"]
        process.stdin.close()
        assert process.wait(timeout=20) == 0
