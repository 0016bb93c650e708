"""The one gate of advertising. What advertises needs an `AdvertisingPermit`, and only `find_permit` makes one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from leadgate.crm.consent.rule import read_rule
from leadgate.crm.one_person import everyone, root
from leadgate.errors import PrivacyError
from leadgate.model.consents import ConsentPurpose, Decision
from leadgate.ports.stores import Transaction

_KEY = object()


@dataclass(frozen=True, slots=True)
class AdvertisingPermit:
    """One person may be sent advertising, within the transaction that found it out: a withdrawal beside it is never overtaken.

    Attributes:
        subject_id: who.
        tx: the transaction that it holds in.
    """

    subject_id: str
    tx: Transaction
    _key: Any = field(repr=False)

    def __post_init__(self) -> None:
        """Nobody else makes one. Raises PrivacyError (`consent.no_permit`)."""
        if self._key is not _KEY:
            raise _refused()

    def check(self, tx: Transaction, subject_id: str) -> None:
        """Raises PrivacyError (`consent.no_permit`) when it was made for another transaction or person."""
        if self.tx is not tx or self.subject_id != root(tx, subject_id):
            raise _refused()


def find_permit(tx: Transaction, subject_id: str) -> AdvertisingPermit | None:
    """The permit to send a person advertising; None unless the salon advertises, and they agreed by a button or words of ours.

    What a bot builder tells is no such consent. Whoever opted out in one of their chats, by whatever means, gets none in any.
    """
    if not read_rule(tx).advertises:
        return None
    people = everyone(tx, subject_id)
    lines = [line for line in tx.consents.of_subjects(people) if line.purpose is ConsentPurpose.ADVERTISING]
    if not lines or lines[-1].decision is not Decision.GIVEN:
        return None
    if any(chat.opted_out_at is not None for chat in tx.conversations.of_subjects(people)):
        return None
    return AdvertisingPermit(people[0], tx, _KEY)


def may_advertise(tx: Transaction, subject_id: str) -> bool:
    """True when this person may be sent advertising now."""
    return find_permit(tx, subject_id) is not None


def may_pass_on(tx: Transaction, subject_id: str) -> bool:
    """True when this person's data may be handed to the recipient that the rule names."""
    if not read_rule(tx).passes_on_to:
        return False
    lines = [
        line for line in tx.consents.of_subjects(everyone(tx, subject_id)) if line.purpose is ConsentPurpose.PASSING_ON
    ]
    return bool(lines) and lines[-1].decision is Decision.GIVEN


def _refused() -> PrivacyError:
    return PrivacyError("There is no consent to advertising for this.", code="consent.no_permit")
