"""People who sign in, and the salon's own entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from leadgate.model.staff import Role, Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session as it lies on disk; see `model.staff.Session` and `SessionView`."""

    session_id: str
    staff_id: str
    csrf_token: str
    agent: str
    created_at: datetime
    proven_at: datetime
    seen_at: datetime
    expires_at: datetime


class StaffStore(Protocol):
    """People who sign in, their set-up addresses and sessions."""

    def add(self, person: Staff) -> None:
        """Keep a new person without a password."""
        ...

    def all(self) -> Sequence[Staff]:
        """Everybody who is not disabled."""
        ...

    def find(self, staff_id: str) -> Staff | None:
        """One person who is not disabled."""
        ...

    def has_password(self, staff_id: str) -> bool:
        """True when the person has set one."""
        ...

    def find_password(self, name_key: str) -> tuple[Staff, str] | None:
        """The person of this sign-in name and the password hash."""
        ...

    def set_password(self, staff_id: str, *, name: str, name_key: str, password_hash: str) -> None:
        """Set name and password. Raises ConflictError when somebody else has the name."""
        ...

    def add_setup_token(self, token_hash: bytes, *, staff_id: str, expires_at: datetime) -> None:
        """Keep a one-time address; older ones of the person stop working."""
        ...

    def find_setup_token(self, token_hash: bytes, *, now: datetime) -> str | None:
        """Whose live one-time address this is."""
        ...

    def use_setup_token(self, token_hash: bytes, *, now: datetime) -> str | None:
        """Use a one-time address up; returns whose it was, None when it is not live."""
        ...

    def find_by_name(self, name_key: str) -> Staff | None:
        """The person of this sign-in name, who need not have a password yet."""
        ...

    def owners(self) -> Sequence[Staff]:
        """Everybody of the role owner who has a password, locked until the transaction ends: of two one must stay."""
        ...

    def set_name(self, staff_id: str, *, name: str, name_key: str) -> None:
        """The name by which somebody is called, and found before they have a password."""
        ...

    def password_hash(self, staff_id: str) -> str | None:
        """The hash of somebody's password; None when they have none."""
        ...

    def set_role(self, staff_id: str, role: Role) -> None:
        """Give another role."""
        ...

    def disable(self, staff_id: str, *, at: datetime) -> None:
        """They work here no more; their sign-in name is free again."""
        ...

    def drop_password(self, staff_id: str) -> None:
        """Only a set-up address lets them in from now on."""
        ...

    def drop_setup_tokens(self, staff_id: str) -> None:
        """No one-time address of theirs works any more."""
        ...

    def invitations(self, *, now: datetime) -> Sequence[tuple[str, datetime]]:
        """Staff ids and ends of one-time addresses that are live."""
        ...

    def add_session(self, token_hash: bytes, session: StoredSession) -> None:
        """Keep a session; those that are over go."""
        ...

    def find_session(self, token_hash: bytes, *, now: datetime) -> StoredSession | None:
        """A session that has not reached its absolute end."""
        ...

    def sessions(self, *, now: datetime) -> Sequence[StoredSession]:
        """All that have not reached their absolute end, last seen first."""
        ...

    def prove_session(self, token_hash: bytes, *, now: datetime) -> None:
        """Its person has just shown who they are."""
        ...

    def end_session_of_id(self, session_id: str) -> str | None:
        """End one from elsewhere; whose it was, None when there is none."""
        ...

    def touch_session(self, token_hash: bytes, *, now: datetime) -> None:
        """The session was used now."""
        ...

    def end_session(self, token_hash: bytes) -> None:
        """End a session."""
        ...

    def end_sessions_of(self, staff_id: str) -> None:
        """End every session of a person."""
        ...

    def failures(self, name_key: str) -> tuple[int, datetime] | None:
        """Failed sign-ins in a row and the time of the last."""
        ...

    def count_failure(self, name_key: str, *, at: datetime) -> None:
        """Count a failed sign-in."""
        ...

    def clear_failures(self, name_key: str) -> None:
        """A sign-in succeeded."""
        ...


class SalonStore(Protocol):
    """The salon's own entries (services, masters, hours, texts) as JSON by kind."""

    def put(self, kind: str, entry_id: str, *, position: int, body: str) -> None:
        """Keep or replace an entry."""
        ...

    def all(self, kind: str) -> Sequence[tuple[str, str]]:
        """Entry ids and bodies of a kind, in order."""
        ...
