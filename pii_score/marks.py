"""Reads messages with marks, `запишите [PERSON|Алсу]`, as their authors wrote them: `messages/README.md` has the rules.

Authors invent digits freely; the last ones of numbers with a check digit are corrected here, but for those marked with `!`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MESSAGES = Path(__file__).parent / "messages"
AUTHORS = tuple("abcdefghijklmnop")
KEPT_BACK = ("f", "p")
"""Read by nobody who works on the detector. Trainings were chosen by the figures of f; p came later and judges those choices."""

_MARK = re.compile(r"\[(?P<label>[A-Z]+)(?P<as_is>!?)\|(?P<text>[^\]|]*)\]")
_ESCAPE = re.compile(r"\\(?:n|r|t|u[0-9a-fA-F]{4})")
_ESCAPES = {"\\n": "\n", "\\r": "\r", "\\t": "\t"}
_SNILS_WEIGHTS = range(9, 0, -1)
_INN_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_11 = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_12 = (3, *_INN_11)


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `spans` are (start, end, label) in characters of `text`."""

    message_id: str
    text: str
    spans: tuple[tuple[int, int, str], ...]


def read_author(author: str) -> list[Message]:
    """The messages of one author."""
    lines = (MESSAGES / f"{author}.txt").read_text(encoding="utf-8").splitlines()
    return [read_line(f"{author}{number}", line) for number, line in enumerate(lines) if line.strip()]


def read_development() -> list[Message]:
    """The development set, which the rules may be tuned on."""
    lines = (MESSAGES / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    return [_from_json(json.loads(line)) for line in lines]


def read_line(message_id: str, line: str) -> Message:
    """One line with marks."""
    text, spans = "", []
    for is_mark, label, piece in _pieces(line):
        if is_mark:
            spans.append((len(text), len(text) + len(piece), label))
        text += piece
    return Message(message_id, text, tuple(spans))


def _pieces(line: str) -> Iterator[tuple[bool, str, str]]:
    done = 0
    for mark in _MARK.finditer(line):
        yield False, "", _plain(line[done : mark.start()])
        correct = _CORRECTIONS.get(mark["label"])
        text = _plain(mark["text"])
        yield True, mark["label"], text if correct is None or mark["as_is"] else _with_digits(text, correct)
        done = mark.end()
    yield False, "", _plain(line[done:])


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[0]) or chr(int("0x" + found[0].removeprefix("\\u"), 0)), text)


def _with_digits(text: str, correct: Callable[[list[int]], list[int]]) -> str:
    """The text with its digits corrected; separators stay. Left as it is where letters or words stand for digits."""
    digits = iter(correct([int(letter) for letter in text if letter.isdecimal()]))
    return "".join([str(next(digits)) if letter.isdecimal() else letter for letter in text])


def _correct_snils(digits: list[int]) -> list[int]:
    if len(digits) != 11:  # noqa: PLR2004 - the length of the number
        return digits
    total = sum(digit * weight for digit, weight in zip(digits, _SNILS_WEIGHTS, strict=False)) % 101 % 100
    return [*digits[:9], total // 10, total % 10]


def _correct_inn(digits: list[int]) -> list[int]:
    if len(digits) == 10:  # noqa: PLR2004 - a firm's
        return [*digits[:9], _inn_digit(digits, _INN_10)]
    if len(digits) == 12:  # noqa: PLR2004 - a person's
        first = [*digits[:10], _inn_digit(digits, _INN_11)]
        return [*first, _inn_digit(first, _INN_12)]
    return digits


def _inn_digit(digits: list[int], weights: tuple[int, ...]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False)) % 11 % 10


def _correct_luhn(digits: list[int]) -> list[int]:
    if not digits:
        return digits
    doubled = [digit * (1 + (place % 2 == 0)) for place, digit in enumerate(reversed(digits[:-1]))]
    return [*digits[:-1], -sum(sum(divmod(value, 10)) for value in doubled) % 10]


_CORRECTIONS = {"SNILS": _correct_snils, "INN": _correct_inn, "OMS": _correct_luhn, "CARD": _correct_luhn}


def _from_json(document: dict[str, object]) -> Message:
    spans = document["spans"]
    assert isinstance(spans, list)
    return Message(
        str(document["id"]),
        str(document["text"]),
        tuple((span["start"], span["end"], span["label"]) for span in spans),
    )
