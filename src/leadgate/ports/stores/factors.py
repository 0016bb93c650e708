"""What people prove with besides the password, browsers that are known, and what was asked of a browser."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCodes:
    """The app of somebody that counts time.

    Attributes:
        sealed_secret: what both count from.
        confirmed_at: None until a first code was right.
        last_step: the step of time of the last code that was taken; none up to it is taken again.
    """

    sealed_secret: bytes
    confirmed_at: datetime | None
    last_step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPasskey:
    """A passkey: the public half alone."""

    credential_id: bytes
    passkey_id: str
    staff_id: str
    name: str
    public_key: bytes
    sign_count: int
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChallenge:
    """What must be answered with once; `staff_id` is None while nobody has said who they are."""

    kind: str
    staff_id: str | None
    challenge: bytes
    expires_at: datetime


class FactorStore(Protocol):
    """See the module."""

    def put_codes(self, staff_id: str, sealed_secret: bytes, *, at: datetime) -> None:
        """Begin to enrol an app, in place of an earlier one."""
        ...

    def find_codes(self, staff_id: str) -> StoredCodes | None:
        """The app of somebody."""
        ...

    def confirm_codes(self, staff_id: str, *, at: datetime) -> None:
        """From now on it is asked for."""
        ...

    def use_step(self, staff_id: str, step: int) -> bool:
        """Take the code of a step of time; False when it or a later one was taken before. Of two only one gets True."""
        ...

    def drop_codes(self, staff_id: str) -> None:
        """Forget the app."""
        ...

    def add_passkey(self, passkey: StoredPasskey) -> None:
        """Keep a new passkey. Raises ConflictError when it is there already."""
        ...

    def find_passkey(self, credential_id: bytes) -> StoredPasskey | None:
        """A passkey by its own id."""
        ...

    def passkeys(self, staff_id: str | None = None) -> Sequence[StoredPasskey]:
        """Those of somebody, oldest first; of everybody when nobody is named."""
        ...

    def use_passkey(self, credential_id: bytes, *, was: int, sign_count: int, at: datetime) -> bool:
        """Note a use; False when it was used meanwhile."""
        ...

    def drop_passkey(self, staff_id: str, passkey_id: str) -> bool:
        """Forget one; False when there is none."""
        ...

    def set_recovery(self, staff_id: str, code_hashes: Collection[bytes]) -> None:
        """These codes on paper are good, and no earlier ones."""
        ...

    def use_recovery(self, staff_id: str, code_hash: bytes) -> bool:
        """Use one up; False when it is not good."""
        ...

    def count_recovery(self, staff_id: str) -> int:
        """How many are still good."""
        ...

    def staff_with_codes(self) -> frozenset[str]:
        """Whose app is confirmed."""
        ...

    def recovery_counts(self) -> dict[str, int]:
        """How many codes on paper who has."""
        ...

    def drop_all(self, staff_id: str) -> None:
        """Nothing but a set-up address lets them in, and no browser is known."""
        ...

    def add_device(self, token_hash: bytes, *, staff_id: str, at: datetime) -> None:
        """Know a browser."""
        ...

    def find_device(self, token_hash: bytes) -> str | None:
        """Whose browser it is."""
        ...

    def add_challenge(self, token_hash: bytes, challenge: StoredChallenge, *, now: datetime) -> None:
        """Keep what is asked; what nobody answered in time goes."""
        ...

    def find_challenge(self, token_hash: bytes, *, kind: str, now: datetime) -> StoredChallenge | None:
        """What was asked, while it may be answered."""
        ...

    def take_challenge(self, token_hash: bytes, *, kind: str, now: datetime) -> StoredChallenge | None:
        """The same, once: whoever gets it is the only one."""
        ...
