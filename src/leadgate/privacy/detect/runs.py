"""Rows of digits in a text, with whatever stands between them: `8 917 двести-41/07` is one run of five groups.

What a run is, the modules beside this one decide; dates and times are no part of a run.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from leadgate.privacy.detect.numerals import WORDS, joined, values_of

_ITEM = re.compile(rf"[0-9]+|(?<![^\W\d_])(?:(?>{WORDS}){{1,40}}+|[oоqзlіiб|]{{1,4}})(?![^\W\d_])")
_LETTER_DIGITS = str.maketrans("oоqзlіi|б", "000311116")
"""A group of nothing but letters that stand for digits, `8-906-112-47-зо`; it never begins a run."""
_STRONG_GAP = re.compile(r"(?:[^\w,;:!?+@%$₽€\"«»<>&^📱📞☎📲]|_){0,6}(?:(?<=[\s)])[nN]°?[\s.]{0,2})?")
_WEAK_GAP = re.compile(
    r"[\s.,;()\-]{0,3}(?:(?:и|а|потом|затем|дальше|далее|тире|дефис"
    r"|черточка|чёрточка|минус|пробел|скобка|соң|аннары|аннан соң|дә|да)[\s,.:\-]{1,3}){0,3}"
)
_DATE = re.compile(
    r"(?<![0-9])(?<![0-9][.\-/])(?:[0-3]?[0-9]([.\-/])[01]?[0-9]\1(?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}([.\-/])[01]?[0-9]\2[0-3]?[0-9])"
    r"(?![0-9]|[.\-/][0-9])"
)
_RUSSIAN_HUNDRED = ("сто", "sto")
_JOINTS = frozenset({"", "дә", "да"})
"""Between words of one number; Tatar says `ике йөз дә җиде`."""
MOST_ITEMS, _MOST_IN_RUN = 1200, 64
"""More rows of digits than any message of a person has, and more groups than any number; what stands behind them is a flood."""
_FLOOD = re.compile(r"[0-9](?:[^\w]{0,3}[0-9]){4,}+")
_LONGEST_GAP = 40
_FEWEST_DIGITS = 4


@dataclass(slots=True)
class Run:
    """Groups of digits that stand close to one another.

    Attributes:
        starts, ends: places of the groups in the text.
        groups: the digits of each.
        are_words: whether a group was said in words.
        weak: how many weak gaps (a comma, `потом`) come before the group, counted from the run's beginning.
        lines: the same for line breaks.
        totals: how many digits come before the group; one entry more than groups.
        rows: all digits.
    """

    starts: list[int]
    ends: list[int]
    groups: list[str]
    are_words: list[bool]
    weak: list[int]
    lines: list[int]
    totals: list[int] = field(default_factory=list)
    rows: str = ""
    group_at: dict[int, int] = field(default_factory=dict)

    def close(self) -> Run:
        """Fill what is reckoned from the groups."""
        total = 0
        for place, group in enumerate(self.groups):
            self.totals.append(total)
            self.group_at[total] = place
            total += len(group)
        self.totals.append(total)
        self.rows = "".join(self.groups)
        return self

    def stop(self, first: int, length: int, *, is_weak_allowed: bool = False) -> int | None:
        """The group after the last of those that make exactly `length` digits from the group `first`; None if none do."""
        total = self.totals[first] + length
        last = self.group_at.get(total)
        if last is None:
            if total != self.totals[-1]:
                return None
            last = len(self.groups)
        if not is_weak_allowed and self.weak[last - 1] != self.weak[first]:
            return None
        return last

    def digits(self, first: int, last: int) -> str:
        """The digits of the groups from `first` up to `last`, without it."""
        return self.rows[self.totals[first] : self.totals[last]]

    def shape(self, first: int, last: int) -> tuple[int, ...]:
        """How many digits each group has."""
        return tuple([len(group) for group in self.groups[first:last]])


def find_runs(lower: str, taken: Sequence[tuple[int, int]] = ()) -> list[Run]:
    """The runs of at least four digits outside of the places `taken`.

    Args:
        lower: the text's letters in lower case with digits as in `Folded.digits`.
        taken: places that are decided already, which end a run.
    """
    items = list(islice(_ITEM.finditer(lower), MOST_ITEMS))
    if sum(found.end() - found.start() for found in items) < _FEWEST_DIGITS:
        return []
    closed = sorted([*taken, *(found.span() for found in islice(_DATE.finditer(lower), MOST_ITEMS))])
    pieces = _Pieces(lower, closed)
    for start, end, digits, is_word in _groups(items, lower):
        pieces.add(start, end, digits, is_word=is_word)
    return [run.close() for run in pieces.runs if sum(map(len, run.groups)) >= _FEWEST_DIGITS]


def find_flood(lower: str) -> list[tuple[int, int]]:
    """Long rows of digits behind the items that `find_runs` looks at: no person's message has so many, and none is let through."""
    last = next(islice(_ITEM.finditer(lower), MOST_ITEMS - 1, None), None)
    return [] if last is None else [found.span() for found in _FLOOD.finditer(lower, last.end())]


