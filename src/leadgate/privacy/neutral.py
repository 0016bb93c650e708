"""The guard of a clinic's messages: no name of a service leaves in one, because the name alone may tell what somebody suffers from.

Pure. It knows the names of the salon's book and finds them in any case, with other endings, other spaces and hidden signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from leadgate.catalogue.texts import load_texts
from leadgate.model.messages import OutgoingMessage
from leadgate.privacy.detect.fold import fold

_WORD = re.compile(r"[^\W_]+")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_ENDING = 2
_LONG_ENOUGH = 5
"""Letters that a word must have for its last two to be taken for an ending."""

_ROUNDS = 4
"""Words that stand together anew after a replacement may make a name again."""

_LAST_RESORT = "…"
"""Has no letter, so no name stands in it."""


class ServiceNames:
    """The names that no message may hold."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Know these; a name without a letter or a digit names nothing."""
        words = (tuple(_WORD.findall(_flat(name))) for name in names)
        # The longest first, so that a name which begins with another is taken whole.
        known = sorted({name for name in words if name}, key=lambda name: (-sum(map(len, name)), name))
        patterns = [r"[\W_]+".join(_with_endings(word) for word in name) for name in known]
        self._pattern = re.compile(rf"(?<![^\W_])(?:{'|'.join(patterns)})(?![^\W_])") if patterns else None

    def stand_in(self, text: str) -> bool:
        """True when one of them stands in a text."""
        return next(self._places(text), None) is not None

    def has(self, text: str) -> bool:
        """True when a text is one of them and nothing else."""
        return self._pattern is not None and self._pattern.fullmatch(_flat(text).strip()) is not None

    def neutral(self, text: str) -> str:
        """The text with a word that tells nothing in place of each name; of a text that resists, only a neutral sentence stays."""
        if not self.stand_in(text):
            return text
        words = load_texts("neutral", "ru" if _CYRILLIC.search(text) else "en")
        instead = self._first_clean(words.get("visit"), words.get("meeting"))
        for _ in range(_ROUNDS):
            text = self._replaced(text, instead)
            if not self.stand_in(text):
                return text
        return self._first_clean(words.get("sentence"))

    def neutral_message(self, message: OutgoingMessage) -> OutgoingMessage:
        """The message with nothing in it that names a service: text, buttons and what a template fills in."""
        if self._pattern is None:
            return message
        return replace(
            message,
            text=self.neutral(message.text),
            buttons=tuple(map(self.neutral, message.buttons)),
            ask_contact=None if message.ask_contact is None else self.neutral(message.ask_contact),
            parameters=tuple(map(self.neutral, message.parameters)),
        )

    def _first_clean(self, *candidates: str) -> str:
        return next((words for words in candidates if not self.stand_in(words)), _LAST_RESORT)

    def _replaced(self, text: str, instead: str) -> str:
        pieces, done = [], 0
        for start, end in self._places(text):
            pieces += [text[done:start], instead]
            done = end
        return "".join([*pieces, text[done:]])

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where names stand in the text as it was typed."""
        if self._pattern is None:
            return
        folded = fold(text)
        for found in self._pattern.finditer(_same_length(folded.text)):
            yield folded.place(*found.span())


def _with_endings(word: str) -> str:
    if len(word) < _LONG_ENOUGH or not word.isalpha():
        return re.escape(word)
    return rf"{re.escape(word[:-_ENDING])}[^\W\d_]{{0,4}}"


def _flat(text: str) -> str:
    return _same_length(fold(text).text)


def _same_length(text: str) -> str:
    """In small letters, `ё` as `е`; a letter whose small form is longer stays, so that places stay what they are."""
    lowered = (letter.lower() for letter in text)
    return "".join(small if len(small) == 1 else letter for small, letter in zip(lowered, text, strict=True)).replace(
        "ё", "е"
    )
