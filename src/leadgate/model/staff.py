"""People of the salon who sign in, programs that use the API, and what both may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

PROOF_LIFE = timedelta(minutes=10)
"""How long a proof of who somebody is opens dangerous acts."""

EVERY_AREA = "all"
"""The area of a scope that stands for every part of the API."""


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


class Proof(StrEnum):
    """By what somebody showed who they are."""

    PASSWORD = "password"  # noqa: S105 - a word, no password
    CODE = "code"
    """Of an app that counts time (TOTP)."""
    PASSKEY = "passkey"
    RECOVERY = "recovery"
    """One of the codes on paper."""
    SETUP = "setup"
    """A one-time set-up address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What is known of a browser that signs in.

    Attributes:
        device: what the browser kept from an earlier sign-in; None when it is new.
        peer: the address of the machine, where that can be known; counted, never kept.
        agent: browser and system as two words of closed lists, `firefox/linux`.
    """

    device: str | None = None
    peer: str | None = None
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """How a sign-in went on: a session, or a ticket for its second step.

    Attributes:
        token: of the session, for the cookie; None while a second step is missing.
        device: what the browser is to keep, so that others who guess do not slow it down.
        ticket: for the second step; None when there is none.
    """

    token: str | None = None
    device: str | None = None
    ticket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser. The cookie holds the token; the database only its hash.

    Attributes:
        session_id: `sess_…`, by which it is ended from elsewhere.
        proven_at: when its person last showed who they are.
    """

    staff: Staff
    csrf_token: str
    expires_at: datetime
    session_id: str = ""
    proven_at: datetime | None = None

    def is_fresh(self, now: datetime) -> bool:
        """True while it opens dangerous acts."""
        return self.proven_at is not None and now - self.proven_at < PROOF_LIFE


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A session as people see it; `agent` as in `Visit`."""

    session_id: str
    staff_id: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyView:
    """A passkey as its owner sees it; `passkey_id` is `key_…`."""

    passkey_id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What somebody proves with besides the password.

    Attributes:
        has_codes: an app that counts time was enrolled and confirmed.
        recovery_left: how many codes on paper are still good.
    """

    has_codes: bool
    passkeys: Sequence[PasskeyView]
    recovery_left: int

    @property
    def is_on(self) -> bool:
        """True when the password alone does not sign in."""
        return self.has_codes or bool(self.passkeys)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffView:
    """One person with all that is known of how they sign in.

    Attributes:
        invited_until: when a one-time address runs out that nobody has used yet; None when there is none.
    """

    staff: Staff
    has_password: bool
    factors: Factors
    sessions: Sequence[SessionView]
    invited_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A program that may use the API in a role; the database holds only the hash of its secret.

    Attributes:
        token_id: `tok_…`.
        name: what people call the program; may be empty.
        last_used_at: to the minute; None before the first time.
        revoked_at: None while nobody has ended it.
        scopes: what of its role it may do, `deliveries:read`, `deliveries:write` (which reads, too), `all:read`; None: all of it.
    """

    token_id: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    scopes: frozenset[str] | None = None

    def covers(self, area: str, *, is_write: bool) -> bool:
        """True when its scopes let it read, or write, in this part of the API."""
        if self.scopes is None:
            return True
        wanted = {f"{area}:write", f"{EVERY_AREA}:write"}
        if not is_write:
            wanted |= {f"{area}:read", f"{EVERY_AREA}:read"}
        return bool(self.scopes & wanted)

    def is_live(self, now: datetime) -> bool:
        """True while it opens the API."""
        return self.revoked_at is None and now < self.expires_at
