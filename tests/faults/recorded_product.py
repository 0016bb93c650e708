"""Starts the product with its file calls recorded: `python recorded_product.py RECORD SYNCHRONOUS COMMAND…`.

Whatever happens to the process, RECORD tells what it had flushed. SYNCHRONOUS is `FULL`, as the product has it, or `NORMAL`:
the mistake that the test must find.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

from leadgate.cli import main
from leadgate.storage import engines
from tests.faults.power import RecordInFile, RecordingVfs
from tests.faults.sqlite_files import lend


def run(record: str, synchronous: str, arguments: list[str]) -> None:
    """Every database of this process is recorded; then the command goes its way."""
    lend(RecordingVfs("recording", RecordInFile(Path(record))), "recording", is_default=True)
    if synchronous != "FULL":
        _weaken(synchronous)
    main(arguments)


def _weaken(synchronous: str) -> None:
    prepare = engines._prepare_sqlite  # noqa: SLF001 - where the product gives its pragmas

    def prepare_weakly(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401 - as there
        prepare(connection, _record)
        connection.execute(f"PRAGMA synchronous={synchronous}")

    engines._prepare_sqlite = prepare_weakly  # noqa: SLF001 - as above


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], sys.argv[3:])
