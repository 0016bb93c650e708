"""Texts with their finds written in place: `Я {Алсу|PERSON}`, and conversations that hide them turn by turn."""

import re

from leadgate.privacy.detect.spans import Label, Span
from leadgate.privacy.pseudonyms.hide import HiddenText, hide
from leadgate.privacy.pseudonyms.markers import write_marker
from leadgate.privacy.pseudonyms.restore import Restorer, restore
from leadgate.privacy.pseudonyms.table import PseudonymTable, begin_table
from leadgate.testing.connections import CountedIds

CLIENT = "telegram:1000"
_FIND = re.compile(r"\{([^{}|]*)\|([A-Z]+)\}")


def unmark(marked: str) -> tuple[str, list[Span]]:
    """The plain text and its spans."""
    text, spans, cursor = "", list[Span](), 0
    for found in _FIND.finditer(marked):
        text += marked[cursor : found.start()]
        spans.append(Span(len(text), len(text) + len(found[1]), Label(found[2]), "test"))
        text += found[1]
        cursor = found.end()
    return text + marked[cursor:], spans


def begin(seed: int = 0) -> PseudonymTable:
    """A fresh conversation of `CLIENT`; another seed is another conversation."""
    return begin_table(f"conv_{seed:026d}", CLIENT, CountedIds(seed))


class Conversation:
    """A table that goes on from turn to turn."""

    def __init__(self, *marked: str, seed: int = 0) -> None:
        self.table = begin(seed)
        for each in marked:
            self.hide(each)

    def hide(self, marked: str) -> HiddenText:
        hidden, self.table = hide(*unmark(marked), self.table)
        return hidden

    def short(self, marked: str) -> str:
        """Hidden, with markers shortened to `PERSON1`, to read tests by."""
        return re.sub(rf"⟦([A-Z]+)-(\d+)-{self.table.tag}⟧", r"\1\2", self.hide(marked))

    def marker(self, label: str = "PERSON", number: int = 1) -> str:
        return write_marker(label, number, self.table.tag)

    def restore(self, text: str) -> str:
        return restore(text, self.table, CLIENT)

    def stream(self, *chunks: str) -> list[str]:
        restorer = Restorer(self.table, CLIENT)
        return [*(restorer.feed(chunk) for chunk in chunks), restorer.close()]