class _Pieces:
    """The runs of one stretch of digits: places that are taken, and gaps that no number has, part them."""

    def __init__(self, lower: str, closed: Sequence[tuple[int, int]]) -> None:
        self.runs: list[Run] = []
        self._lower = lower
        self._closed = closed
        self._run: Run | None = None

    def add(self, start: int, end: int, digits: str, *, is_word: bool) -> None:
        """Add the next group."""
        run = self._run
        if self._closed and _is_inside(self._closed, start, end):
            self._run = None
            return
        if run is not None and len(run.groups) < _MOST_IN_RUN:
            strength = _strength(self._lower, run.ends[-1], start, is_worded=is_word or run.are_words[-1])
            if strength is not None:
                self._extend(run, start, end, digits, is_word=is_word, strength=strength)
                return
        self._run = None
        if is_word or self._lower[start:end].isdecimal() or not self._lower[start:end].isalpha():
            self._run = Run([start], [end], [digits], [is_word], [0], [0])
            self.runs.append(self._run)

    def _extend(self, run: Run, start: int, end: int, digits: str, *, is_word: bool, strength: int) -> None:
        run.weak.append(run.weak[-1] + strength)
        run.lines.append(run.lines[-1] + self._lower.count("\n", run.ends[-1], start))
        run.starts.append(start)
        run.ends.append(end)
        run.groups.append(digits)
        run.are_words.append(is_word)


def _groups(items: Iterable[re.Match[str]], lower: str) -> Iterable[tuple[int, int, str, bool]]:
    """Places and digits; neighbouring number words that say one number are one group."""
    held: tuple[int, int, int] | None = None
    for found in items:
        start, end = found.span()
        digits = found[0].translate(_LETTER_DIGITS)
        if digits.isdecimal():
            if held is not None:
                yield held[0], held[1], str(held[2]), True
                held = None
            yield start, end, digits, False
            continue
        for value in values_of(found[0]):
            is_apart = held is None or lower[held[1] : start].strip(" -\n") not in _JOINTS
            both = None
            if held is not None and not is_apart:
                both = joined(held[2], value, multiplies=not found[0].startswith(_RUSSIAN_HUNDRED))
            if held is not None and both is None:
                yield held[0], held[1], str(held[2]), True
            held = (start, end, value) if held is None or both is None else (held[0], end, both)
    if held is not None:
        yield held[0], held[1], str(held[2]), True


def _is_inside(closed: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    place = bisect_right(closed, (end - 1, len(closed) + end))
    return place > 0 and closed[place - 1][1] > start


def _strength(lower: str, start: int, end: int, *, is_worded: bool) -> int | None:
    """0 for a gap inside of a number, 1 for one that may be; None for a gap that ends it."""
    if end - start > _LONGEST_GAP:
        return None
    if _STRONG_GAP.fullmatch(lower, start, end) is not None:
        return 0
    if _WEAK_GAP.fullmatch(lower, start, end) is not None:
        return 0 if is_worded and not lower[start:end].strip(" ,-") else 1
    return None
