"""People who sign in, and the salon's own entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from leadgate.model.staff import Staff


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

    def add_session(
        self, token_hash: bytes, *, staff_id: str, csrf_token: str, now: datetime, expires_at: datetime
    ) -> None:
        """Keep a session."""
        ...

    def find_session(self, token_hash: bytes, *, now: datetime) -> tuple[str, str, datetime, datetime] | None:
        """Staff id, CSRF token, last seen and absolute end of a live session."""
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
