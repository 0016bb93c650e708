"""What the pages need of the house about those who sign in; see `house.py`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from leadgate.model.secret import Secret
from leadgate.model.staff import ApiToken, Factors, Role, Session, SignIn, Staff, StaffView, Visit
from leadgate.staff.own_access import NewApp
from leadgate.staff.passkeys import Asked, Site


class People(Protocol):
    """Who signs in."""

    async def find_setup(self, token: str) -> Staff | None:
        """Whom this one-time set-up address belongs to; None when unknown, used or expired."""
        ...

    async def set_up(self, token: str, *, name: str, password: Secret) -> Staff:
        """Set name and password by a one-time address, which is used up by it.

        Raises:
            NotFoundError: the address is unknown, used or expired.
            ConfigurationError: name empty or taken (`staff.name_taken`), password too short (`staff.password_short`, less
                than 10 characters), too common (`staff.password_common`).
        """
        ...

    async def sign_in(self, *, name: str, password: Secret, visit: Visit = ...) -> SignIn:
        """Check name and password and open a session, or ask for the second step.

        Raises:
            AccessDeniedError: they do not fit (`access.denied`) or too many tries (`access.slow_down`, with
                `retry_after_s`).
        """
        ...

    async def has_second(self, ticket: str) -> bool:
        """True while the second step of a sign-in is waited for."""
        ...

    async def sign_in_second(self, ticket: str, *, code: str, visit: Visit = ...) -> SignIn:
        """The second step. Raises NotFoundError (over), AccessDeniedError (`staff.code_wrong`, `access.slow_down`)."""
        ...

    async def ask_passkey(self, site: Site) -> Asked:
        """Ask a browser for a passkey of anybody."""
        ...

    async def sign_in_by_passkey(self, ticket: str, *, answer: str, site: Site, visit: Visit = ...) -> SignIn:
        """Sign in by a passkey alone. Raises AccessDeniedError (`staff.passkey_refused`)."""
        ...

    async def open_session(self, staff: Staff, *, visit: Visit = ...) -> SignIn:
        """Open a session for somebody who has just proven who they are."""
        ...

    async def find_session(self, token: str) -> Session | None:
        """The live session of this cookie, or None. Moves its idle end on."""
        ...

    async def sign_out(self, token: str) -> None:
        """End the session at once; unknown tokens are fine."""
        ...

    async def prove(self, token: str, *, password: Secret | None = None, code: str | None = None) -> None:
        """Show again who one is. Raises AccessDeniedError (`access.denied`, `staff.code_wrong`, `access.slow_down`)."""
        ...

    async def ask_own_passkey(self, token: str, site: Site) -> Asked:
        """Ask whoever is signed in for one of their passkeys."""
        ...

    async def prove_by_passkey(self, token: str, *, ticket: str, answer: str, site: Site) -> None:
        """Show again who one is by a passkey. Raises AccessDeniedError (`staff.passkey_refused`)."""
        ...


class OwnAccess(Protocol):
    """What somebody changes about their own way in."""

    async def factors(self, staff_id: str) -> Factors:
        """What somebody proves with besides the password."""
        ...

    async def begin_codes(self, staff: Staff) -> NewApp:
        """Begin to enrol an app that counts time."""
        ...

    async def confirm_codes(self, staff: Staff, code: str) -> Sequence[str]:
        """Ask for it from now on; fresh codes on paper, when there are none. Raises AccessDeniedError (`staff.code_wrong`)."""
        ...

    async def drop_codes(self, staff: Staff) -> None:
        """The app is asked for no more."""
        ...

    async def new_recovery(self, staff: Staff) -> Sequence[str]:
        """Ten fresh codes on paper; earlier ones are worth nothing."""
        ...

    async def ask_passkey(self, staff: Staff, site: Site) -> Asked:
        """Ask the browser for a new passkey."""
        ...

    async def add_passkey(self, staff: Staff, *, ticket: str, answer: str, name: str, site: Site) -> Sequence[str]:
        """Keep it; fresh codes on paper, when there are none. Raises AccessDeniedError, ConflictError."""
        ...

    async def drop_passkey(self, staff: Staff, passkey_id: str) -> None:
        """It opens nothing any more. Raises NotFoundError."""
        ...


class Roster(Protocol):
    """Who works here; see `leadgate.staff.roster` for what each raises."""

    async def all(self) -> Sequence[StaffView]:
        """Everybody, oldest first."""
        ...

    async def find(self, who: str) -> Staff:
        """By id or sign-in name. Raises NotFoundError."""
        ...

    async def add(self, name: str, role: Role, *, by: str) -> tuple[Staff, Secret]:
        """Invite somebody; the token of the one-time address. Raises ConfigurationError, ConflictError."""
        ...

    async def change_role(self, who: str, role: Role, *, by: str) -> Staff:
        """Another role; sessions end. Raises NotFoundError, ConflictError (`staff.last_owner`, `staff.same_role`)."""
        ...

    async def dismiss(self, who: str, *, by: str) -> Staff:
        """They work here no more. Raises NotFoundError, ConflictError (`staff.last_owner`)."""
        ...

    async def reset(self, who: str, *, by: str) -> tuple[Staff, Secret]:
        """A fresh one-time address is the only way in. Raises NotFoundError."""
        ...

    async def end_sessions(self, who: str, *, by: str) -> Staff:
        """Every browser of somebody is signed out. Raises NotFoundError."""
        ...

    async def end_session(self, session_id: str, *, by: str, of: str | None = None) -> None:
        """One browser is signed out; with `of` only one of this person's. Raises NotFoundError."""
        ...


class Tokens(Protocol):
    """Programs that use the API."""

    async def create(
        self, *, role: Role, days: int, name: str = "", scopes: Collection[str] | None = None, by: str = ...
    ) -> tuple[ApiToken, Secret]:
        """A fresh token and its text, shown this once. Raises ConfigurationError."""
        ...

    async def all(self) -> Sequence[ApiToken]:
        """Every token there ever was, newest first."""
        ...

    async def revoke(self, token_id: str, *, by: str = ...) -> None:
        """It opens nothing any more. Raises NotFoundError."""
        ...
