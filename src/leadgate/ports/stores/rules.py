"""What the owner decided and may decide anew: policies, terms, modes. One document by name; nothing in it is about a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """A decision as it stands now.

    Attributes:
        body: JSON, of the shape that the room knows whose rule it is.
        version: from 1, one more with every change.
        changed_by: a staff id, `command` or `token:tok_…`.
    """

    name: str
    body: bytes
    version: int
    changed_at: datetime
    changed_by: str


class RuleStore(Protocol):
    """The salon's own rules; what was never decided stands at the product's default and is not here."""

    def find(self, name: str) -> StoredRule | None:
        """The rule, or None while the default holds."""
        ...

    def set(self, name: str, body: bytes, *, by: str, at: datetime) -> int:
        """Decide it anew; its new version."""
        ...
