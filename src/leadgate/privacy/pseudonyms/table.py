"""The table of one conversation: which placeholder stands for whom. A value that its caller seals, keeps and loads again.

Who is meant by a mention is decided in `register`; nothing here is looked up or changed in place.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from leadgate.ports.clock import IdSource
from leadgate.privacy.pseudonyms.markers import TAG_LENGTH, TAG_LETTERS

_SEED_BYTES = 16


class Reading(msgspec.Struct, frozen=True):
    """One way to understand a name.

    Attributes:
        gender: `masc`, `femn`, or empty when both may be.
        words: the words in the nominative, lower case, ё as е, sorted; initials as a letter with a dot.
    """

    gender: str
    words: tuple[str, ...]

    def __repr__(self) -> str:
        """Without the name."""
        return f"Reading({len(self.words)} words)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Without the name."""
        return [("words", len(self.words))]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One person or value and its placeholder.

    Attributes:
        label: a value of `Label`, or `TEXT` for what a client typed that looks like a placeholder.
        number: from 1, counted per label.
        value: what is put back: a person's name in the nominative, any other value as it was first typed.
        key: the normal form; empty for a person.
        forms: how it was typed, without repetition, at most `FORMS_MAX`.
        readings: of a person: all ways to understand the name; several while nothing has decided yet.
        is_uncertain: several people of the table could be meant when it was typed; it is nobody but itself.
    """

    label: str
    number: int
    value: str
    key: str = ""
    forms: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    is_uncertain: bool = False

    def __repr__(self) -> str:
        """Without the value: tracebacks and logs may show it."""
        return f"Entry({self.label}-{self.number})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Without the value."""
        return [("label", self.label), ("number", self.number)]


class PseudonymTable(msgspec.Struct, frozen=True, kw_only=True):
    """The pseudonyms of one conversation, for one recipient.

    Personal data in the clear: kept only sealed, beside the conversation, and gone with it.

    Attributes:
        conversation: id of the conversation; the caller seals under it.
        recipient: who may read the values, an id that the caller compares by; for instance the channel's address of the client.
        tag: unguessable, in every placeholder of this conversation.
        entries: in the order of their first mention.
    """

    conversation: str
    recipient: str
    tag: str
    entries: tuple[Entry, ...] = ()

    def __repr__(self) -> str:
        """Without anything personal, and without the tag."""
        return f"PseudonymTable({len(self.entries)} entries)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Without anything personal, and without the tag."""
        return [("entries", len(self.entries))]


FORMS_MAX = 32
"""Forms kept of one entry: a conversation has a handful; a hostile one must not swell the table."""


def begin_table(conversation: str, recipient: str, ids: IdSource) -> PseudonymTable:
    """An empty table with a fresh tag: 12 letters of 12, 43 bits, which nobody finds by trying."""
    return PseudonymTable(conversation=conversation, recipient=recipient, tag=_make_tag(ids.token(_SEED_BYTES)))


def _make_tag(seed: str) -> str:
    value = int.from_bytes(hashlib.sha256(seed.encode()).digest())
    letters = []
    for _ in range(TAG_LENGTH):
        value, place = divmod(value, len(TAG_LETTERS))
        letters.append(TAG_LETTERS[place])
    return "".join(letters)
