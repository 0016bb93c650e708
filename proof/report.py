"""The results as tables for people and as JSON for comparison."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from proof.campaign import Result
from proof.sweep import SweepResult

_SHOWN = 10


@dataclass(slots=True)
class Report:
    """Everything that was run.

    Attributes:
        campaign: one result for each salon; empty when it was left out.
        sweeps: by name.
    """

    seed: int
    campaign: list[Result] = field(default_factory=list)
    sweeps: dict[str, SweepResult] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """True when nothing was lost, doubled or otherwise wrong."""
        return all(result.is_good for result in self.campaign) and not any(one.wrong for one in self.sweeps.values())


def print_report(report: Report) -> None:
    """Tables on standard output, and beneath them what the columns do not say."""
    console = Console(width=120, highlight=False)
    if report.campaign:
        _print_campaign(console, report.campaign, report.seed)
    if report.sweeps:
        _print_sweeps(console, report.sweeps)


def write_report(file: Path, report: Report) -> None:
    """The same as JSON, with the machine."""
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load_1_5_15": os.getloadavg()},
        "is_good": report.is_good,
        **asdict(report),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _print_campaign(console: Console, results: Sequence[Result], seed: int) -> None:
    table = Table("salon", "events", "kills", "faults", "lost", "doubled", "seconds", box=None, pad_edge=False)
    for number, result in enumerate(results, 1):
        table.add_row(str(number), *_row([result]))
    table.add_row("all", *_row(results), style="bold")
    console.print(table)
    for line in _notes(results, seed):
        console.print(line, markup=False)


def _print_sweeps(console: Console, sweeps: dict[str, SweepResult]) -> None:
    table = Table("sweep", "days", "strikes", "wrong", "seconds", box=None, pad_edge=False)
    for name, result in sweeps.items():
        numbers = (result.days, result.strikes, len(result.wrong))
        table.add_row(name, *(f"{number:,}" for number in numbers), f"{result.seconds:.0f}")
    console.print(table)
    for result in sweeps.values():
        if result.passes:
            console.print(
                "passes struck:", ", ".join(f"{name} {count}" for name, count in sorted(result.passes.items()))
            )
        for one in result.wrong[:_SHOWN]:
            console.print(f"  WRONG: {one}", markup=False)


def _row(results: Sequence[Result]) -> list[str]:
    faults = sum(sum(result.faults.values()) for result in results)
    lost, doubled = sum(len(result.lost) for result in results), sum(len(result.doubled) for result in results)
    numbers = [sum(result.events for result in results), sum(result.kills for result in results), faults, lost, doubled]
    return [*(f"{number:,}" for number in numbers), f"{max(result.seconds for result in results):.0f}"]


def _notes(results: Sequence[Result], seed: int) -> list[str]:
    def total(name: str) -> int:
        return int(sum(getattr(result, name) for result in results))

    lines = [
        f"kills: {total('early')} before the process was ready, {total('cold')} in a fresh interpreter; seed {seed}",
        f"deliveries under way when their process died: {total('orphans')}",
        f"in the CRM: {total('leads'):,} leads, {total('entries'):,} entries, {total('arrived_meanwhile'):,} before the last kill",
        f"senders: {total('posts'):,} posts; portal: {total('outages')} outages",
        f"replies: {total('replies'):,} sent, {total('replies_uncertain')} uncertain",
        f"dead: {total('dead')}; reconcile: {'/'.join(str(result.reconcile) for result in results)}",
    ]
    for result in results:
        found = [*result.lost, *result.doubled, *result.wrong]
        lines += [f"  WRONG: {one}" for one in found[:_SHOWN]]
    return lines
