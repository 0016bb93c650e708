"""Starts the product with a wall clock that a test puts forward and back: `python clock_runner.py FILE COMMAND…`.

FILE holds the seconds by which the wall clock is wrong; the monotonic clock stays as it is, as with any jump.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from leadgate.cli import main
from leadgate.system import SystemClock


def run(file: Path, arguments: list[str]) -> None:
    """Replace the one place in which the product reads the wall clock, and hand the rest to it."""

    def now(_clock: SystemClock) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(file.read_text()))

    with patch.object(SystemClock, "now", now):
        main(arguments)


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2:])
