"""Corrections: which fields of a record take the right values in place of the wrong ones. Pure.

What is not as it was told to be is left alone: a manager may have changed it meanwhile. So a repeat does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from leadgate.integrations.bitrix24.fields import digits_of, email_entry, phone_entry, short_name
from leadgate.integrations.bitrix24.shapes import as_id, as_rows, as_text
from leadgate.integrations.bitrix24.texts import disarm
from leadgate.model.leads import Person

_TEXTS = ("title", "comments")


@dataclass(frozen=True, slots=True)
class Entry:
    """A phone or e-mail of a record, with its number there, by which alone it can be changed."""

    entry_id: int
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a record says of its person, as far as a correction may change it.

    Attributes:
        texts: title and comment by the name of the field; our own may hold the name and the phone.
    """

    name: str
    entries: tuple[Entry, ...]
    texts: Mapping[str, str]


def read_written(row: Mapping[str, object]) -> Written:
    """A row of `crm.item.list` that was selected with `*`."""
    entries = tuple(
        Entry(number, as_text(entry.get("typeId")), as_text(entry.get("value")))
        for entry in as_rows(row.get("fm"))
        if (number := as_id(entry.get("id"))) is not None
    )
    texts = {name: as_text(row.get(name)) for name in _TEXTS if as_text(row.get(name))}
    return Written(as_text(row.get("name")), entries, texts)


def correction(
    written: Written, *, wrong: Person, right: Person, has_own_person: bool = True, adds: bool = True
) -> dict[str, object]:
    """Fields for `crm.item.update`; none when everything is right.

    Args:
        has_own_person: the record has name, phones and e-mails of its own (a deal has not: its contact has).
        adds: what is right is added also where nothing wrong stands.
    """
    fields: dict[str, object] = {}
    if has_own_person:
        if right.name and right.name != wrong.name and written.name in _replaceable(wrong, adds=adds):
            fields["name"] = short_name(right)
        entries = _entries(written, "PHONE", wrong.phone, right.phone, adds=adds)
        entries |= _entries(written, "EMAIL", wrong.email, right.email, adds=adds)
        if entries:
            fields["fm"] = entries
    for name, text in written.texts.items():
        corrected = _rewritten(text, wrong, right)
        if corrected != text:
            fields[name] = corrected
    return fields


def _replaceable(wrong: Person, *, adds: bool) -> set[str]:
    names = {short_name(wrong)} if wrong.name else set()
    return names | {""} if adds else names


def _entries(written: Written, kind: str, wrong: str | None, right: str | None, *, adds: bool) -> dict[str, object]:
    """By the number of the entry: an array would add instead of changing (the field sheet of multi-fields)."""
    if right is None or _plain(kind, right) == _plain(kind, wrong or ""):
        return {}
    mine = [entry for entry in written.entries if entry.kind == kind]
    is_there = any(_plain(kind, entry.value) == _plain(kind, right) for entry in mine)
    new = phone_entry(right) if kind == "PHONE" else email_entry(right)
    found: dict[str, object] = {}
    for entry in mine:
        if wrong and _plain(kind, entry.value) == _plain(kind, wrong):
            found[str(entry.entry_id)] = {**new, "value": ""} if is_there else new
            is_there = True
    return {f"n{kind.lower()}": new} if adds and not is_there else found


def _plain(kind: str, value: str) -> str:
    return digits_of(value) if kind == "PHONE" else value.strip().casefold()


def _rewritten(text: str, wrong: Person, right: Person) -> str:
    """Our own texts hold the values as they were given; whole words alone are replaced."""
    for old, new in ((wrong.phone, right.phone), (wrong.email, right.email), (wrong.name, right.name)):
        if old and new and old != new:
            parts = re.split(rf"(?<![\w+]){re.escape(old)}(?!\w)", text)
            text = disarm(new).join(parts)
    return text
