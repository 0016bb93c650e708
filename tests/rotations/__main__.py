"""`python -m tests.rotations`: replace every kind of secret under load; ends with 1 when an honest request was refused."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.rotations.campaign import SENT_PER_S, run


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.rotations", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000, help="replacements of each kind (1,000)")
    parser.add_argument("--per-second", type=int, default=SENT_PER_S, help=f"honest requests a second ({SENT_PER_S})")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(run(Path(folder), count=options.count, per_s=options.per_second))
    sys.stdout.write("\n".join(result.lines()) + "\n")
    return 1 if result.refused or result.let_in else 0


if __name__ == "__main__":
    sys.exit(main())
