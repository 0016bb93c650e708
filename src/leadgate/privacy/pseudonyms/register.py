"""Who is meant: a table opened for writing. Finds the entry of a mention or makes one; `hide` asks, the table stays as it was.

Two mentions are one person when (docs/pseudonyms.md says why):

1. all words are the same, in any case and order;
2. or the words of the new one are all among the words of one known person, and of one only («Алсу Гарипова», then «Алсу»);
3. or the known one has two words or more and all of them are among the new ones («Алсу Гарипова», then «Гарипова Алсу Маратовна»).

Otherwise it is a new person. An initial counts as any word that begins with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product

import msgspec

from leadgate.privacy.detect.spans import Label
from leadgate.privacy.pseudonyms.markers import TEXT, write_marker
from leadgate.privacy.pseudonyms.names import Name, read_name, settle_name, take_name
from leadgate.privacy.pseudonyms.normal_forms import normalise
from leadgate.privacy.pseudonyms.table import FORMS_MAX, Entry, PseudonymTable, Reading

_WORDS_MAX = 5
"""Words of a name that are compared in part; a longer one is only ever equal to itself."""

PEOPLE_MAX = 200
"""People of one conversation whose names are understood; further ones, a hostile message, are only ever equal to themselves."""

_ENOUGH_WORDS = 2
_OPEN_GENDERS = {"masc": ("masc", ""), "femn": ("femn", ""), "": ("", "masc", "femn")}

_Index = dict[tuple[str, tuple[str, ...]], dict[int, None]]


class Register:
    """The entries of a conversation, found by what they are."""

    def __init__(self, table: PseudonymTable) -> None:
        """Take up the entries of a table."""
        self._table = table
        self._entries = list(table.entries)
        self._counts: Counter[str] = Counter()
        self._by_key: dict[tuple[str, str], int] = {}
        self._read_as: dict[tuple[Reading, ...], int] = {}
        self._whole: _Index = {}
        self._parts: _Index = {}
        self._read: dict[tuple[str, frozenset[str]], Name] = {}
        for place, entry in enumerate(self._entries):
            self._counts[entry.label] = max(self._counts[entry.label], entry.number)
            self._index(place)

    def table(self) -> PseudonymTable:
        """The table with what was added; the very same when nothing was."""
        entries = tuple(self._entries)
        return self._table if entries == self._table.entries else msgspec.structs.replace(self._table, entries=entries)

    def enter(self, label: str, typed: str, cases: frozenset[str]) -> str:
        """The placeholder of a mention; its entry is found or made.

        Args:
            label: a value of `Label`, or `TEXT`.
            typed: the mention as it stands in the text.
            cases: those that the words before it leave open, for a person.
        """
        entry = self._enter_person(typed, cases) if label == Label.PERSON else self._enter_value(label, typed)
        return write_marker(entry.label, entry.number, self._table.tag)

    def _enter_value(self, label: str, typed: str) -> Entry:
        key = typed if label == TEXT else normalise(label, typed)
        place = self._by_key.get((label, key))
        if place is None:
            return self._add(Entry(label=label, number=self._next(label), value=typed, key=key, forms=(typed,)))
        return self._see(place, typed)

    def _enter_person(self, typed: str, cases: frozenset[str]) -> Entry:
        name = self._name_of(typed, cases)
        known = self._find_person(name.readings)
        if len(known) == 1:
            self._learn(known[0], name.readings)
            return self._see(known[0], typed)
        known = known or self._find_person(name.others)
        if len(known) == 1:
            return self._see(known[0], typed)
        shorter = [] if known else self._find_shorter(name.readings)
        if len(shorter) == 1:
            return self._extend(shorter[0], typed, name)
        return self._add(
            Entry(
                label=Label.PERSON.value,
                number=self._next(Label.PERSON.value),
                value=name.value,
                forms=(typed,),
                readings=name.readings,
                is_uncertain=len(known) > 1 or self._counts[Label.PERSON.value] > PEOPLE_MAX,
            )
        )

    def _name_of(self, typed: str, cases: frozenset[str]) -> Name:
        if self._counts[Label.PERSON.value] >= PEOPLE_MAX:
            return take_name(typed)
        if (typed, cases) not in self._read:
            self._read[typed, cases] = read_name(typed, cases)
        return self._read[typed, cases]

    def _find_person(self, readings: tuple[Reading, ...]) -> list[int]:
        """Rules 1 and 2. Several places when several people fit; two are enough to know that."""
        place = self._read_as.get(readings)
        if place is not None:
            return [place]
        same = self._look_up(self._whole, ((r.gender, r.words) for r in readings))
        return same or self._look_up(self._parts, ((r.gender, r.words) for r in readings))

    def _find_shorter(self, readings: tuple[Reading, ...]) -> list[int]:
        """Rule 3."""
        keys = [(reading.gender, part) for reading in readings for part in _parts_of(reading.words)]
        longest_first = sorted(keys, key=lambda key: -len(key[1]))
        return self._look_up(
            self._whole, (key for key in longest_first if len(key[1]) >= _ENOUGH_WORDS), is_certain=True
        )

    def _look_up(
        self, index: _Index, keys: Iterable[tuple[str, tuple[str, ...]]], *, is_certain: bool = False
    ) -> list[int]:
        found: dict[int, None] = {}
        for gender, words in keys:
            for each in _OPEN_GENDERS[gender]:
                for place in index.get((each, words), ()):
                    if not (is_certain and self._entries[place].is_uncertain):
                        found[place] = None
                    if len(found) > 1:
                        return list(found)
        return list(found)

    def _learn(self, place: int, mentioned: tuple[Reading, ...]) -> None:
        """Drop readings of a known person that the new mention rules out."""
        entry = self._entries[place]
        left = tuple(kept for reading in entry.readings if (kept := _agreed(reading, mentioned)) is not None)
        if left and left != entry.readings:
            value = entry.value
            if len(entry.readings) > 1 and len({reading.words for reading in left}) == 1:
                value = settle_name(entry.forms[0], left[0])
            self._replace(place, msgspec.structs.replace(entry, readings=left, value=value))

    def _extend(self, place: int, typed: str, name: Name) -> Entry:
        """Rule 3: the fuller name becomes the person's."""
        entry = msgspec.structs.replace(self._entries[place], value=name.value, readings=name.readings)
        self._replace(place, entry)
        return self._see(place, typed)

    def _see(self, place: int, typed: str) -> Entry:
        entry = self._entries[place]
        if typed not in entry.forms and len(entry.forms) < FORMS_MAX:
            entry = self._entries[place] = msgspec.structs.replace(entry, forms=(*entry.forms, typed))
        return entry

    def _next(self, label: str) -> int:
        self._counts[label] += 1
        return self._counts[label]

    def _add(self, entry: Entry) -> Entry:
        self._entries.append(entry)
        self._index(len(self._entries) - 1)
        return entry

    def _replace(self, place: int, entry: Entry) -> None:
        self._read_as.pop(self._entries[place].readings, None)
        for index, key in self._keys(self._entries[place]):
            index[key].pop(place, None)
        self._entries[place] = entry
        self._index(place)

    def _index(self, place: int) -> None:
        entry = self._entries[place]
        if entry.label == Label.PERSON:
            self._read_as.setdefault(entry.readings, place)
        else:
            self._by_key[entry.label, entry.key] = place
        for index, key in self._keys(entry):
            index.setdefault(key, {})[place] = None

    def _keys(self, entry: Entry) -> Iterator[tuple[_Index, tuple[str, tuple[str, ...]]]]:
        for reading in entry.readings:
            yield self._whole, (reading.gender, reading.words)
            for part in _parts_of(reading.words) if not entry.is_uncertain else ():
                yield self._parts, (reading.gender, part)


def _parts_of(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every choice of words of a name, a word also as its initial, sorted; nothing of a name that is too long."""
    if len(words) > _WORDS_MAX:
        return
    for choice in product(*((None, word, word[0] + ".") for word in words)):
        chosen = tuple(sorted(word for word in choice if word is not None))
        if any(not word.endswith(".") for word in chosen):
            yield chosen


def _agreed(known: Reading, mentioned: tuple[Reading, ...]) -> Reading | None:
    """What a reading becomes beside the readings of a new mention of the same person; None when they exclude each other."""
    for reading in mentioned:
        is_open = known.gender in _OPEN_GENDERS[reading.gender]
        if is_open and (reading.words == known.words or reading.words in set(_parts_of(known.words))):
            return Reading(known.gender or reading.gender, known.words)
    return None
