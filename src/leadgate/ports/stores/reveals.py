"""Who looked at a client's data, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReveal:
    """One look.

    Attributes:
        on_id: what was opened: `evt_…`, `dlv_…`.
        by_id: who looked.
        reason: a word of the closed list.
        key_scope: under whose key the words are sealed; None when there are none. `sealed_words` likewise.
    """

    reveal_id: str
    on_id: str
    by_id: str
    reason: str
    at: datetime
    key_scope: str | None = None
    sealed_words: bytes | None = None


class RevealStore(Protocol):
    """See the module."""

    def add(self, reveal: StoredReveal) -> None:
        """Keep a look."""
        ...

    def newest(self, *, limit: int, before: str | None = None, on_id: str | None = None) -> Sequence[StoredReveal]:
        """Newest first, with an id less than `before`, of one thing when it is named."""
        ...
