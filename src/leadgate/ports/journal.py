"""The audit journal as the domains see it: entries are added, and read from the newest back. Nothing changes or removes one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from leadgate.model.journal import JournalEntry, JournalExtract, JournalRow


class Trail(Protocol):
    """Takes down what is done."""

    async def record(self, entry: JournalEntry) -> int:
        """Add an entry; its number. Returns after it is on disk.

        What must leave a trace is recorded before it is done, so that it is refused when the journal cannot be written.

        Raises:
            JournalUnavailableError: it could not be written (`journal.unavailable`), or the journal was changed from outside
                and is not added to (`journal.damaged`).
        """
        ...


class Journal(Trail, Protocol):
    """Keeps what was done. It lies apart from the database, so that whoever can change the one cannot change the other unseen."""

    async def newest(
        self, *, limit: int, before: int | None = None, on: str | None = None, area: str | None = None
    ) -> Sequence[JournalRow]:
        """Newest first, with a number less than `before`, about one thing when `on` is given, of one area of tags with `area`.

        Raises:
            JournalUnavailableError: it cannot be read.
        """
        ...

    async def checkpoint(self) -> str | None:
        """Write the newest signed checkpoint beside the journal, for good; None before the first entry.

        Raises:
            JournalUnavailableError: it could not be written, or the journal was changed from outside.
        """
        ...

    async def extract(self, numbers: Sequence[int]) -> JournalExtract:
        """Entries with proofs and a signed checkpoint, for a paper that has to stand without the journal.

        Raises:
            NotFoundError: there is no entry of a number.
            JournalUnavailableError: the journal cannot be read, or was changed.
        """
        ...

    async def export(self, target: Path) -> int:
        """Write every entry with the signed checkpoint into a new file, for the verifier; how many entries.

        Raises:
            ConfigurationError: the file cannot be written.
            JournalUnavailableError: the journal cannot be read, or was changed.
        """
        ...

    async def close(self) -> None:
        """Leave a signed checkpoint behind and close the file; nothing is recorded after it."""
        ...
