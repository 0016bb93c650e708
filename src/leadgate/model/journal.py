"""The audit journal's closed vocabulary: who did what to what. Identifiers and numbers only, never a person's data.

An erased person stays in the journal as an id that leads nowhere, so erasure never breaks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Tag(StrEnum):
    """What happened. A new kind of act needs a new tag here and its words in the catalogue `journal`."""

    CONSENT_GIVEN = "consent.given"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    CONSENT_TEXT_CHANGED = "consent.text_changed"
    SUBJECT_SEARCHED = "subject.searched"
    SUBJECT_EXPORTED = "subject.exported"
    SUBJECT_CORRECTED = "subject.corrected"
    SUBJECT_BLOCKED = "subject.blocked"
    SUBJECT_UNBLOCKED = "subject.unblocked"
    SUBJECT_ERASED = "subject.erased"
    ERASURE_FOLLOWED = "erasure.followed"
    REQUEST_OPENED = "request.opened"
    REQUEST_ASSIGNED = "request.assigned"
    REQUEST_READ = "request.read"
    REQUEST_EXTENDED = "request.extended"
    REQUEST_CLOSED = "request.closed"
    BACKUP_CREATED = "backup.created"
    BACKUP_RESTORED = "backup.restored"
    RETENTION_CHANGED = "retention.changed"
    RETENTION_SWEPT = "retention.swept"
    POLICY_CHANGED = "policy.changed"
    HEALTH_MODE_CHANGED = "health.mode_changed"
    RECIPIENT_ALLOWED = "recipient.allowed"
    RECIPIENT_REFUSED = "recipient.refused"
    INCIDENT_OPENED = "incident.opened"
    INCIDENT_CHANGED = "incident.changed"
    INCIDENT_CLOSED = "incident.closed"
    JOURNAL_EXPORTED = "journal.exported"


class Result(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One act, before it has a number.

    Attributes:
        by: who: a staff id, `command`, `token:tok_…`, `client:subj_…` or `system`.
        on: the id of what it was done to (`subj_…`, `req_…`, the name of a rule); None when there is no single thing.
        details: identifiers, codes, versions and numbers by name; no text that a person wrote.
    """

    tag: Tag
    by: str
    on: str | None = None
    result: Result = Result.DONE
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """An entry as it stands in the journal; numbers count from 1 without a gap."""

    number: int
    at: datetime
    entry: JournalEntry
