"""The way back: what the model wrote, with the people and values of one conversation, for the one who may read them.

The last step before the answer leaves: after moderation and after logging. What is restored goes to no log, no tool, nobody else.
"""

from __future__ import annotations

from leadgate.catalogue.texts import load_texts
from leadgate.errors import PrivacyError
from leadgate.privacy.detect.spans import Label
from leadgate.privacy.pseudonyms.declension import decline
from leadgate.privacy.pseudonyms.government import LEFT_MAX, cases_before, is_joined
from leadgate.privacy.pseudonyms.markers import CLOSE, OPEN, Found, find_beginning, find_markers
from leadgate.privacy.pseudonyms.table import Entry, PseudonymTable

_NOBODY = "other"


def restore(text: str, table: PseudonymTable, recipient: str, *, locale: str = "ru") -> str:
    """Put the people and values back; see `Restorer`.

    Raises:
        PrivacyError: the table is of another recipient.
    """
    restorer = Restorer(table, recipient, locale=locale)
    return restorer.feed(text) + restorer.close()


class Restorer:
    """Puts the people and values back while a text streams in. One for each stream, choice and tool call.

    A name takes the case that the words before it ask for where that is sure, and stands in the nominative otherwise. A
    placeholder that stands for nothing here becomes a neutral word; one that the text ends in is dropped.
    """

    def __init__(self, table: PseudonymTable, recipient: str, *, locale: str = "ru") -> None:
        """Take the table of the conversation.

        Args:
            recipient: who will read the text; must be the table's own.
            locale: language of the neutral words.

        Raises:
            PrivacyError: the table is of another recipient.
        """
        if recipient != table.recipient:
            raise PrivacyError(
                "These pseudonyms belong to another recipient.",
                hint="Restore an answer only for the person whose conversation it is.",
            )
        self._entries = {(entry.label, entry.number): entry for entry in table.entries}
        self._tag = table.tag
        self._words = load_texts("pseudonyms", locale)
        self._seen = ""
        self._pending = ""
        self._last_cases: frozenset[str] = frozenset()
        self._since_last: str | None = None
        self._is_closed = False

    def feed(self, chunk: str) -> str:
        """Everything that can be said already; at most the beginning of a placeholder is held back.

        Raises:
            ValueError: the stream was closed.
        """
        if self._is_closed:
            raise ValueError("This stream was closed.")
        self._pending += chunk
        return self._advance(is_end=False)

    def close(self) -> str:
        """What was held back; half a placeholder is dropped. A second call gives nothing."""
        self._is_closed = True
        return self._advance(is_end=True)

    def _advance(self, *, is_end: bool) -> str:
        text, cursor = self._seen + self._pending, len(self._seen)
        beginning = None if is_end else find_beginning(text, cursor)
        parts = []
        for found in find_markers(text, cursor, is_end=is_end):
            if beginning is not None and beginning <= found.start:
                break
            parts += [self._pass(text[cursor : found.start]), self._resolve(found, text)]
            cursor = found.end
            if beginning is not None and beginning < cursor:
                beginning = find_beginning(text, cursor)
        stop = len(text) if beginning is None else beginning
        parts.append(self._pass(text[cursor:stop]))
        self._seen, self._pending = text[max(0, stop - LEFT_MAX) : stop], text[stop:]
        return "".join(parts)

    def _pass(self, plain: str) -> str:
        if self._since_last is not None:
            self._since_last = (self._since_last + plain)[:LEFT_MAX]
        return plain

    def _resolve(self, found: Found, text: str) -> str:
        entry = self._find(found)
        cases = cases_before(text[max(0, found.start - LEFT_MAX) : found.start])
        if not cases and self._since_last is not None and is_joined(self._since_last):
            cases = self._last_cases
        self._last_cases, self._since_last = cases, ""
        if entry is None:
            return self._neutral(found, text[found.start : found.end])
        is_sure = entry.label == Label.PERSON and bool(cases) and len(entry.readings) == 1
        return (decline(entry.value, entry.readings[0].gender, cases) if is_sure else None) or entry.value

    def _find(self, found: Found) -> Entry | None:
        marker = found.marker
        if marker is None or found.is_half or marker.tag != self._tag:
            return None
        return self._entries.get((marker.label, marker.number))

    def _neutral(self, found: Found, typed: str) -> str:
        if found.is_half or typed in {OPEN, CLOSE}:
            return ""
        return self._words.get(found.label if found.label is not None and self._words.has(found.label) else _NOBODY)
