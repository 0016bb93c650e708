"""The way out: a text in which every person and value stands as its placeholder. The way back is `restore`."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NewType

from leadgate.privacy.detect.spans import Label, Span
from leadgate.privacy.pseudonyms.government import LEFT_MAX, cases_before
from leadgate.privacy.pseudonyms.markers import TEXT, find_markers, is_mask, write_marker
from leadgate.privacy.pseudonyms.register import Register
from leadgate.privacy.pseudonyms.table import PseudonymTable

HiddenText = NewType("HiddenText", str)
"""Text whose personal data are placeholders of one conversation; only `hide` makes it."""

_WORD = re.compile(r"\w+")
_FORM_MIN = 2

_Place = tuple[int, int, str]
"""Start, end, and the placeholder that stands there."""


def hide(text: str, spans: Iterable[Span], table: PseudonymTable) -> tuple[HiddenText, PseudonymTable]:
    """Put placeholders for what was found in a text, and for every value of the table that stands in it as whole words.

    A placeholder of this conversation that stands in the text already stays. Anything else that looks like one, which a client
    may have typed, becomes a placeholder of its own that means just these characters. A second call changes nothing.

    Args:
        spans: what the detector found, in any order; where they overlap all of it is hidden.
        table: of this conversation.

    Returns:
        The text and the table with what was new; keep the new table.
    """
    kept = _ours(text, table)
    register = Register(table)
    places = _enter_all(_outside(_apart(spans), kept, text), text, register)
    places += _enter_all(_outside(_apart(_known(text, register.table())), sorted(kept + places), text), text, register)
    parts, cursor = list[str](), 0
    for start, end, marker in sorted(kept + places):
        parts += [_without_lookalikes(text[cursor:start], register, is_end=False), marker]
        cursor = end
    parts.append(_without_lookalikes(text[cursor:], register, is_end=True))
    return HiddenText("".join(parts)), register.table()


def _ours(text: str, table: PseudonymTable) -> list[_Place]:
    """Placeholders of the table that stand in the text already, in order, with their undamaged form."""
    entries = {write_marker(entry.label, entry.number, table.tag) for entry in table.entries}
    places = []
    for found in find_markers(text, is_end=True) if entries else ():
        marker = "" if found.marker is None else write_marker(found.marker.label, found.marker.number, found.marker.tag)
        if marker in entries:
            places.append((found.start, found.end, marker))
    return places


def _enter_all(spans: Iterable[Span], text: str, register: Register) -> list[_Place]:
    places = []
    for span in spans:
        cases = cases_before(text[max(0, span.start - LEFT_MAX) : span.start])
        places.append((span.start, span.end, register.enter(span.label.value, text[span.start : span.end], cases)))
    return places


def _without_lookalikes(plain: str, register: Register, *, is_end: bool) -> str:
    """Stretch by stretch, because that is how the way back will see them: between placeholders."""
    parts, cursor = list[str](), 0
    for start, end in _lookalikes(plain, is_end=is_end):
        parts += [plain[cursor:start], register.enter(TEXT, plain[start:end], frozenset())]
        cursor = end
    return "".join([*parts, plain[cursor:]])


def _lookalikes(plain: str, *, is_end: bool) -> Iterator[tuple[int, int]]:
    """Places, with the rest of the words that they touch; those with no word between them are one place.

    Whole words, because a placeholder in the middle of one would be the beginning of another word for what is left of it. One
    place, so that a thousand brackets do not become a thousand placeholders.
    """
    start = end = -1
    for found in find_markers(plain, is_end=is_end):
        if is_mask(plain[found.start : found.end]):
            continue
        begun, ended = _widened(plain, found.start, found.end, max(end, 0))
        if start >= 0 and _WORD.search(plain, end, begun) is not None:
            yield start, end
            start = -1
        start, end = begun if start < 0 else start, max(end, ended)
    if start >= 0:
        yield start, end


def _widened(plain: str, start: int, end: int, since: int) -> tuple[int, int]:
    while start > since and _is_word(plain[start - 1]):
        start -= 1
    while end < len(plain) and _is_word(plain[end]):
        end += 1
    return start, end


def _apart(spans: Iterable[Span]) -> Iterator[Span]:
    """In order, and cut so that none overlaps and all of their characters are covered."""
    cursor = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.end > max(span.start, cursor):
            yield Span(max(span.start, cursor), span.end, span.label, span.rule)
            cursor = span.end


def _outside(spans: Iterable[Span], taken: Sequence[_Place], text: str) -> Iterator[Span]:
    """The parts of spans outside places that are taken, without the spaces and signs at a cut; a part without a word is none."""
    starts, ends = [place[0] for place in taken], [place[1] for place in taken]
    for span in spans:
        start = span.start
        for at in range(bisect_right(ends, span.start), bisect_left(starts, span.end)):
            yield from _trimmed(start, starts[at], span, text)
            start = ends[at]
        yield from _trimmed(start, span.end, span, text)


def _trimmed(start: int, end: int, span: Span, text: str) -> Iterator[Span]:
    words = [found.span() for found in _WORD.finditer(text, start, max(start, end))]
    if words and (start, end) == (span.start, span.end):
        yield span
    elif words:
        yield Span(words[0][0], words[-1][1], span.label, span.rule)


def _known(text: str, table: PseudonymTable) -> Iterator[Span]:
    """Values of the table that stand in the text as whole words, whatever the detector says of them today.

    One word alone counts in the capitals in which it was typed: after «Роза» a «роза» may be a flower.
    """
    forms = _forms_by_word(table)
    for word in _WORD.finditer(text) if forms else ():
        for (offset, length), labels in forms.get(word[0].casefold(), {}).items():
            start, end = word.start() - offset, word.start() - offset + length
            typed = text[max(0, start) : end]
            label = labels.get(typed) or labels.get(typed.casefold())
            if label is not None and _is_whole(text, start, end):
                yield Span(start, end, label, "pseudonyms.known")


def _forms_by_word(table: PseudonymTable) -> dict[str, dict[tuple[int, int], dict[str, Label]]]:
    """By the first word of a form: its place in the form and the form's length, then the forms themselves."""
    forms: dict[str, dict[tuple[int, int], dict[str, Label]]] = {}
    for entry in table.entries:
        for form in dict.fromkeys((*entry.forms, entry.value)) if entry.label != TEXT else ():
            first = _WORD.search(form)
            if first is not None and len(form) >= _FORM_MIN:
                of_shape = forms.setdefault(first[0].casefold(), {}).setdefault((first.start(), len(form)), {})
                of_shape[form] = Label(entry.label)
                if first[0] != form:
                    of_shape[form.casefold()] = Label(entry.label)
    return forms


def _is_whole(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (_is_word(before) and _is_word(text[start])) and not (_is_word(after) and _is_word(text[end - 1]))


def _is_word(letter: str) -> bool:
    return letter == "_" or letter.isalnum()
