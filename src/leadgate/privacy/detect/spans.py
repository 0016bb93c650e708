"""What is found in a text: places with a label, and why."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Label(StrEnum):
    """Kinds of personal data; the values are the contract's words (section 5)."""

    PERSON = "PERSON"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    PASSPORT = "PASSPORT"
    SNILS = "SNILS"
    INN = "INN"
    OMS = "OMS"
    CARD = "CARD"
    ACCOUNT = "ACCOUNT"
    BIRTHDATE = "BIRTHDATE"
    ADDRESS = "ADDRESS"
    USERNAME = "USERNAME"
    PLATE = "PLATE"
    IP = "IP"
    HEALTH = "HEALTH"


@dataclass(frozen=True, slots=True)
class Span:
    """One find.

    Attributes:
        start, end: half-open, in characters (code points) of the text that was searched.
        rule: what found it, for instance `phone.digits`; shown by `--explain`.
        cue: the word beside it that decided, in lower case; None when the form alone did.
        is_checked: its check digit is right; None when it has none.
    """

    start: int
    end: int
    label: Label
    rule: str
    cue: str | None = None
    is_checked: bool | None = None


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """In order of place. Of spans that overlap the earlier given one stays: give the surer ones first."""
    kept: list[Span] = []
    starts: list[int] = []
    for span in spans:
        place = bisect_left(starts, span.start)
        ends_before = place == 0 or kept[place - 1].end <= span.start
        begins_after = place == len(kept) or span.end <= kept[place].start
        if ends_before and begins_after:
            kept.insert(place, span)
            starts.insert(place, span.start)
    return kept
