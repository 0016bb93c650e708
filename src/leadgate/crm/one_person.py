"""Which subjects are one person: joins are followed upwards to the one that stands for them, and down to everybody."""

from __future__ import annotations

from leadgate.ports.stores import Transaction


def root(tx: Transaction, subject_id: str) -> str:
    """The subject that stands for the person."""
    seen = {subject_id}
    # `Identities.join` makes no rings; one that a damaged database holds must not stop the house.
    while (into := tx.subjects.find_joined(subject_id)) is not None and into not in seen:
        seen.add(into)
        subject_id = into
    return subject_id


def everyone(tx: Transaction, subject_id: str) -> list[str]:
    """All subjects that are this person, the one that stands for them first."""
    found = [root(tx, subject_id)]
    for subject in found:  # grows while it is walked through
        found += [joined for joined in tx.subjects.joined_into(subject) if joined not in found]
    return found
