"""The detector: structured finds by rules, words by a learned tagger, joined and told in places of the text as it was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from leadgate.privacy.detect.fold import Folded, fold
from leadgate.privacy.detect.spans import Label, Span, without_overlaps
from leadgate.privacy.detect.structured import find_structured
from leadgate.privacy.detect.tagger import find_worded

_PLACEHOLDER = re.compile(r"\[[A-Z]{2,12}_\d{1,6}\]")
_BY_DIGITS = frozenset(
    {Label.PHONE, Label.PASSPORT, Label.SNILS, Label.INN, Label.OMS, Label.CARD, Label.ACCOUNT, Label.BIRTHDATE}
)


def find(text: str) -> list[Span]:
    """Personal data in a text, in order of place, without overlaps.

    What stands in the place of masked data (`[PHONE_1]`) is no find, so masking twice changes nothing.
    """
    folded = fold(text)
    structured = without_overlaps(find_structured(folded))
    worded = find_worded(folded, structured)
    spans = [_as_typed(folded, span) for span in without_overlaps([*structured, *worded])]
    if "[" not in text:
        return spans
    masked = [Span(*found.span(), Label.PERSON, "masked") for found in _PLACEHOLDER.finditer(text)]
    return [span for span in without_overlaps([*masked, *spans]) if span.rule != "masked"]


def mask(text: str) -> str:
    """The text with placeholders in place of personal data, the same value always the same one: `[PHONE_1]`."""
    return replace_spans(text, find(text))


_NO_WORDS: Mapping[Label, str] = {}


def replace_spans(text: str, spans: Sequence[Span], words: Mapping[Label, str] = _NO_WORDS) -> str:
    """The text with a placeholder in place of each span; numbers that stand in it already are not given again.

    Args:
        words: what stands for a kind instead of a numbered placeholder.
    """
    numbers: dict[tuple[Label, str], int] = {}
    used = frozenset(found[0] for found in _PLACEHOLDER.finditer(text))
    free = {label: _free_numbers(label, used) for label in {span.label for span in spans}}
    pieces, done = [], 0
    for span in spans:
        if span.label in words:
            pieces += [text[done : span.start], words[span.label]]
            done = span.end
            continue
        value = (span.label, _normal(span.label, text[span.start : span.end]))
        if value not in numbers:
            numbers[value] = next(free[span.label])
        pieces += [text[done : span.start], f"[{span.label}_{numbers[value]}]"]
        done = span.end
    return "".join([*pieces, text[done:]])


def _free_numbers(label: Label, used: frozenset[str]) -> Iterator[int]:
    return (number for number in count(1) if f"[{label}_{number}]" not in used)


def _normal(label: Label, value: str) -> str:
    """What equal values have in common however they are written."""
    folded = fold(value)
    digits = re.sub(r"\D", "", folded.digits)
    if label is Label.PHONE and len(digits) == 11 and digits[0] in "78":  # noqa: PLR2004 - the length of a Russian number
        return digits[1:]
    if label in _BY_DIGITS and digits:
        return digits
    return " ".join(folded.text.casefold().split())


def _as_typed(folded: Folded, span: Span) -> Span:
    start, end = folded.place(span.start, span.end)
    return replace(span, start=start, end=end)
