"""`python -m proof`: run the campaign and the sweeps, print tables, write build/proof.json; ends with 1 when anything is wrong."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from proof.campaign import run_campaign
from proof.founding import sweep_founding
from proof.report import Report, print_report, write_report
from proof.sweep import ALL, SOME, open_rooms, sweep_pairs, sweep_series

BUILD = Path(__file__).resolve().parents[1] / "build"
SOME_PAIRS = 32
SOME_FOUNDING = 41


def main() -> int:
    """Parse, run, report."""
    text = "Kill the gateway again and again, under faults, and compare what was acknowledged with what the CRM has."
    parser = argparse.ArgumentParser(prog="python -m proof", description=text)
    kills, seed = int(os.environ.get("KILLS", "1000")), int(os.environ.get("SEED", "20261122"))
    parser.add_argument("--kills", type=int, default=kills, help="SIGKILLs of the campaign; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=seed, help="start of all dice of the campaign")
    parser.add_argument("--points", choices=("none", "some", "all"), default="all", help="which fault points are swept")
    parser.add_argument("--out", type=Path, default=BUILD / "proof.json", help="where the JSON goes")
    given = parser.parse_args()
    BUILD.mkdir(exist_ok=True)
    # Beside the sources, not in a temporary file system that may live in memory: what is killed has files on a disk.
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="proof-") as folder:
        report = asyncio.run(_run(Path(folder), kills=given.kills, seed=given.seed, points=given.points))
    print_report(report)
    write_report(given.out, report)
    return 0 if report.is_good else 1


async def _run(folder: Path, *, kills: int, seed: int, points: str) -> Report:
    report = Report(seed=seed)
    if kills:
        report.campaign = await run_campaign(folder / "campaign", kills=kills, seed=seed)
    if points != "none":
        stride, misses = (1, 2) if points == "all" else (SOME_FOUNDING, 1)
        report.sweeps["init, connect"] = await sweep_founding(folder / "workshops", stride=stride, misses=misses)
        async with open_rooms(folder / "rooms") as rooms:
            report.sweeps["one fault"] = await sweep_series(rooms, ALL if points == "all" else SOME)
            report.sweeps["two deaths"] = await sweep_pairs(rooms, most=None if points == "all" else SOME_PAIRS)
    return report


if __name__ == "__main__":
    sys.exit(main())
