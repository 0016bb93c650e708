from collections.abc import Callable

import pytest

from leadgate.privacy.detect.fold import fold
from leadgate.privacy.detect.spans import Span, without_overlaps
from leadgate.privacy.detect.structured import find_structured

Finds = list[tuple[str, str]]


@pytest.fixture
def spans() -> Callable[[str], list[Span]]:
    """The structured finds of a text, in places of the folded text."""
    return lambda text: without_overlaps(find_structured(fold(text)))


@pytest.fixture
def finds(spans: Callable[[str], list[Span]]) -> Callable[[str], Finds]:
    """Label and the words as typed, in order."""

    def found(text: str) -> Finds:
        folded = fold(text)
        places = [(str(span.label), folded.place(span.start, span.end)) for span in spans(text)]
        return [(label, text[start:end]) for label, (start, end) in places]

    return found
