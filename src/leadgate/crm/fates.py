"""What becomes of messages after they were said: statuses of ours, edits and deletions of the client's.

Vendors' ids of messages are kept as blind indexes: some of them contain the client's phone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from leadgate.ports.stores import StoredFate, Transaction
from leadgate.vault.envelope import Vault

SENT, FAILED, EDITED, DELETED = "sent", "failed", "edited", "deleted"
STATUSES = (SENT, FAILED, "delivered", "read")
"""Later ones win: a status never goes backwards, and what was delivered did not fail, whatever comes late."""

STRANGERS_KEPT = timedelta(days=7)
"""How long a status of a message that we do not know waits for our own note of it."""


class Fates:
    """Knows messages by the vendor's ids."""

    def __init__(self, vault: Vault) -> None:
        """Make blind indexes with this vault."""
        self._vault = vault

    def note_heard(self, tx: Transaction, connection_id: str, vendor_id: str, message_id: str, *, at: datetime) -> bool:
        """A message of the client has this id at the vendor; False when the client took it back before we read it."""
        index = self._index(tx, connection_id, vendor_id)
        known = tx.fates.find(connection_id, index)
        if known is not None and known.status == DELETED:
            return False
        tx.fates.set(connection_id, index, _blank(at, message_id=message_id))
        return True

    def note_sent(
        self,
        tx: Transaction,
        connection_id: str,
        vendor_id: str,
        message_id: str,
        *,
        delivery_id: str,
        at: datetime,
    ) -> StoredFate:
        """A message of ours has this id at the vendor; returns its fate. A status that came before this note stands."""
        index = self._index(tx, connection_id, vendor_id)
        known = tx.fates.find(connection_id, index) or _blank(at)
        fate = replace(known, message_id=message_id, delivery_id=delivery_id, status=known.status or SENT)
        tx.fates.set(connection_id, index, fate)
        return fate

    def advance(
        self,
        tx: Transaction,
        connection_id: str,
        vendor_id: str,
        status: str,
        error_code: str | None,
        *,
        at: datetime,
        message_id: str | None = None,
    ) -> StoredFate | None:
        """The vendor says what became of our message; the new fate, or None when it says nothing new.

        Args:
            message_id: our id of it, where the vendor brought it back: whatever became of the answer to our call.
        """
        if status not in STATUSES:
            return None
        index = self._index(tx, connection_id, vendor_id)
        known = tx.fates.find(connection_id, index) or _blank(at, message_id=message_id)
        if known.status is not None and _rank(status) <= _rank(known.status):
            return None
        news = replace(known, status=status, error_code=error_code if status == FAILED else None, changed_at=at)
        tx.fates.set(connection_id, index, news)
        return news

    def claim(self, tx: Transaction, message_id: str, delivery_id: str) -> StoredFate | None:
        """Of a delivery whose answer was lost: what the vendor said of its message, which it took; None when it said nothing."""
        return tx.fates.of_delivery(delivery_id) if tx.fates.claim(message_id, delivery_id) else None

    def note_edit(self, tx: Transaction, connection_id: str, vendor_id: str, message_id: str, *, at: datetime) -> bool:
        """The client changed a message, and our id of the new words is this; False when the message was deleted before."""
        index = self._index(tx, connection_id, vendor_id)
        known = tx.fates.find(connection_id, index)
        if known is not None and known.status == DELETED:
            return False
        if known is not None:
            tx.fates.set(connection_id, index, replace(known, status=EDITED, changed_at=at))
        free = next(place for place in self._edits(tx, connection_id, vendor_id) if place[1] is None)
        tx.fates.set(connection_id, free[0], _blank(at, message_id=message_id))
        return True

    def take_back(self, tx: Transaction, connection_id: str, vendor_id: str, *, at: datetime) -> list[str]:
        """The client deleted a message: our ids of it and of every edit of it; none when we never had it or know already."""
        index = self._index(tx, connection_id, vendor_id)
        known = tx.fates.find(connection_id, index)
        if known is not None and known.status == DELETED:
            return []
        # Also of a message that we do not know: its edit may come late.
        tx.fates.set(connection_id, index, replace(known or _blank(at), status=DELETED, changed_at=at))
        gone = [] if known is None else [known.message_id]
        for _, edit in self._edits(tx, connection_id, vendor_id):
            if edit is None:
                break
            gone.append(edit.message_id)
        return [message_id for message_id in gone if message_id is not None]

    def _edits(self, tx: Transaction, connection_id: str, vendor_id: str) -> Iterator[tuple[bytes, StoredFate | None]]:
        """Where the edits of a message are noted, the first one first; endless, those after the last are None."""
        for number in count(1):
            index = self._index(tx, connection_id, f"{vendor_id}\nedit {number}")
            yield index, tx.fates.find(connection_id, index)

    def _index(self, tx: Transaction, connection_id: str, vendor_id: str) -> bytes:
        return self._vault.index(tx.workspace_id, f"message:{connection_id}", vendor_id)


def _blank(at: datetime, *, message_id: str | None = None) -> StoredFate:
    return StoredFate(message_id=message_id, delivery_id=None, status=None, error_code=None, changed_at=at)


def _rank(status: str) -> int:
    """Edits and deletions are of the client's messages: no status of ours goes beyond them."""
    return STATUSES.index(status) if status in STATUSES else len(STATUSES)
