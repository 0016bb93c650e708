"""`python -m tests.hostile`: attack a running gateway while honest leads go on.

python -m tests.hostile                   two thousand requests of each attack; ends with 1 when a rule broke
python -m tests.hostile --count 100       a smaller campaign; with --seed it is the same again
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.hostile.campaign import run


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="requests of each attack (2000)")
    parser.add_argument("--seed", type=int, help="repeats a campaign; random and printed otherwise")
    options = parser.parse_args()
    seed = random.randrange(2**31) if options.seed is None else options.seed  # noqa: S311 - no secret is made here
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(run(Path(folder), count=options.count, seed=seed))
    for line in report.told():
        sys.stdout.write(line + "\n")
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
