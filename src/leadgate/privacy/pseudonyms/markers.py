"""The shape of a placeholder: how it is written, how it is found, what damage is accepted. Who stands behind one is not known here.

`⟦PERSON-1-dfgjlnqrsvwz⟧`: brackets that people do not type and Markdown leaves alone, the label, a number from 1, the tag of the
conversation. The tag has consonants only that no Cyrillic letter looks like, so nothing in it has to be guessed.

Damage is undone by exact rules: upper and lower case, up to two spaces between the parts, a hyphen that became a dash, an
underscore, a space or nothing, brackets that are missing or became `[ ]`, `{ }` or `< >`, also doubled, and Cyrillic look-alikes
in the label.
Digits and tag must be right to the last character: 1 and 11 are two people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from leadgate.privacy.detect.spans import Label

TEXT = "TEXT"
"""Label of what a client typed that looks like a placeholder."""

LABELS = (*(label.value for label in Label), TEXT)
OPEN, CLOSE = "⟦", "⟧"
TAG_LETTERS = "dfgjlnqrsvwz"
TAG_LENGTH = 12

_LOOKALIKES = {"A": "Аа", "B": "Вв", "C": "Сс", "E": "Ее", "H": "Нн", "I": "Іі", "K": "Кк", "M": "Мм"}
_LOOKALIKES |= {"O": "Оо", "P": "Рр", "S": "Ѕѕ", "T": "Тт", "X": "Хх"}
_TO_LATIN = {ord(letter): latin for latin, letters in _LOOKALIKES.items() for letter in letters}


@dataclass(frozen=True, slots=True)
class Marker:
    """A placeholder that was read: label, number and tag, undamaged. Whether it was ever given out is another question."""

    label: str
    number: int
    tag: str


@dataclass(frozen=True, slots=True)
class Found:
    """A place that has the look of a placeholder.

    Attributes:
        start, end: half-open, in characters of the text searched.
        marker: what it says; None when it cannot be read.
        label: the label that it shows; None when it shows none.
        is_half: the text ended within it.
    """

    start: int
    end: int
    marker: Marker | None
    label: str | None
    is_half: bool


def write_marker(label: str, number: int, tag: str) -> str:
    """The undamaged form."""
    return f"{OPEN}{label}-{number}-{tag}{CLOSE}"


def find_markers(text: str, start: int = 0, *, is_end: bool) -> Iterator[Found]:
    """Everything from `start` on that has the look of a placeholder, in order, without overlaps.

    Args:
        is_end: nothing follows the text, so what looks like the beginning of a placeholder is half of one.
    """
    pattern = _LAST if is_end else _ANY
    for found in pattern.finditer(text, start):
        yield _read(found)


def find_beginning(text: str, start: int) -> int | None:
    """Where the longest end of the text begins that more text could turn into a placeholder, or into a longer one.

    None when there is none. Looks at the last `_HELD_MAX` characters alone.
    """
    for place in range(max(start, len(text) - _HELD_MAX), len(text)):
        if _BEGINNING.match(text, place) is not None:
            return place
    return None


def is_mask(text: str) -> bool:
    """Whether it is a mask of `privacy.redact`, such as `[CARD_1]`, which stands for nothing that could be put back."""
    return _MASK.fullmatch(text) is not None


def _read(found: re.Match[str]) -> Found:
    marker = None
    shown = _LABEL.match(found[0].lstrip("⟦[{< \u00a0\u202f"))
    label = None if shown is None else _latin(shown[0])
    core = _CORE_PARTS.search(found[0]) if found.lastgroup == "core" else None
    if core is not None and core["number"][0] != "0":
        marker = Marker(_latin(core["label"]), int(core["number"]), core["tag"].lower())
    return Found(found.start(), found.end(), marker, label, is_half=found.lastgroup == "half")


def _latin(label: str) -> str:
    return label.translate(_TO_LATIN).upper()


def _letters(label: str) -> list[str]:
    return [f"[{letter}{letter.lower()}{_LOOKALIKES.get(letter, '')}]" for letter in label]


def _one_of(alternatives: Iterator[str] | tuple[str, ...]) -> str:
    return f"(?:{'|'.join(alternatives)})"


def _paired(core: str, name: str) -> str:
    """In brackets of ours that a model changed; what opened decides what closes."""
    opened = "|".join(f"(?P<{name}{place}>{re.escape(left)})" for place, (left, _) in enumerate(_PAIRS))
    closed = ""
    for place, (_, right) in reversed(list(enumerate(_PAIRS))):
        closed = f"(?({name}{place}){re.escape(right)}|{closed})"
    return f"(?:{opened}){core}{closed}"


_PAIRS = (("[[", "]]"), ("[", "]"), ("{{", "}}"), ("{", "}"), ("<<", ">>"), ("<", ">"))
_SPACE = "[ \u00a0\u202f]"
_GAP = f"{_SPACE}{{0,2}}"
_HYPHEN = r"[-\u2010-\u2015\u2212_]"
_JOINT = rf"{_GAP}(?:\\?{_HYPHEN}{_GAP})?"
_SIGNED_JOINT = rf"{_GAP}\\?{_HYPHEN}{_GAP}"
_JOINT_BEGUN = rf"{_GAP}(?:\\|\\?{_HYPHEN}{_GAP})?"
_NUMBER = "[0-9]{1,6}"
_TAG_LETTER = f"[{TAG_LETTERS}{TAG_LETTERS.upper()}]"
_TAG = f"{_TAG_LETTER}{{{TAG_LENGTH}}}[A-Za-z0-9]{{0,12}}"
"""With more letters than a tag has it is read as one placeholder, which nobody has given out."""

_ANY_LABEL = rf"(?:(?<!\w){_one_of(''.join(_letters(label)) for label in LABELS)}|{_one_of(LABELS)})"
"""Damaged at the beginning of a word alone: «о», «а», «ср» are in most Russian words. As we write them anywhere."""

_PLAIN_LABEL = _one_of(tuple(label for label in LABELS if label not in {Label.IP, TEXT}))
"""As we write them; `IP-65` on a lamp is no placeholder."""

_BEGUN_LABELS = tuple(label[:size] for label in LABELS for size in range(len(label) - 1, 0, -1))
_LABEL_BEGUN = rf"(?:(?<!\w){_one_of(''.join(_letters(label)) for label in _BEGUN_LABELS)}|{_one_of(_BEGUN_LABELS)})"
_NUMBERED = f"{_ANY_LABEL}{_JOINT}{_NUMBER}"
_CORE = f"{_NUMBERED}{_JOINT}{_TAG}"
_CLOSED = f"(?:{_GAP}{CLOSE})?"
_SOME_TAG = f"(?:{_SIGNED_JOINT}[A-Za-z0-9]{{1,24}}|{_GAP}{_TAG_LETTER}{{1,{TAG_LENGTH}}})"
_INSIDE = f"[^{OPEN}{CLOSE}\n]{{0,64}}"
_BARE = rf"(?<!\w){_PLAIN_LABEL}[-_][1-9][0-9]{{0,2}}(?:[-_][A-Za-z]{{1,24}})?(?!\w)"

_READABLE = f"(?P<core>{OPEN}{_GAP}{_CORE}{_CLOSED}|{_paired(_CORE, 'core')}|{_CORE}{_CLOSED})"
_OTHER = _one_of(
    (
        f"{OPEN}{_INSIDE}{CLOSE}",
        f"{OPEN}{_GAP}{_ANY_LABEL}(?:{_JOINT}{_NUMBER}{_SOME_TAG}?)?",
        f"[{OPEN}{CLOSE}]",
        _paired(f"{_NUMBERED}(?:{_SOME_TAG})?", "other"),
        _BARE,
    )
)
_NUMBERED_BEGUN = f"{_NUMBERED}(?:{_JOINT_BEGUN}(?:[A-Za-z0-9]{{0,24}}{_GAP}))"
_LABELLED_BEGUN = f"(?:{_LABEL_BEGUN}|{_ANY_LABEL}{_JOINT_BEGUN}|{_NUMBERED_BEGUN})"
_HALF = _one_of(
    (
        rf"{OPEN}{_GAP}{_LABELLED_BEGUN}?\Z",
        rf"[\[{{<]{{1,2}}{_NUMBERED_BEGUN}\Z",
        rf"(?<!\w){_PLAIN_LABEL}[-_][0-9]{{1,3}}(?:[-_][A-Za-z]{{0,24}})?\Z",
        rf"{_NUMBERED}{_JOINT}{_TAG_LETTER}{{3,{TAG_LENGTH - 1}}}\Z",
    )
)
_DECIDED = rf"{_GAP}{_CORE}(?:[^{CLOSE} \u00a0\u202fA-Za-z0-9]|{_SPACE}{{1,2}}[^{CLOSE} \u00a0\u202f]|{_SPACE}{{3}})"
_BEGUN = _one_of(
    (
        rf"{OPEN}(?!{_DECIDED}){_INSIDE}",
        rf"[\[{{<]{{1,2}}{_LABELLED_BEGUN}?",
        rf"[\[{{<]{{2}}{_NUMBERED}(?:{_JOINT}[A-Za-z0-9]{{0,24}})[\]}}>]",
        _LABELLED_BEGUN,
    )
)

_ANY = re.compile(f"{_READABLE}|(?P<other>{_OTHER})")
_LAST = re.compile(f"{_READABLE}|(?P<half>{_HALF})|(?P<other>{_OTHER})")
_BEGINNING = re.compile(rf"{_BEGUN}\Z")
_HELD_MAX = 80
_CORE_PARTS = re.compile(f"(?P<label>{_ANY_LABEL}){_JOINT}(?P<number>{_NUMBER}){_JOINT}(?P<tag>{_TAG})")
_LABEL = re.compile(_ANY_LABEL)
_MASK = re.compile(rf"\[(?:{'|'.join(LABELS)})_[1-9][0-9]*\]")
