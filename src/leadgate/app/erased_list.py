"""The list of the erased: a file beside the database, so that a restored backup does not bring anybody back. Ids only.

One line an erasure, only ever added to, on disk before the first row goes. A line whose erasure failed afterwards stays: what it
asks for was asked for.
"""

from __future__ import annotations

import contextlib
import os
from datetime import datetime
from pathlib import Path

import msgspec

from leadgate.errors import ConfigurationError, StorageUnavailableError

FILE = "erased.jsonl"
_BEGINNING = b'{"erasure":'


class ErasedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure.

    Attributes:
        at: aware time.
        subjects: everybody who was this person.
        spares_crm: the CRM was not asked to destroy anything: the term was ours, not the person's wish.
        events: what held something of the person, so that a backup in which nobody had worked on them yet stays silent too.
    """

    erasure: str
    at: datetime
    subjects: tuple[str, ...]
    events: tuple[str, ...] = ()
    spares_crm: bool = False


def add(folder: Path, line: ErasedLine) -> None:
    """Add a line; it is on disk when this returns. The same erasure twice makes two lines, which is harmless.

    Raises:
        StorageUnavailableError: it cannot be written; nothing may be erased then.
    """
    path = folder / FILE
    written = msgspec.json.encode(line) + b"\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            end = os.lseek(descriptor, 0, os.SEEK_END)
            if end and not _ends_with_newline(path):
                written = b"\n" + written  # a power cut tore the last line: it must not swallow this one
            if os.write(descriptor, written) != len(written):
                raise OSError("the line was cut short")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _sync_folder(folder)
    except OSError as error:
        raise StorageUnavailableError(f"The list of the erased ({FILE}) cannot be written.") from error


def read(folder: Path) -> list[ErasedLine]:
    """Every line, oldest first; none when there is no file. Raises ConfigurationError as `read_file`."""
    return read_file(folder / FILE)


def read_file(path: Path) -> list[ErasedLine]:
    """As `read`, of a list that lies elsewhere.

    Raises:
        ConfigurationError: it cannot be read, or a whole line of it (`erasure.list_damaged`). Better no restore than a person who
            comes back.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigurationError(f"The list of the erased cannot be read: {error.strerror}.") from error
    return parse(content)


def parse(content: bytes) -> list[ErasedLine]:
    """The lines of a list; what a power cut tore off is passed over: no row went after it. Raises as `read_file`."""
    found = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            erased = msgspec.json.decode(line, type=ErasedLine) if line.strip() else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            if not _is_torn(line):
                raise _damaged(number) from None
            continue
        if erased is not None and erased.at.tzinfo is None:
            raise _damaged(number)
        found += [] if erased is None else [erased]
    return found


def _is_torn(line: bytes) -> bool:
    """The beginning of a line of ours that was cut off; a whole one ends with its only closing brace."""
    return line[: len(_BEGINNING)] == _BEGINNING[: len(line)] and not line.endswith(b"}")


def _damaged(number: int) -> ConfigurationError:
    return ConfigurationError(
        f"Line {number} of the list of the erased cannot be read.",
        code="erasure.list_damaged",
        hint=f"Put {FILE} back from another copy of the data directory; a backup may bring erased people back otherwise.",
    )


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, descriptor)
        os.fsync(descriptor)
