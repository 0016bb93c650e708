"""Files of the data directory as they are at one moment, also SQLite files that somebody writes to meanwhile."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

_SQLITE_MAGIC = b"SQLite format 3\0"
_BUSY_TIMEOUT_S = 5.0


@contextlib.contextmanager
def steady(path: Path, *, folder: Path, prefix: str) -> Iterator[BinaryIO]:
    """A file to read that does not change meanwhile.

    Args:
        folder: an SQLite file is copied to here, readable by its owner alone, and the copy has no name any more when it is read.
        prefix: begin of the copy's name; whoever is killed leaves such a file behind.

    Raises:
        OSError: it cannot be read or copied.
    """
    if not starts_with(path, _SQLITE_MAGIC):
        with path.open("rb") as file:
            yield file
        return
    with _copied(path, folder, prefix) as file:
        yield file


def starts_with(path: Path, magic: bytes) -> bool:
    """True when the file's first bytes are these; a file that is gone has none."""
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except FileNotFoundError:
        return False


def _copied(path: Path, folder: Path, prefix: str) -> BinaryIO:
    descriptor, name = mkstemp(prefix=prefix, dir=folder)
    os.close(descriptor)
    try:
        with (
            contextlib.closing(sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S)) as source,
            contextlib.closing(sqlite3.connect(name)) as copy,
        ):
            source.backup(copy)
        return Path(name).open("rb")
    except sqlite3.Error as error:
        raise OSError(None, f"{path.name} cannot be copied") from error
    finally:
        Path(name).unlink()
