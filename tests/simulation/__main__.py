"""`python -m tests.simulation`: many seeds, or one to read.

python -m tests.simulation --seeds 20000          the campaign; prints a line, ends with 1 when something is wrong
python -m tests.simulation --seed 4711 -v         one seed with its trace
python -m tests.simulation --bug "no quiet time"  the same with a planted bug; --bugs lists them
"""

import argparse
import sys

from tests.simulation.bugs import BUGS
from tests.simulation.campaign import Tally, planted, run_campaign
from tests.simulation.simulation import run_seed, simulated

_SHOWN = 20


def main() -> int:
    """Run as the arguments say; 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Simulate the delivery core.")
    parser.add_argument("--seeds", type=int, default=20_000, help="how many (20000)")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first (0)")
    parser.add_argument("--processes", type=int, help="how many at once (one per core)")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("-v", "--verbose", action="store_true", help="with its trace")
    parser.add_argument("--bug", help="plant a bug")
    parser.add_argument("--bugs", action="store_true", help="list the bugs that can be planted")
    options = parser.parse_args()
    if options.bugs:
        _say(*(f"{bug.name}  (found within {bug.within} seeds)" for bug in BUGS))
        return 0
    if options.seed is not None:
        return _run_one(options.seed, options.bug, is_traced=options.verbose)
    tally = run_campaign(options.first, options.seeds, bug=options.bug, processes=options.processes)
    _say(*report(tally))
    return 1 if tally.failures else 0


def report(tally: Tally) -> list[str]:
    """Lines for a person."""
    sums = (
        f"{tally.seeds} seeds, {tally.deliveries} deliveries, {tally.faults} faults, {len(tally.failures)} violations"
    )
    lines = [f"{sums}, {tally.seconds:.0f} s"]
    lines += [f"  seed {seed}: {what}" for seed, what in sorted(tally.failures.items())[:_SHOWN]]
    if tally.failures:
        lines.append(f"See it: python -m tests.simulation --seed {min(tally.failures)} -v")
    return lines


def _run_one(seed: int, bug: str | None, *, is_traced: bool) -> int:
    with simulated(), planted(bug):
        result = run_seed(seed, is_traced=is_traced)
    _say(*result.trace)
    _say(f"seed {seed}: {result.deliveries} deliveries, {result.faults} faults", *result.violations)
    return 1 if result.violations else 0


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
