"""`python -m bench [--quick] [SECTION …]`: measure, print a table, write build/bench.json. Never fails for a missed target."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.drain import measure_drain
from bench.history import measure_history
from bench.house import make_house, run_vendors, take_load_core
from bench.intake import measure_intake
from bench.parse import measure_parsing
from bench.replies import measure_replies
from bench.report import Figure, print_figures, write_figures
from bench.start import measure_start

BUILD = Path(__file__).resolve().parents[1] / "build"


def _intake(folder: Path, *, quick: bool) -> list[Figure]:
    requests, rounds, calm_s = (200, 1, 1) if quick else (4000, 5, 15)
    with run_vendors(folder) as options:
        # A house for each role: what the one leaves to be worked on must not burden the other.
        houses = {role: make_house(folder / role, **options) for role in ("intake", "all")}
        return measure_intake(houses, folder, requests=requests, rounds=rounds, calm_s=calm_s)


def _replies(folder: Path, *, quick: bool) -> list[Figure]:
    return measure_replies(folder, seconds=2 if quick else 25)


def _history(folder: Path, *, quick: bool) -> list[Figure]:
    events, requests, rounds = (10_000, 200, 1) if quick else (1_000_000, 3000, 5)
    return measure_history(folder, events=events, requests=requests, rounds=rounds)


def _start(folder: Path, *, quick: bool) -> list[Figure]:
    return measure_start(folder, rounds=1 if quick else 3)


def _drain(folder: Path, *, quick: bool) -> list[Figure]:
    return measure_drain(folder, backlog=int(os.environ.get("LEADS", "60" if quick else "700")))


def _parse(_folder: Path, *, quick: bool) -> list[Figure]:
    return measure_parsing(rounds=1 if quick else 5, round_s=0.02 if quick else 0.4)


SECTIONS: dict[str, Callable[..., list[Figure]]] = {
    "start": _start,
    "parse": _parse,
    "intake": _intake,
    "replies": _replies,
    "history": _history,
    "drain": _drain,
}


def main() -> None:
    """Run every section, or those named."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks of the gateway.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"one of {', '.join(SECTIONS)}; default all")
    parser.add_argument("--quick", action="store_true", help="a smoke test of the benchmarks: figures mean little")
    parser.add_argument("--out", type=Path, default=BUILD / "bench.json", help="where the JSON goes")
    given = parser.parse_args()
    unknown = set(given.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"unknown section: {', '.join(sorted(unknown))}")
    take_load_core()
    figures: list[Figure] = []
    BUILD.mkdir(exist_ok=True)
    # Beside the sources, not in a temporary file system that may live in memory: what is measured is a disk.
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="bench-") as folder:
        for name in given.sections or SECTIONS:
            figures += SECTIONS[name](Path(folder), quick=given.quick)
    print_figures(figures)
    write_figures(figures, given.out)


if __name__ == "__main__":
    main()
