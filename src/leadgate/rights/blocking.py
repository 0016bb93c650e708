"""Blocking: what is about a person only lies here. The flag is looked at where deliveries are prepared and events are worked on.

Two steps, each a transaction: first the flag, then a look at what had begun before. A worker that had not seen the flag holds the
row of its lane until it has written `sending`; who waits for that row sees it. So once nothing is in hand, nothing goes out.
"""

from __future__ import annotations

from datetime import datetime

from leadgate.crm.identity import Identities
from leadgate.delivery.retry import MESSAGE_TOO_LATE_AFTER
from leadgate.errors import ConflictError
from leadgate.model.subjects import BLOCKED, Blocked, BlockReason, Unblocked
from leadgate.ports.stores import Transaction


def lock_person(tx: Transaction, subject_id: str) -> list[str]:
    """Every subject that is this person; nobody is joined to them until the transaction is over."""
    tx.subjects.lock(*Identities.everyone(tx, subject_id))
    return Identities.everyone(tx, subject_id)


def block(tx: Transaction, subject_id: str, reason: BlockReason, *, at: datetime) -> datetime:
    """Block every subject that is this person; since when they are. A second time changes nothing.

    Raises:
        ConflictError: the person was erased (`subject.erased`).
    """
    everyone = lock_person(tx, subject_id)
    if all(subject.erased_at is not None for subject in tx.persons.all_of(everyone)):
        raise ConflictError("This person was erased: nothing is left that could go out.", code="subject.erased")
    tx.persons.set_blocked(everyone, reason=reason.value, at=at)
    since = (subject.blocked_at for subject in tx.persons.all_of(everyone))
    return min((moment for moment in since if moment is not None), default=at)


def look_after_block(tx: Transaction, subject_id: str, *, since: datetime) -> Blocked:
    """What still goes on of a person who was blocked in an earlier transaction."""
    everyone = Identities.everyone(tx, subject_id)
    in_hand = tx.persons.in_hand(everyone)
    return Blocked(
        subject_id=everyone[0], since=since, waiting=tx.persons.count_waiting(everyone) - in_hand, in_hand=in_hand
    )


def unblock(tx: Transaction, subject_id: str, *, at: datetime) -> Unblocked:
    """Let everything go on that waited, in its order, and work on what came meanwhile.

    A message older than a day is not sent: as after an outage, it waits for a human, who writes anew.

    Raises:
        ConflictError: the person is not blocked (`subject.not_blocked`).
    """
    everyone = lock_person(tx, subject_id)
    if not tx.persons.blocked(everyone):
        raise ConflictError("This person is not blocked.", code="subject.not_blocked")
    tx.persons.set_unblocked(everyone)
    messages_since = at - MESSAGE_TOO_LATE_AFTER
    resumed = tx.persons.resume(everyone, code=BLOCKED, messages_since=messages_since, at=at)
    return Unblocked(
        subject_id=everyone[0], resumed=resumed.deliveries, too_late=resumed.too_late, reopened=resumed.events
    )
