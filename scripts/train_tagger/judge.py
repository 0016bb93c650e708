"""Figures of weights on messages that they have not seen, for the labels that are learned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leadgate.privacy.detect.fold import fold
from leadgate.privacy.detect.tagger.find import find_with
from leadgate.privacy.detect.tagger.weights import Sum, Tagger
from pii_score.marks import Message
from pii_score.score import Score, f1_of
from scripts.train_tagger.learn import LEARNED, folded_places, taken_of


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares, in percent.

    Attributes:
        f1: overlap, by label. leak: of letters in marks of the learned labels. touched: of clean messages.
    """

    f1: dict[str, float]
    leak_by: dict[str, float]
    f1_all: float
    leak: float
    touched: float

    def line(self) -> str:
        """One row of a table."""
        parts = " ".join(f"{label[:3]} {self.f1[label]:5.1f}/{self.leak_by[label]:4.1f}" for label in sorted(LEARNED))
        return f"F1 {self.f1_all:5.1f} leak {self.leak:4.1f} touched {self.touched:4.1f} | {parts}"


def found_in(tagger: Tagger, message: Message, guard: Sum) -> list[tuple[int, int, str]]:
    """What the tagger finds, beside the marks of the other labels."""
    folded = fold(message.text)
    _, places = folded_places(message)
    taken = taken_of(message, places)
    spans = [*taken, *find_with(tagger, folded.text, taken, guard)]
    return [(*folded.place(span.start, span.end), str(span.label)) for span in spans]


def judge(tagger: Tagger, messages: Sequence[Message], guard: Sum) -> Figures:
    """The figures of a tagger."""
    score = Score()
    for message in messages:
        score.add(message, found_in(tagger, message, guard))
    f1 = {label: 100 * f1_of(score.right[label], score.found[label], score.expected[label]) for label in LEARNED}
    leak_by = {label: 100 * score.leaked_by[label] / max(1, score.marked_by[label]) for label in LEARNED}
    right, found, expected = (
        sum(counts[label] for label in LEARNED) for counts in (score.right, score.found, score.expected)
    )
    leaked, marked = (sum(counts[label] for label in LEARNED) for counts in (score.leaked_by, score.marked_by))
    return Figures(f1, leak_by, 100 * f1_of(right, found, expected), 100 * leaked / max(1, marked), 100 * score.touch)


def mistakes(tagger: Tagger, messages: Iterable[Message], guard: Sum) -> list[str]:
    """What was missed and what was found without a mark, to think about kinds of mistakes."""
    lines = []
    for message in messages:
        found = [span for span in found_in(tagger, message, guard) if span[2] in LEARNED]
        marks = [span for span in message.spans if span[2] in LEARNED]
        missed = [
            span
            for span in marks
            if not any(other[2] == span[2] and other[0] < span[1] and span[0] < other[1] for other in found)
        ]
        covered = {place for start, end, _ in found for place in range(start, end)}
        partly = [
            span
            for span in marks
            if span not in missed
            and any(place not in covered and message.text[place].isalnum() for place in range(*span[:2]))
        ]
        extra = [span for span in found if not any(other[0] < span[1] and span[0] < other[1] for other in marks)]
        for kind, spans in (("-", missed), ("~", partly), ("+", extra)):
            lines += [
                f"{kind}{label[:3]} {message.text[start:end]!r} <- {message.text[:160]!r}"
                for start, end, label in spans
            ]
    return lines
