"""What people prove with besides the password, browsers that are known, and what was asked of a browser."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from leadgate.errors import ConflictError
from leadgate.ports.stores.factors import StoredChallenge, StoredCodes, StoredPasskey
from leadgate.storage.base import SqlStore, TolerantInsert, given, insert_or, of_workspace
from leadgate.storage.schema import recovery_codes, staff_challenges, staff_devices, staff_passkeys, staff_totp


def _anew(new: TolerantInsert) -> TolerantInsert:
    values = {name: new.excluded[name] for name in ("sealed_secret", "created_at", "confirmed_at", "last_step")}
    return new.on_conflict_do_update(index_elements=["workspace_id", "staff_id"], set_=values)


def _seen(new: TolerantInsert) -> TolerantInsert:
    values = {"staff_id": new.excluded.staff_id, "seen_at": new.excluded.seen_at}
    return new.on_conflict_do_update(index_elements=["workspace_id", "token_hash"], set_=values)


_IS_CODES = (of_workspace(staff_totp), given(staff_totp.c.staff_id))
_PUT_CODES = insert_or(staff_totp, _anew)
_FIND_CODES = select(staff_totp).where(*_IS_CODES)
_CHANGE_CODES = update(staff_totp).where(*_IS_CODES)
_USE_STEP = update(staff_totp).where(*_IS_CODES, staff_totp.c.last_step < bindparam("step"))
_DROP_CODES = delete(staff_totp).where(*_IS_CODES)
_CONFIRMED = select(staff_totp.c.staff_id).where(of_workspace(staff_totp), staff_totp.c.confirmed_at.is_not(None))

_ADD_PASSKEY = insert(staff_passkeys)
_IS_PASSKEY = (of_workspace(staff_passkeys), given(staff_passkeys.c.credential_id))
_FIND_PASSKEY = select(staff_passkeys).where(*_IS_PASSKEY)
_PASSKEYS = select(staff_passkeys).where(of_workspace(staff_passkeys)).order_by(staff_passkeys.c.created_at)
_PASSKEYS_OF = _PASSKEYS.where(given(staff_passkeys.c.staff_id))
_USE_PASSKEY = update(staff_passkeys).where(*_IS_PASSKEY, staff_passkeys.c.sign_count == bindparam("was"))
_OF_STAFF = (of_workspace(staff_passkeys), given(staff_passkeys.c.staff_id))
_DROP_PASSKEY = delete(staff_passkeys).where(*_OF_STAFF, given(staff_passkeys.c.passkey_id))
_DROP_PASSKEYS = delete(staff_passkeys).where(*_OF_STAFF)

_IS_RECOVERY = (of_workspace(recovery_codes), given(recovery_codes.c.staff_id))
_ADD_RECOVERY = insert(recovery_codes)
_USE_RECOVERY = delete(recovery_codes).where(*_IS_RECOVERY, given(recovery_codes.c.code_hash))
_COUNT_RECOVERY = select(func.count()).select_from(recovery_codes).where(*_IS_RECOVERY)
_RECOVERY_COUNTS = (
    select(recovery_codes.c.staff_id, func.count().label("left"))
    .where(of_workspace(recovery_codes))
    .group_by(recovery_codes.c.staff_id)
)
_DROP_RECOVERY = delete(recovery_codes).where(*_IS_RECOVERY)

_ADD_DEVICE = insert_or(staff_devices, _seen)
_FIND_DEVICE = select(staff_devices.c.staff_id).where(of_workspace(staff_devices), given(staff_devices.c.token_hash))
_DROP_DEVICES = delete(staff_devices).where(of_workspace(staff_devices), given(staff_devices.c.staff_id))

_IS_ASKED = (
    of_workspace(staff_challenges),
    given(staff_challenges.c.token_hash),
    given(staff_challenges.c.kind),
    staff_challenges.c.expires_at > bindparam("now"),
)
_ADD_CHALLENGE = insert(staff_challenges)
_FORGET_CHALLENGES = delete(staff_challenges).where(
    of_workspace(staff_challenges), staff_challenges.c.expires_at <= bindparam("now")
)
_FIND_CHALLENGE = select(staff_challenges).where(*_IS_ASKED)
_DROP_CHALLENGE = delete(staff_challenges).where(*_IS_ASKED)
_DROP_CHALLENGES_OF = delete(staff_challenges).where(of_workspace(staff_challenges), given(staff_challenges.c.staff_id))


class SqlFactorStore(SqlStore):
    """See `ports.stores.FactorStore`."""

    def put_codes(self, staff_id: str, sealed_secret: bytes, *, at: datetime) -> None:
        """Not asked for before it is confirmed."""
        self._keep(
            _PUT_CODES, staff_id=staff_id, sealed_secret=sealed_secret, created_at=at, confirmed_at=None, last_step=0
        )

    def find_codes(self, staff_id: str) -> StoredCodes | None:
        """The app of somebody."""
        row = self._one(_FIND_CODES, for_staff_id=staff_id)
        if row is None:
            return None
        return StoredCodes(
            sealed_secret=bytes(row.sealed_secret), confirmed_at=row.confirmed_at, last_step=row.last_step
        )

    def confirm_codes(self, staff_id: str, *, at: datetime) -> None:
        """A first code was right."""
        self._run(_CHANGE_CODES, for_staff_id=staff_id, confirmed_at=at)

    def use_step(self, staff_id: str, step: int) -> bool:
        """In one statement that compares."""
        return self._run(_USE_STEP, for_staff_id=staff_id, step=step, last_step=step).rowcount == 1

    def drop_codes(self, staff_id: str) -> None:
        """Forget it."""
        self._run(_DROP_CODES, for_staff_id=staff_id)

    def add_passkey(self, passkey: StoredPasskey) -> None:
        """Keep it; a browser that has one already offers no second."""
        if self.find_passkey(passkey.credential_id) is not None:
            raise ConflictError("This passkey is known already.", code="staff.passkey_known")
        self._keep(
            _ADD_PASSKEY,
            credential_id=passkey.credential_id,
            passkey_id=passkey.passkey_id,
            staff_id=passkey.staff_id,
            name=passkey.name,
            public_key=passkey.public_key,
            sign_count=passkey.sign_count,
            created_at=passkey.created_at,
        )

    def find_passkey(self, credential_id: bytes) -> StoredPasskey | None:
        """By its own id."""
        row = self._one(_FIND_PASSKEY, for_credential_id=credential_id)
        return None if row is None else _passkey(row)

    def passkeys(self, staff_id: str | None = None) -> Sequence[StoredPasskey]:
        """Oldest first."""
        rows = self._run(_PASSKEYS) if staff_id is None else self._run(_PASSKEYS_OF, for_staff_id=staff_id)
        return [_passkey(row) for row in rows]

    def use_passkey(self, credential_id: bytes, *, was: int, sign_count: int, at: datetime) -> bool:
        """Of two with the same count one changes the row."""
        changed = self._run(
            _USE_PASSKEY, for_credential_id=credential_id, was=was, sign_count=sign_count, last_used_at=at
        )
        return changed.rowcount == 1

    def drop_passkey(self, staff_id: str, passkey_id: str) -> bool:
        """Of this person alone."""
        return self._run(_DROP_PASSKEY, for_staff_id=staff_id, for_passkey_id=passkey_id).rowcount == 1

    def set_recovery(self, staff_id: str, code_hashes: Collection[bytes]) -> None:
        """In place of the earlier ones."""
        self._run(_DROP_RECOVERY, for_staff_id=staff_id)
        self._run_each(_ADD_RECOVERY, [{"staff_id": staff_id, "code_hash": one} for one in code_hashes])

    def use_recovery(self, staff_id: str, code_hash: bytes) -> bool:
        """Of two who try only one deletes the row."""
        return self._run(_USE_RECOVERY, for_staff_id=staff_id, for_code_hash=code_hash).rowcount == 1

    def count_recovery(self, staff_id: str) -> int:
        """How many."""
        return int(self._run(_COUNT_RECOVERY, for_staff_id=staff_id).scalar_one())

    def staff_with_codes(self) -> frozenset[str]:
        """Confirmed ones."""
        return frozenset(row.staff_id for row in self._run(_CONFIRMED))

    def recovery_counts(self) -> dict[str, int]:
        """By person."""
        return {row.staff_id: int(row.left) for row in self._run(_RECOVERY_COUNTS)}

    def drop_all(self, staff_id: str) -> None:
        """Everything of this person."""
        for statement in (_DROP_CODES, _DROP_PASSKEYS, _DROP_RECOVERY, _DROP_DEVICES, _DROP_CHALLENGES_OF):
            self._run(statement, for_staff_id=staff_id)

    def add_device(self, token_hash: bytes, *, staff_id: str, at: datetime) -> None:
        """Seen now."""
        self._keep(_ADD_DEVICE, token_hash=token_hash, staff_id=staff_id, seen_at=at)

    def find_device(self, token_hash: bytes) -> str | None:
        """Whose it is."""
        row = self._one(_FIND_DEVICE, for_token_hash=token_hash)
        return None if row is None else str(row.staff_id)

    def add_challenge(self, token_hash: bytes, challenge: StoredChallenge, *, now: datetime) -> None:
        """What ran out goes, so that the table stays small."""
        self._run(_FORGET_CHALLENGES, now=now)
        self._keep(
            _ADD_CHALLENGE,
            token_hash=token_hash,
            kind=challenge.kind,
            staff_id=challenge.staff_id,
            challenge=challenge.challenge,
            expires_at=challenge.expires_at,
        )

    def find_challenge(self, token_hash: bytes, *, kind: str, now: datetime) -> StoredChallenge | None:
        """While it may be answered."""
        row = self._one(_FIND_CHALLENGE, for_token_hash=token_hash, for_kind=kind, now=now)
        return None if row is None else _challenge(row)

    def take_challenge(self, token_hash: bytes, *, kind: str, now: datetime) -> StoredChallenge | None:
        """Whoever deletes the row has it."""
        found = self.find_challenge(token_hash, kind=kind, now=now)
        taken = self._run(_DROP_CHALLENGE, for_token_hash=token_hash, for_kind=kind, now=now).rowcount == 1
        return found if taken else None


def _passkey(row: Row[Any]) -> StoredPasskey:
    return StoredPasskey(
        credential_id=bytes(row.credential_id),
        passkey_id=row.passkey_id,
        staff_id=row.staff_id,
        name=row.name,
        public_key=bytes(row.public_key),
        sign_count=row.sign_count,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )


def _challenge(row: Row[Any]) -> StoredChallenge:
    return StoredChallenge(
        kind=row.kind, staff_id=row.staff_id, challenge=bytes(row.challenge), expires_at=row.expires_at
    )
