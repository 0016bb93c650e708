"""The register of consents and the texts that were agreed to. Lines are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from leadgate.model.consents import ConsentCount, ConsentPurpose, ConsentText, Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredConsent:
    """A line as it lies on disk: ids, purpose, state and times in clear, the rest sealed under the person's key.

    Attributes:
        number: from 1, one more with every line; two transactions that take the same one race, and one runs again.
        sealed_details: channel, way and words.
        record_hash: over the line before and every column of this one.
    """

    number: int
    subject_id: str
    purpose: ConsentPurpose
    decision: Decision
    decided_at: datetime
    recorded_at: datetime
    text_id: str | None
    text_hash: str | None
    message_id: str | None
    event_id: str
    sealed_details: bytes
    record_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OldTold:
    """What a bot builder told before there was a register; the version stands in clear until it is taken over."""

    event_id: str
    subject_id: str
    policy_version: str
    given_at: datetime
    recorded_at: datetime


class ConsentStore(Protocol):
    """Lines and texts."""

    def lock(self) -> None:
        """Nobody else adds a line until the transaction is over, so that numbers have no gap and follow the order of commits."""
        ...

    def add(self, line: StoredConsent) -> None:
        """Append a line."""
        ...

    def find(self, number: int) -> StoredConsent | None:
        """The line of this number."""
        ...

    def newest(
        self, *, limit: int, before: int | None = None, subject_ids: Sequence[str] | None = None
    ) -> Sequence[StoredConsent]:
        """Newest first, with a number less than `before`, of these people when they are named."""
        ...

    def of_subjects(self, subject_ids: Sequence[str]) -> Sequence[StoredConsent]:
        """Everything that these people, who may be one, decided; the earliest first."""
        ...

    def after(self, number: int, *, limit: int) -> Sequence[StoredConsent]:
        """Lines behind this one, in order."""
        ...

    def head(self) -> StoredConsent | None:
        """The last line."""
        ...

    def counts(self) -> Sequence[ConsentCount]:
        """How many people stand where, by purpose."""
        ...

    def journaled(self) -> int:
        """Up to which number the audit journal has the lines."""
        ...

    def note_journaled(self, number: int) -> None:
        """The audit journal has the lines up to this one."""
        ...

    def add_text(self, text: ConsentText) -> None:
        """Keep a new version; another of the same number is a race, and one runs again."""
        ...

    def find_text(self, text_id: str) -> ConsentText | None:
        """One version."""
        ...

    def newest_text(self, purpose: ConsentPurpose, locale: str) -> ConsentText | None:
        """The last version of a text."""
        ...

    def texts(self) -> Sequence[ConsentText]:
        """Every version, the newest of each purpose and language first."""
        ...

    def old_told(self, *, limit: int) -> Sequence[OldTold]:
        """What lies in the table from before the register, the earliest first."""
        ...

    def forget_old_told(self, event_ids: Sequence[str]) -> None:
        """These stand in the register now."""
        ...
