"""`python -m tests.tampering`: manipulate a journal's files, and measure a large one.

python -m tests.tampering                           ten thousand manipulations; ends with 1 when one was not found
python -m tests.tampering --measure 10000000        append, proof and verify at this size; asserts nothing
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.tampering.campaign import run
from tests.tampering.figures import measure

SIZES = (3, 9, 24), (40, 90, 150), (700, 1100, 1500)
SHARES = (10, 9, 1)


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.tampering", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="manipulations in all (10,000)")
    parser.add_argument("--seed", type=int, help="repeats a campaign; random and printed otherwise")
    parser.add_argument("--measure", type=int, metavar="SIZE", help="measure a journal of so many entries instead")
    options = parser.parse_args()
    if options.measure is not None:
        with tempfile.TemporaryDirectory() as folder:
            return _say(*measure(Path(folder), options.measure))
    seed = random.randrange(2**31) if options.seed is None else options.seed  # noqa: S311 - no secret is made here
    missed: list[str] = []
    done = 0
    for sizes, share in zip(SIZES, SHARES, strict=True):
        count = options.count * share // sum(SHARES)
        with tempfile.TemporaryDirectory() as folder:
            missed += run(Path(folder), count=count, seed=seed, sizes=sizes)
        done += count
        _say(f"{count} manipulations of a journal of {sizes[-1]} entries")
    _say(*missed, f"{done} manipulations, seed {seed}: {len(missed)} not found or not named")
    return 1 if missed else 0


def _say(*lines: str) -> int:
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
