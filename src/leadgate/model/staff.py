"""People of the salon who sign in, and what they may do."""

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
