"""The audit journal's closed vocabulary: who did what to what. Identifiers and numbers only, never a person's data.

An erased person stays in the journal as an id that leads nowhere, so erasure never breaks it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Tag(StrEnum):
    """What happened: area and act. A new kind of act needs a new tag here and its words in the catalogue `journal`.

    A tag that is not used any more stays: entries of former years have it.
    """

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
    OWN_NETWORK_ALLOWED = "own_network.allowed"
    OWN_NETWORK_REFUSED = "own_network.refused"
    INCIDENT_OPENED = "incident.opened"
    INCIDENT_CHANGED = "incident.changed"
    INCIDENT_CLOSED = "incident.closed"
    WEBHOOK_REFUSED = "webhook.refused"
    DELIVERY_DISCARDED = "delivery.discarded"
    DELIVERY_CONFIRMED = "delivery.confirmed"
    DELIVERY_REVEALED = "delivery.revealed"
    DELIVERY_FIXED = "delivery.fixed"
    LEDGER_ACCEPTED = "ledger.accepted"
    LEDGER_ACCEPTANCE_WITHDRAWN = "ledger.acceptance_withdrawn"
    JOURNAL_EXPORTED = "journal.exported"
    KEY_ROTATED = "key.rotated"
    KEY_REWRAPPED = "key.rewrapped"
    KEY_DROPPED = "key.dropped"
    KEY_MOVED = "key.moved"
    KEY_MOVE_CONFIRMED = "key.move_confirmed"
    KEY_MOVE_UNDONE = "key.move_undone"
    KEY_FILE_SEALED = "key.file_sealed"
    KEY_FILE_OPENED = "key.file_opened"
    SECRET_SET = "secret.set"  # noqa: S105 - the name of an act, not a secret
    SECRET_ROTATED = "secret.rotated"  # noqa: S105 - the name of an act, not a secret
    SECRET_CONFIRMED = "secret.confirmed"  # noqa: S105 - the name of an act, not a secret
    SECRET_RETURNED = "secret.returned"  # noqa: S105 - the name of an act, not a secret
    SECRET_DUE_CHANGED = "secret.due_changed"  # noqa: S105 - the name of an act, not a secret
    STAFF_INVITED = "staff.invited"
    STAFF_SET_UP = "staff.set_up"
    STAFF_SIGNED_IN = "staff.signed_in"
    STAFF_SIGN_IN_REFUSED = "staff.sign_in_refused"
    STAFF_SIGNED_OUT = "staff.signed_out"
    STAFF_PROVEN = "staff.proven"
    STAFF_ROLE_CHANGED = "staff.role_changed"
    STAFF_DISMISSED = "staff.dismissed"
    STAFF_RESET = "staff.reset"
    STAFF_SESSION_ENDED = "staff.session_ended"
    STAFF_FACTOR_ADDED = "staff.factor_added"
    STAFF_FACTOR_REMOVED = "staff.factor_removed"
    TOKEN_CREATED = "token.created"  # noqa: S105 - a tag, no password
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - likewise
    EVENT_REVEALED = "event.revealed"


class Result(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One act, before it has a number.

    Attributes:
        by: who: a staff id, `command`, `token:tok_…`, `client:subj_…`, `system`, or `stranger` (nobody has signed in yet).
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


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalView:
    """An entry for a page; `by_name` is the name of the person who acted, None when it was nobody of the salon's staff."""

    row: JournalRow
    by_name: str | None


def areas() -> list[str]:
    """The first parts of the tags, each once, in their order."""
    return list(dict.fromkeys(tag.value.partition(".")[0] for tag in Tag))


class JournalFaultKind(StrEnum):
    """How a journal is not as it was written."""

    CHANGED = "changed"
    """The entry is another: a column of it was edited, or it was put in, swapped or made up."""
    MISSING = "missing"
    """The entry is not there: deleted, or the end was cut off, or an older file was put back."""
    SURPLUS = "surplus"
    """An entry with a number that none can have."""
    REWRITTEN = "rewritten"
    """From this entry on the journal is not the one of a checkpoint, though it is signed: whoever did it has the key."""
    CHECKPOINT_FORGED = "checkpoint_forged"
    """The checkpoint kept beside the journal was not signed by its key."""
    CHECKPOINT_MISSING = "checkpoint_missing"
    """The checkpoint kept beside the journal is gone, so a cut end would not be seen by itself."""


@dataclass(frozen=True, slots=True)
class JournalFault:
    """The first thing that is wrong; `number` is that of the entry, None when it is about no entry."""

    number: int | None
    kind: JournalFaultKind


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalVerdict:
    """What a walk through the whole journal found.

    Attributes:
        entries: how many were read and are as they were written; with a fault those before it.
        fault: None when all is well.
    """

    entries: int
    fault: JournalFault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalState:
    """What a running gateway knows of its journal.

    Attributes:
        verdict: of the last whole walk, at `verified_at`; None when there was none yet.
        checkpoint_at: when the newest signed checkpoint was written beside the journal; None before the first entry.
    """

    verdict: JournalVerdict | None
    verified_at: datetime | None
    checkpoint_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalExtract:
    """Some entries with all that is needed to check them without the journal.

    Attributes:
        key: the public key in one line.
        checkpoint: signed; it holds the root that the proofs lead to.
        entries: what was hashed, by names, with the proof of each (base64, lowest first).
    """

    key: str
    checkpoint: str
    entries: Sequence[ProvenEntry]


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """One entry of an extract."""

    fields: Mapping[str, object]
    proof: Sequence[str]
