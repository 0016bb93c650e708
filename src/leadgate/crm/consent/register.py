"""The register: what a person decided, on which text, shown by which message, answered by which event.

Lines are only added. The order of a person's lines always makes sense: what was not agreed to cannot be withdrawn, and what stands
is not agreed to again; what would break that adds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from leadgate.crm.consent.chain import hash_line
from leadgate.crm.one_person import everyone
from leadgate.errors import UnknownKeyError
from leadgate.model.consents import ConsentPurpose, ConsentRecord, Decision, How, Shown
from leadgate.model.leads import ConsentGiven
from leadgate.ports.stores import StoredConsent, Transaction
from leadgate.vault.envelope import Vault, subject_scope

_MAX_WORDS = 1000
_OLD_AT_ONCE = 500

Standing = Mapping[ConsentPurpose, Decision]
"""The last decision by purpose; what was never decided is not in it."""


class Details(msgspec.Struct, frozen=True):
    """What is sealed of a line."""

    channel: str
    how: How
    words: str | None = None
    told_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstance:
    """Where and when something was decided.

    Attributes:
        event_id: of the client's answer.
        decided_at: when they said it; `at` is now.
    """

    event_id: str
    channel: str
    how: How
    words: str | None
    decided_at: datetime
    at: datetime


class Register:
    """Writes and reads lines."""

    def __init__(self, vault: Vault) -> None:
        """Seal with this vault."""
        self._vault = vault

    def standing(self, tx: Transaction, subject_id: str) -> Standing:
        """Where a person stands, whichever of their channels it was said in."""
        return {line.purpose: line.decision for line in tx.consents.of_subjects(everyone(tx, subject_id))}

    def decide(
        self,
        tx: Transaction,
        subject_id: str,
        purpose: ConsentPurpose,
        decision: Decision,
        case: Circumstance,
        *,
        shown: Shown | None = None,
    ) -> StoredConsent | None:
        """Add what a person decided; None when it says nothing new, or was written down with this very event.

        A withdrawal refers to the text of the consent that it takes back.
        """
        tx.consents.lock()
        own = [line for line in tx.consents.of_subjects(everyone(tx, subject_id)) if line.purpose is purpose]
        last = own[-1] if own else None
        if any(line.event_id == case.event_id and line.decision is decision for line in own):
            return None
        if not _makes_sense(last, decision):
            return None
        if decision is Decision.WITHDRAWN and last is not None:
            shown = _shown(last)
        details = Details(channel=case.channel, how=case.how, words=(case.words or "")[:_MAX_WORDS] or None)
        return self._add(tx, subject_id, purpose, decision, details, case=case, shown=shown)

    def tell(
        self, tx: Transaction, subject_id: str, consent: ConsentGiven, *, event_id: str, channel: str, at: datetime
    ) -> StoredConsent | None:
        """Add what a bot builder tells of a consent to processing; None when this event has told it already.

        Neither does it bring back what the person has withdrawn or refused since: only a later consent does.
        """
        tx.consents.lock()
        purpose = ConsentPurpose.PROCESSING
        own = [line for line in tx.consents.of_subjects(everyone(tx, subject_id)) if line.purpose is purpose]
        if any(line.event_id == event_id and line.decision is Decision.TOLD for line in own):
            return None
        if own and not own[-1].decision.stands and consent.given_at <= own[-1].decided_at:
            return None
        case = Circumstance(
            event_id=event_id,
            channel=channel,
            how=How.ELSEWHERE,
            words=None,
            decided_at=consent.given_at,
            at=at,
        )
        details = Details(channel=channel, how=How.ELSEWHERE, told_version=consent.policy_version)
        return self._add(tx, subject_id, purpose, Decision.TOLD, details, case=case, shown=None)

    def told(self, tx: Transaction, subject_id: str) -> Sequence[ConsentGiven]:
        """What bot builders told of a person, the earliest first."""
        lines = [line for line in tx.consents.of_subjects(everyone(tx, subject_id)) if line.decision is Decision.TOLD]
        opened = [(line, self.details(tx, line)) for line in lines]
        told = [
            ConsentGiven(given_at=line.decided_at, policy_version=details.told_version or "")
            for line, details in opened
            if details is not None
        ]
        return sorted(told, key=lambda consent: consent.given_at)

    def details(self, tx: Transaction, line: StoredConsent) -> Details | None:
        """What is sealed of a line; None after the person was erased. Raises TamperedError."""
        try:
            plain = self._vault.open(tx, subject_scope(line.subject_id), _place(line.number), line.sealed_details)
        except UnknownKeyError:
            return None
        return msgspec.json.decode(plain, type=Details)

    def open(self, tx: Transaction, line: StoredConsent) -> ConsentRecord:
        """A line as people and programs read it."""
        details = self.details(tx, line)
        return ConsentRecord(
            number=line.number,
            subject_id=line.subject_id,
            purpose=line.purpose,
            decision=line.decision,
            decided_at=line.decided_at,
            recorded_at=line.recorded_at,
            text_id=line.text_id,
            text_hash=line.text_hash,
            message_id=line.message_id,
            event_id=line.event_id,
            channel=None if details is None else details.channel,
            how=None if details is None else details.how,
            words=None if details is None else details.words,
            told_version=None if details is None else details.told_version,
            record_hash=line.record_hash.hex(),
        )

    def take_over(self, tx: Transaction) -> int:
        """Move what was told before there was a register into it, sealed; returns how many rows were moved.

        What was told of a person who was erased meanwhile is dropped: there is no key to seal it under.
        """
        old = tx.consents.old_told(limit=_OLD_AT_ONCE)
        for told in old:
            consent = ConsentGiven(given_at=told.given_at, policy_version=told.policy_version)
            if tx.keys.find(subject_scope(told.subject_id)) is not None:
                self.tell(tx, told.subject_id, consent, event_id=told.event_id, channel="", at=told.recorded_at)
        if old:
            tx.consents.forget_old_told([told.event_id for told in old])
        return len(old)

    def _add(
        self,
        tx: Transaction,
        subject_id: str,
        purpose: ConsentPurpose,
        decision: Decision,
        details: Details,
        *,
        case: Circumstance,
        shown: Shown | None,
    ) -> StoredConsent:
        head = tx.consents.head()
        number = 1 if head is None else head.number + 1
        line = StoredConsent(
            number=number,
            subject_id=subject_id,
            purpose=purpose,
            decision=decision,
            decided_at=case.decided_at,
            recorded_at=case.at,
            text_id=shown.text_id if shown else None,
            text_hash=shown.text_hash if shown else None,
            message_id=shown.message_id if shown else None,
            event_id=case.event_id,
            sealed_details=self._vault.seal(
                tx, subject_scope(subject_id), _place(number), msgspec.json.encode(details)
            ),
            record_hash=b"",
        )
        line = replace(line, record_hash=hash_line(line, b"" if head is None else head.record_hash))
        tx.consents.add(line)
        return line


def _makes_sense(last: StoredConsent | None, decision: Decision) -> bool:
    """Nothing is agreed to twice, refused twice in a row, or withdrawn that does not stand."""
    if decision is Decision.WITHDRAWN:
        return last is not None and last.decision.stands
    if decision is Decision.REFUSED:
        return last is None
    return last is None or not last.decision.stands


def _shown(line: StoredConsent) -> Shown | None:
    if line.text_id is None or line.text_hash is None or line.message_id is None:
        return None
    return Shown(purpose=line.purpose, text_id=line.text_id, text_hash=line.text_hash, message_id=line.message_id)


def _place(number: int) -> str:
    return f"consent_register.details:{number}"
