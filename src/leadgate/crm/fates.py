"""What becomes of messages after they were said: statuses of ours, edits and deletions of the client's.

Vendors' ids of messages are kept as blind indexes: some of them contain the client's phone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from leadgate.ports.stores import StoredFate, Transaction
from leadgate.vault.envelope import Vault

STATUSES = ("sent", "failed", "delivered", "read")
"""Later ones win: a status never goes backwards, and what was delivered did not fail, whatever comes late."""

STRANGERS_KEPT = timedelta(days=7)
"""How long a status of a message that we do not know waits for our own note of it."""


class Fates:
    """Knows messages by the vendor's ids."""

    def __init__(self, vault: Vault) -> None:
        """Make blind indexes with this vault."""
        self._vault = vault

    def note_said(
        self, tx: Transaction, connection_id: str, vendor_id: str, message_id: str, *, is_ours: bool, at: datetime
    ) -> None:
        """A message has this id at the vendor. A status that came earlier than this note is kept."""
        index = self._index(tx, connection_id, vendor_id)
        known = tx.fates.find(connection_id, index)
        if known is None:
            known = StoredFate(message_id=None, status="sent" if is_ours else None, error_code=None, changed_at=at)
        tx.fates.set(connection_id, index, replace(known, message_id=message_id))

    def advance(
        self, tx: Transaction, connection_id: str, vendor_id: str, status: str, error_code: str | None, *, at: datetime
    ) -> None:
        """The vendor says what became of our message."""
        if status not in STATUSES:
            return
        index = self._index(tx, connection_id, vendor_id)
        known = tx.fates.find(connection_id, index)
        if known is None:
            known = StoredFate(message_id=None, status=None, error_code=None, changed_at=at)
        if known.status in STATUSES and STATUSES.index(status) <= STATUSES.index(str(known.status)):
            return
        news = replace(known, status=status, error_code=error_code if status == "failed" else None, changed_at=at)
        tx.fates.set(connection_id, index, news)

    def mark(self, tx: Transaction, connection_id: str, vendor_id: str, status: str, *, at: datetime) -> str | None:
        """The client edited or deleted a message: our id of it, or None when we never had it."""
        index = self._index(tx, connection_id, vendor_id)
        known = tx.fates.find(connection_id, index)
        if known is None or known.message_id is None:
            return None
        tx.fates.set(connection_id, index, replace(known, status=status, changed_at=at))
        return known.message_id

    def _index(self, tx: Transaction, connection_id: str, vendor_id: str) -> bytes:
        return self._vault.index(tx.workspace_id, f"message:{connection_id}", vendor_id)
