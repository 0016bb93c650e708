"""Erasing a person from the database: every row of theirs and the data keys that seal it.

Here is what happens inside one transaction; the journal, the list of the erased and the order to the CRM are joined to it by `app`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from leadgate.crm.identity import Identities
from leadgate.model.erasures import ErasedRows
from leadgate.ports.stores import Transaction
from leadgate.rights.requests import request_scope
from leadgate.vault.envelope import subject_scope


def erase_rows(
    tx: Transaction, subject_ids: Sequence[str], *, at: datetime, event_ids: Sequence[str] = ()
) -> ErasedRows:
    """Destroy everything of these people, whoever they turned out to be besides; ids, states and counts stay for the ledger.

    The keys go first: whoever seals for these people at this moment is waited for, and seen by what follows; whoever comes later
    finds no key. A second call finds nothing more and changes nothing. Call `Vault.forget` for their scopes after the commit.

    Args:
        subject_ids: any of the subjects that are the person; unknown ones are passed over.
        at: aware time.
        event_ids: events that hold something of the person though no row says so: those that nobody had worked on. They get
            their end and lose their bodies, so that no later work brings the person back.
    """
    people = list(dict.fromkeys(one for subject_id in subject_ids for one in Identities.everyone(tx, subject_id)))
    if not people:
        return ErasedRows(subject_ids=(), keys=(), counts={}, leads=())
    tx.subjects.lock(*people)
    # Somebody may have been joined to them before the lock was ours.
    people = list(dict.fromkeys(one for subject_id in people for one in Identities.everyone(tx, subject_id)))
    requests = [request_scope(request.request_id) for request in tx.requests.of_subjects(people)]
    keys = tx.erasures.destroy_keys([*map(subject_scope, people), *requests])
    leads = tx.erasures.leads(people)
    tx.requests.forget_words(people)
    counts = tx.erasures.wipe(people, event_ids, at=at)
    return ErasedRows(subject_ids=people, keys=keys, counts=counts, leads=leads)
