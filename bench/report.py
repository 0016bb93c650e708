"""Figures with their targets: as a table for people and as JSON for comparison."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; without a bound it only informs."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool:
        """True when the figure is within its bounds."""
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)


def print_figures(figures: Sequence[Figure]) -> None:
    """A table on standard output."""
    table = Table("figure", "value", "target", "", box=None, pad_edge=False)
    for figure in figures:
        bound = f"≥ {figure.at_least:g}" if figure.at_least is not None else ""
        bound = f"≤ {figure.at_most:g}" if figure.at_most is not None else bound
        verdict = ("met" if figure.is_met else "MISSED") if bound else ""
        table.add_row(figure.name, f"{figure.value:.4g} {figure.unit}".rstrip(), bound, verdict)
    Console(width=140).print(table)


def write_figures(figures: Sequence[Figure], file: Path) -> None:
    """The same as JSON, with the machine and its load: figures of different machines do not compare."""
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load_1_5_15": os.getloadavg()}
    document = {"machine": machine, "figures": [{**asdict(figure), "is_met": figure.is_met} for figure in figures]}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
