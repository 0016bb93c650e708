"""From labels of tokens to spans: parts joined, edges trimmed, finds that cannot stand dropped."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache

from leadgate.privacy.detect.fold import Folded
from leadgate.privacy.detect.spans import Label, Span
from leadgate.privacy.detect.tagger.tokens import Token, tokens_of
from leadgate.privacy.detect.tagger.weights import LABELS, Sum, Tagger

GUARD: Sum = (0.3, 0.0, 0.0)
"""How much more than nothing a label must weigh: tuned on authors that the weights had not seen."""

_EDGES = frozenset(",;:!?()-/\\«»\"'¶+@№#>*&.…„“”•|—_[]{}=~")
_NAME_LETTERS_MIN = 3
_SPOKEN = re.compile(
    "один|два|три|четыре|пять|шесть|семь|восемь|девять|десять|(?:один|две|три|четыр|пят|шест|сем|восем|девят)надцать"
    "|двадцать|тридцать|сорок|(?:пять|шесть|семь|восемь)десят|девяносто|сто|двести"
)
_PART = re.compile("дом|под[ъь]езд|этаж|квартира|корпус|домофон|код|офис|комната|кабинет|помещение|под|выдан")
_LONG = 20_000
"""Characters; a longer text was not typed by a person, and is read hastily so that nothing hostile takes long."""
_CAREFUL_TOKENS = 5_000
_COMPANY, _STRETCH = 60, 2_000
"""Characters that are kept around a word; characters of a stretch."""
_WORD = re.compile(r"[^\W\d_]{3,}")


@lru_cache(maxsize=1)
def _tagger() -> Tagger:
    return Tagger.load()


def warm_up() -> None:
    """Load lists and weights now, a fifth of a second, rather than with the first message."""
    find_with(_tagger(), "Запишите Алсу", ())


def find_worded(folded: Folded, taken: Sequence[Span]) -> list[Span]:
    """People, addresses and health in a folded text.

    Args:
        folded: the text; places of the answer are places in `folded.text`.
        taken: what other finders took; nothing in the answer overlaps it.
    """
    return find_with(_tagger(), folded.text, taken)


def find_with(tagger: Tagger, text: str, taken: Sequence[Span], guard: Sum = GUARD) -> list[Span]:
    """As `find_worded`, with weights and guard of one's own."""
    if len(text) <= _LONG:
        return _careful(tagger, tokens_of(text, taken), guard)
    return _hasty(tagger, text, taken, guard)


def _careful(tagger: Tagger, tokens: Sequence[Token], guard: Sum) -> list[Span]:
    return list(_spans(tokens, tagger.best_row(tokens, guard))) if tokens else []


def _hasty(tagger: Tagger, text: str, taken: Sequence[Span], guard: Sum) -> list[Span]:
    """A text of a size that nobody types: parts without words are left out, and company counts only in the first parts."""
    found: list[Span] = []
    careful = _CAREFUL_TOKENS
    holes = sorted(taken, key=_start)
    for begin, end in _wordy_parts(text):
        inside = holes[bisect_left(holes, begin, key=_start) : bisect_left(holes, end, key=_start)]
        tokens = tokens_of(text, [hole for hole in inside if hole.end <= end], begin, end)
        if len(tokens) <= careful:
            found += _careful(tagger, tokens, guard)
            careful -= len(tokens)
        else:
            found += _spans(tokens, tagger.alone(tokens))
    return _beside(found, holes)


def _start(span: Span) -> int:
    return span.start


def _beside(found: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """Finds that touch nothing taken; both in order of place."""
    kept, at = [], 0
    for span in found:
        while at < len(taken) and taken[at].end <= span.start:
            at += 1
        if at == len(taken) or span.end <= taken[at].start:
            kept.append(span)
    return kept


def _wordy_parts(text: str) -> Iterator[tuple[int, int]]:
    """Stretches around words of three letters and more; longer ones are cut at a space."""
    begin = end = -1
    for word in _WORD.finditer(text):
        if begin < 0:
            begin = max(0, word.start() - _COMPANY, end)
        elif word.start() - end > _COMPANY:
            yield begin, min(end + _COMPANY, word.start())
            begin = max(end + _COMPANY, word.start() - _COMPANY)
        elif end - begin > _STRETCH and word.start() > end:
            yield begin, end
            begin = end
        end = word.end()
    if begin >= 0:
        yield begin, min(end + _COMPANY, len(text))


def _spans(tokens: Sequence[Token], row: Sequence[int]) -> Iterator[Span]:
    at = 0
    while at < len(row):
        label = row[at]
        end = at + 1
        while end < len(row) and row[end] == label:
            end += 1
        if label:
            yield from _trimmed(tokens[at:end], Label(LABELS[label]))
        at = end


def _trimmed(tokens: Sequence[Token], label: Label) -> Iterator[Span]:
    first, last = 0, len(tokens)
    while first < last and tokens[first].word in _EDGES:
        first += 1
    while last > first and tokens[last - 1].word in _EDGES:
        if tokens[last - 1].word == "." and label is Label.PERSON and _is_initial(tokens, last - 2):
            break
        last -= 1
    kept = tokens[first:last]
    if not kept or not (_is_address(kept) if label is Label.ADDRESS else any(token.kind == "w" for token in kept)):
        return
    yield Span(kept[0].start, kept[-1].end, label, f"tagger.{label.lower()}")


def _is_address(tokens: Sequence[Token]) -> bool:
    """A name of three letters or more, not the word of a part of a house, and a number after it."""
    named = False
    for token in tokens:
        if token.kind == "n" or _SPOKEN.fullmatch(token.word) is not None:
            if named:
                return True
        elif token.kind == "w" and len(token.word) >= _NAME_LETTERS_MIN and _PART.fullmatch(token.word) is None:
            named = True
    return False


def _is_initial(tokens: Sequence[Token], at: int) -> bool:
    return at >= 0 and tokens[at].kind == "w" and len(tokens[at].word) == 1
