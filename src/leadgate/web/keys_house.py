"""What the pages and the API need of the key encryption key."""

from __future__ import annotations

from typing import Protocol

from leadgate.model.keys import KeyStatus


class Keys(Protocol):
    """The key encryption key of one salon."""

    async def status(self) -> KeyStatus:
        """How it stands now."""
        ...

    async def rotate(self, *, by: str) -> KeyStatus:
        """Wrap with a new key from now on.

        Raises:
            ConfigurationError: the recovery key on paper is needed once; the command takes it.
            ConflictError: it is being rotated just now.
            JournalUnavailableError: the journal cannot be written; nothing was changed.
        """
        ...
