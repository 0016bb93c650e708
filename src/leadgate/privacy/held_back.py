"""How much was held back, by day and kind: numbers without a word of content, kept with the refusals of the door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from enum import StrEnum

from leadgate.model.views import HeldBack
from leadgate.observability import metrics
from leadgate.ports.stores import Transaction
from leadgate.privacy.detect.spans import Label

PREFIX = "held."
SERVICE = "SERVICE"
"""A clinic's service was named; the other kinds are the labels of the detector."""


class Place(StrEnum):
    """Where it did not go."""

    CRM = "crm"
    MESSENGER = "messenger"


def note_held_back(
    tx: Transaction, place: Place, counts: Mapping[Label, int] | Mapping[str, int], *, at: datetime
) -> None:
    """Count what was masked on its way to this place, by kind; nothing is written when there was nothing."""
    if not counts:
        return
    for kind, count in counts.items():
        metrics.held_back.labels(place.value, str(kind)).inc(count)
    tx.add_refusals({("", f"{PREFIX}{place}.{kind}"): count for kind, count in counts.items()}, at=at)


def parse_code(code: str) -> tuple[str, str]:
    """Place and kind of a code under which such a count is kept."""
    place, _, kind = code.removeprefix(PREFIX).partition(".")
    return place, kind


def by_day(held_back: Sequence[HeldBack], zone: tzinfo) -> list[tuple[tuple[datetime, str, str], int]]:
    """Counts by day of the salon (its midnight), place and kind; the newest day first."""
    total: Counter[tuple[datetime, str, str]] = Counter()
    for one in held_back:
        day = one.hour.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        total[day, one.place, one.kind] += one.count
    return sorted(sorted(total.items()), key=lambda item: item[0][0], reverse=True)
