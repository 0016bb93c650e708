"""The least that erasing a person again in a restored database takes. Stands in until `rights.erasure.erase_rows` does it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import delete, update

from leadgate.ports.stores import Transaction
from leadgate.storage.schema import DELIVERY_IS_OPEN, data_keys, deliveries, events, identifiers, subjects
from leadgate.storage.transaction import SqlTransaction
from leadgate.vault.envelope import subject_scope


def erase_rows(tx: Transaction, subject_ids: Sequence[str], *, at: datetime, event_ids: Sequence[str] = ()) -> None:
    """Destroy the data keys, the blind indexes and the profiles of these people; what waits for delivery is given up."""
    connection, workspace_id = cast("SqlTransaction", tx).connection, tx.workspace_id
    ids, scopes = list(subject_ids), [subject_scope(subject_id) for subject_id in subject_ids]
    connection.execute(delete(data_keys).where(data_keys.c.workspace_id == workspace_id, data_keys.c.scope.in_(scopes)))
    connection.execute(
        delete(identifiers).where(identifiers.c.workspace_id == workspace_id, identifiers.c.subject_id.in_(ids))
    )
    connection.execute(
        update(subjects)
        .where(subjects.c.workspace_id == workspace_id, subjects.c.subject_id.in_(ids))
        .values(sealed_profile=None, erased_at=at)
    )
    connection.execute(
        update(deliveries)
        .where(deliveries.c.workspace_id == workspace_id, deliveries.c.subject_id.in_(ids), DELIVERY_IS_OPEN)
        .values(state="discarded", discard_reason="erased", due_at=None, done_at=at)
    )
    connection.execute(
        update(events)
        .where(events.c.workspace_id == workspace_id, events.c.event_id.in_(list(event_ids)))
        .values(state="ignored", reason="erased", sealed_body=None, processed_at=at)
    )
