"""Which classes of fines the counts of a leak touch. Thresholds are data; whether they are met in law a lawyer decides."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from leadgate.model.incidents import Affected, FineClass

MEASURES = ("health", "persons", "identifiers")


def classes_touched(affected: Affected | None) -> Sequence[FineClass]:
    """The highest class by size, and the one for special categories when words about health were seen; gravest first."""
    if affected is None:
        return ()
    counts = {"persons": affected.persons, "identifiers": affected.all_identifiers, "health": affected.health}
    touched = [(entry, measure) for entry in _classes() for measure in MEASURES if _meets(entry, measure, counts)]
    by_size = [(entry, measure) for entry, measure in touched if measure != "health"]
    special = [(entry, measure) for entry, measure in touched if measure == "health"]
    return [FineClass(part=entry["part"], because=measure) for entry, measure in (*special, *_gravest(by_size))]


def _gravest(touched: Sequence[tuple[Mapping[str, Any], str]]) -> Sequence[tuple[Mapping[str, Any], str]]:
    highest = max((entry["part"] for entry, _ in touched), default=0)
    return [(entry, measure) for entry, measure in touched if entry["part"] == highest][:1]


def _meets(entry: Mapping[str, Any], measure: str, counts: Mapping[str, int]) -> bool:
    limits = entry.get(measure)
    if limits is None:
        return False
    count, least, more_than = counts[measure], int(limits.get("at_least", 0)), int(limits.get("more_than", -1))
    return count >= least and count > more_than


@cache
def _classes() -> Sequence[Mapping[str, Any]]:
    text = resources.files("leadgate.incidents").joinpath("fine_classes.json").read_text(encoding="utf-8")
    return list(json.loads(text)["classes"])
