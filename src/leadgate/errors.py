"""The error tree.

LeadgateError
  x ConfigurationError      found at start or in a command; names the key and the remedy; never retried
  x WebhookRejectedError    the sender's fault: bad signature, stale, malformed -> 4xx
    - BodyTooLargeError     larger than the limit -> 413
    - InvalidLeadError      breaks the lead schema -> 422 with every bad field
  x OverloadedError         too much is waiting or the disk is full -> 503 with Retry-After
  x StorageUnavailableError the database cannot commit now -> 503 with Retry-After
  x CustodianUnavailableError the key encryption key's custodian cannot be asked; what is cached serves on -> 503 with Retry-After
  x JournalUnavailableError the audit journal cannot be written: the act was refused -> 503 with Retry-After
  x JournalTamperedError    the audit journal or a checkpoint of it is not what was written
  x LeaseLostError          another node holds the lane now; nothing may be sent or written
  x ServiceUnavailableError a needed service cannot be reached (exit code 3)
  x PrivacyError            no consent, text not redacted, subject erased
  x VaultError
    - UnknownKeyError       the key that sealed this is not here
    - TamperedError         the sealed bytes do not belong here or were changed
  x BackupDamagedError      a backup file was changed or cut, or is none: nothing of it is used
  x NotFoundError           for admin screens and commands
  x ConflictError           the thing is in a state that forbids this
  x AccessDeniedError       the person may not do this

How the *target* of a delivery answered is not an exception but a value: see `leadgate.model.outcomes`.

Every error has a stable `code`, a message safe to show (no personal data, no secret) and an optional `hint` that says what
to do next. Library exceptions are translated once, at the edge, with `raise ... from`.
"""

from __future__ import annotations

from dataclasses import dataclass


class LeadgateError(Exception):
    """Base of all errors of this product.

    Attributes:
        code: stable identifier such as `webhook.signature_mismatch`; screen texts are looked up by it.
        hint: what to do next, one sentence, or an empty string.
    """

    code = "leadgate.error"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "") -> None:
        """Remember the message (safe to show), the code and the hint."""
        super().__init__(message)
        if code is not None:
            self.code = code
        self.hint = hint


class ConfigurationError(LeadgateError):
    """A setting, an argument or the environment is wrong; the message names it."""

    code = "configuration.invalid"


class WebhookRejectedError(LeadgateError):
    """The request does not prove that it is genuine, or it is malformed; nothing is stored.

    Attributes:
        status: HTTP status of the answer, 400 to 499.
    """

    code = "webhook.rejected"
    status = 401

    def __init__(self, message: str, *, code: str | None = None, hint: str = "", status: int | None = None) -> None:
        """Remember the HTTP status besides message, code and hint."""
        super().__init__(message, code=code, hint=hint)
        if status is not None:
            self.status = status


class BodyTooLargeError(WebhookRejectedError):
    """The body is larger than we take (contract, section 2: 1 MiB)."""

    code = "webhook.body_too_large"
    status = 413


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong field of a lead: where (`contact.phone`) and what is wrong, without the value."""

    field: str
    problem: str


class InvalidLeadError(WebhookRejectedError):
    """An authentic body breaks the lead schema (contract, section 3); names every bad field."""

    code = "lead.invalid"
    status = 422

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        """Remember every problem; the message joins the field names only."""
        super().__init__("The lead breaks the schema: " + ", ".join(sorted({p.field for p in problems})))
        self.problems = problems


class OverloadedError(LeadgateError):
    """Too much is waiting; try again after `retry_after_s` seconds."""

    code = "intake.overloaded"

    def __init__(self, message: str, *, retry_after_s: int = 5, code: str | None = None) -> None:
        """Remember after how many seconds to try again."""
        super().__init__(message, code=code)
        self.retry_after_s = retry_after_s


class StorageUnavailableError(OverloadedError):
    """The database cannot commit now: disk full, locked, away."""

    code = "storage.unavailable"


class CustodianUnavailableError(OverloadedError):
    """The custodian of the key encryption key cannot be asked now; the work is done when it is back.

    Attributes:
        hint: what to do next, one sentence.
    """

    code = "custodian.unavailable"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "") -> None:
        """Remember what to do."""
        super().__init__(message, retry_after_s=10, code=code)
        self.hint = hint


class JournalUnavailableError(OverloadedError):
    """The audit journal cannot be written; what must leave a trace was not done.

    Attributes:
        hint: what to do next, one sentence.
    """

    code = "journal.unavailable"

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Remember what to do."""
        super().__init__(message, retry_after_s=30)
        self.hint = hint


class JournalTamperedError(LeadgateError):
    """The audit journal, or a checkpoint of it, is not what was written."""

    code = "journal.tampered"


class LeaseLostError(LeadgateError):
    """Another node took the lane over; the caller must stop at once and write nothing."""

    code = "delivery.lease_lost"


class ServiceUnavailableError(LeadgateError):
    """A service that this command needs cannot be reached (exit code 3)."""

    code = "service.unavailable"


class PrivacyError(LeadgateError):
    """Personal data would go where it must not."""

    code = "privacy.refused"


class VaultError(LeadgateError):
    """Sealing or opening failed."""

    code = "vault.failed"


class UnknownKeyError(VaultError):
    """The key that sealed this is not here (erased subject, foreign key file)."""

    code = "vault.unknown_key"


class TamperedError(VaultError):
    """The sealed bytes were changed or belong to another place."""

    code = "vault.tampered"


class BackupDamagedError(LeadgateError):
    """A backup file was changed or cut, or it is none: nothing of it is used."""

    code = "backup.damaged"


class NotFoundError(LeadgateError):
    """The thing asked for does not exist."""

    code = "resource.not_found"


class ConflictError(LeadgateError):
    """The thing is in a state that forbids the action."""

    code = "resource.conflict"


class AccessDeniedError(LeadgateError):
    """The person or token may not do this.

    Attributes:
        retry_after_s: after how many seconds a further try is heard; None when waiting changes nothing.
    """

    code = "access.denied"

    def __init__(
        self, message: str, *, code: str | None = None, hint: str = "", retry_after_s: int | None = None
    ) -> None:
        """Remember for how long to wait besides message, code and hint."""
        super().__init__(message, code=code, hint=hint)
        self.retry_after_s = retry_after_s
