"""The figures of a detector on marked messages, as `messages/README.md` defines them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pii_score.marks import Message

Found = Sequence[tuple[int, int, str]]
Detector = Callable[[str], Found]


@dataclass(slots=True)
class Score:
    """Sums over messages; everything that is a share is between 0 and 1.

    Attributes:
        right: finds that overlap a mark of the same label, one to one; exact: those whose places are the same too.
        leaked, marked: letters and digits inside marks, not covered by any find; all of them.
        masked, unmarked: letters and digits outside of marks that a find covers; all of them.
        touched, clean: messages without marks with any find; all of them.
    """

    right: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    expected: Counter[str] = field(default_factory=Counter)
    leaked_by: Counter[str] = field(default_factory=Counter)
    marked_by: Counter[str] = field(default_factory=Counter)
    masked: int = 0
    unmarked: int = 0
    touched: int = 0
    clean: int = 0

    @property
    def f1(self) -> float:
        """Overlap, micro average."""
        return f1_of(self.right.total(), self.found.total(), self.expected.total())

    @property
    def leak(self) -> float:
        """Share of personal letters and digits that nothing covers."""
        return self.leaked_by.total() / max(1, self.marked_by.total())

    @property
    def touch(self) -> float:
        """Share of clean messages that are touched."""
        return self.touched / max(1, self.clean)

    def add(self, message: Message, found: Found) -> None:
        """Count one message."""
        covered = {place for start, end, _ in found for place in range(start, end)}
        inside: set[int] = set()
        for start, end, label in message.spans:
            places = [place for place in range(start, end) if message.text[place].isalnum()]
            inside.update(places)
            self.marked_by[label] += len(places)
            self.leaked_by[label] += sum(place not in covered for place in places)
        outside = [place for place, letter in enumerate(message.text) if letter.isalnum() and place not in inside]
        self.unmarked += len(outside)
        self.masked += sum(place in covered for place in outside)
        if not message.spans:
            self.clean += 1
            self.touched += bool(found)
        self._match(message, found)

    def _match(self, message: Message, found: Found) -> None:
        free = list(found)
        self.found.update(label for _, _, label in found)
        self.expected.update(label for _, _, label in message.spans)
        for start, end, label in message.spans:
            # The same places first, so that a neighbour does not take a find away.
            ranked = sorted(free, key=lambda span: (span[0], span[1]) != (start, end))
            match = next((s for s in ranked if s[2] == label and s[0] < end and start < s[1]), None)
            if match is not None:
                free.remove(match)
                self.right[label] += 1
                self.exact[label] += (match[0], match[1]) == (start, end)


def f1_of(right: int, found: int, expected: int) -> float:
    """Harmonic mean of precision and recall; 1 when nothing was there and nothing was found."""
    return 2 * right / (found + expected) if found + expected else 1.0


def measure(messages: Iterable[Message], detect: Detector) -> Score:
    """The score of a detector."""
    score = Score()
    for message in messages:
        score.add(message, detect(message.text))
    return score
