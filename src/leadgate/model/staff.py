"""People of the salon who sign in, programs that use the API, and what both may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a person may do, from most to least."""

    OWNER = "owner"
    INTEGRATOR = "integrator"
    MANAGER = "manager"
    AUDITOR = "auditor"
    """Reads only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """One person who signs in; `staff_id` is `staff_…`."""

    workspace_id: str
    staff_id: str
    name: str
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser. The cookie holds the token; the database only its hash."""

    staff: Staff
    csrf_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A program that may use the API in a role; the database holds only the hash of its secret.

    Attributes:
        token_id: `tok_…`.
        name: what people call the program; may be empty.
        last_used_at: to the minute; None before the first time.
        revoked_at: None while nobody has ended it.
    """

    token_id: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """True while it opens the API."""
        return self.revoked_at is None and now < self.expires_at
