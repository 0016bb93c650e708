"""Set-up, sign-in and sessions.

Passwords are argon2id hashes. Tokens of addresses and sessions are random 256 bits; the database keeps only their hashes, so a
stolen copy opens nothing. A session ends after twelve hours without use and after seven days in any case (ASVS v5.0.0-7.3.1 and
7.3.2).
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from leadgate.errors import AccessDeniedError, ConfigurationError, ConflictError, NotFoundError
from leadgate.model.secret import Secret
from leadgate.model.staff import Role, Session, Staff
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.stores import Storage, Transaction
from leadgate.staff.background import in_background

SETUP_LIFE = timedelta(hours=72)
SESSION_LIFE = timedelta(days=7)
SESSION_IDLE = timedelta(hours=12)
MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 200
MAX_NAME_LENGTH = 80
_FREE_FAILURES = 5
_LONGEST_LOCK = timedelta(minutes=5)
_TOUCH_EVERY = timedelta(minutes=1)
_COMMON = frozenset(
    {
        *(
            "1234567890",
            "12345678910",
            "0987654321",
            "9876543210",
            "123456789a",
            "qwertyuiop",
            "qwerty12345",
            "qwerty123456",
        ),
        *("password123", "password1234", "passwordpassword", "1q2w3e4r5t", "1qaz2wsx3edc", "administrator"),
        *("йцукенгшщз", "пароль12345", "парольпароль", "leadgate123", "leadgate2026"),
    }
)
_log = get_logger("staff")


class People:
    """See `web.house.People`."""

    def __init__(self, storage: Storage, *, clock: Clock, ids: IdSource) -> None:
        """Keep people in this storage."""
        self._storage = storage
        self._clock = clock
        self._ids = ids
        # Each check takes 64 MiB and a tenth of a second; two at once, so that a flood of sign-ins cannot take the server.
        self._hashing = asyncio.Semaphore(2)

    async def invite_owner_again(self) -> str | None:
        """A fresh one-time address for an owner who has no password yet; None when every owner has one."""
        token, now = self._ids.token(), self._clock.now()
        is_invited = await self._storage.write(lambda tx: invite_again(tx, token, at=now))
        return token if is_invited else None

    async def find_setup(self, token: str) -> Staff | None:
        """Whom a one-time address belongs to."""
        now = self._clock.now()

        def unit(tx: Transaction) -> Staff | None:
            staff_id = tx.staff.find_setup_token(hash_token(token), now=now)
            return None if staff_id is None else tx.staff.find(staff_id)

        return await self._storage.read(unit)

    async def set_up(self, token: str, *, name: str, password: Secret) -> Staff:
        """Set name and password and use the address up; older sessions of the person end."""
        name = _checked_name(name)
        _check_password(password, name)
        if (
            await self.find_setup(token) is None
        ):  # before the costly hash, so that guesses at addresses stay cheap for us
            raise NotFoundError("This address was used already or has expired.", code="staff.setup_over")
        password_hash = await self._hash(password)
        now = self._clock.now()

        def unit(tx: Transaction) -> Staff:
            staff_id = tx.staff.use_setup_token(hash_token(token), now=now)
            if staff_id is None:
                raise NotFoundError("This address was used already or has expired.", code="staff.setup_over")
            tx.staff.set_password(staff_id, name=name, name_key=name_key(name), password_hash=password_hash)
            tx.staff.end_sessions_of(staff_id)
            staff = tx.staff.find(staff_id)
            if staff is None:
                raise NotFoundError("This person no longer works here.", code="staff.setup_over")
            return staff

        try:
            staff = await self._storage.write(unit)
        except ConflictError as error:
            raise ConfigurationError(str(error), code=error.code) from error
        _log.info("staff.set_up", outcome="done", role=staff.role.value)
        return staff

    async def sign_in(self, *, name: str, password: Secret) -> str:
        """Check name and password; slow down after five failures in a row, never for good."""
        key, now = name_key(name), self._clock.now()
        # Counted before the check and taken back after it: many tries at once cannot slip past the lock together.
        found = await self._storage.write(lambda tx: _begin_try(tx, key, now))
        # An unknown name costs the same time as a known one, so the answer does not tell who works here.
        is_right = await self._verify(found[1] if found else self._decoy, password)
        if found is None or not is_right:
            _log.warning("staff.sign_in_refused", outcome="refused", error_code=AccessDeniedError.code)
            raise AccessDeniedError("Name and password do not fit.")
        await self._storage.write(lambda tx: tx.staff.clear_failures(_typed(key)))
        return await self.open_session(found[0])

    async def open_session(self, staff: Staff) -> str:
        """Open a session with fresh tokens."""
        token, csrf_token, now = self._ids.token(), self._ids.token(), self._clock.now()
        await self._storage.write(
            lambda tx: tx.staff.add_session(
                hash_token(token),
                staff_id=staff.staff_id,
                csrf_token=csrf_token,
                now=now,
                expires_at=now + SESSION_LIFE,
            )
        )
        _log.info("staff.signed_in", outcome="done", role=staff.role.value)
        return token

    async def find_session(self, token: str) -> Session | None:
        """The live session of a token whose person still works here."""
        now, token_hash = self._clock.now(), hash_token(token)

        def unit(tx: Transaction) -> tuple[Session, datetime] | None:
            found = tx.staff.find_session(token_hash, now=now)
            staff = None if found is None else tx.staff.find(found[0])
            if found is None or staff is None or now - found[2] > SESSION_IDLE:
                return None
            return Session(staff=staff, csrf_token=found[1], expires_at=found[3]), found[2]

        result = await self._storage.read(unit)
        if result is None:
            return None
        session, seen_at = result
        if now - seen_at > _TOUCH_EVERY:
            await self._storage.write(lambda tx: tx.staff.touch_session(token_hash, now=now))
        return session

    async def sign_out(self, token: str) -> None:
        """End a session."""
        await self._storage.write(lambda tx: tx.staff.end_session(hash_token(token)))

    @cached_property
    def _hasher(self) -> PasswordHasher:
        return PasswordHasher()

    @cached_property
    def _decoy(self) -> str:
        return self._hasher.hash(self._ids.token())

    async def _hash(self, password: Secret) -> str:
        async with self._hashing:
            return await in_background(lambda: self._hasher.hash(password.reveal()))

    async def _verify(self, password_hash: str, password: Secret) -> bool:
        def verify() -> bool:
            try:
                return self._hasher.verify(password_hash, password.reveal()[:MAX_PASSWORD_LENGTH])
            except VerificationError:
                return False

        async with self._hashing:
            return await in_background(verify)


def invite(tx: Transaction, staff: Staff, token: str, *, at: datetime) -> None:
    """Keep a new person and the one-time address where a password is set."""
    tx.staff.add(staff)
    tx.staff.add_setup_token(hash_token(token), staff_id=staff.staff_id, expires_at=at + SETUP_LIFE)


def invite_again(tx: Transaction, token: str, *, at: datetime) -> bool:
    """Keep another one-time address for an owner who has no password yet, in place of the old one; False when all have one."""
    for staff in tx.staff.all():
        if staff.role is Role.OWNER and not tx.staff.has_password(staff.staff_id):
            tx.staff.add_setup_token(hash_token(token), staff_id=staff.staff_id, expires_at=at + SETUP_LIFE)
            return True
    return False


def new_owner(workspace_id: str, ids: IdSource, *, at: datetime) -> Staff:
    """The first person of a workspace."""
    return Staff(workspace_id=workspace_id, staff_id=ids.new("staff"), name="", role=Role.OWNER, created_at=at)


def hash_token(token: str) -> bytes:
    """What the database keeps of a token; 256 random bits need no slow hash."""
    return hashlib.sha256(b"leadgate-token\0" + token.encode()).digest()


def name_key(name: str) -> str:
    """A name for comparing: spaces and letter case do not count."""
    return " ".join(name.split()).casefold()[:MAX_NAME_LENGTH]


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_LENGTH:
        raise ConfigurationError(f"A name of 1 to {MAX_NAME_LENGTH} characters is needed.", code="staff.name_empty")
    return name


def _check_password(password: Secret, name: str) -> None:
    value = password.reveal()
    if len(value) < MIN_PASSWORD_LENGTH:
        raise ConfigurationError(
            f"The password needs at least {MIN_PASSWORD_LENGTH} characters.", code="staff.password_short"
        )
    if len(value) > MAX_PASSWORD_LENGTH:
        raise ConfigurationError(f"At most {MAX_PASSWORD_LENGTH} characters, please.", code="staff.password_long")
    if value.casefold() in _COMMON or value.casefold() == name_key(name) or len(set(value)) <= 2:  # noqa: PLR2004 - "abababab"
        raise ConfigurationError("This password is among the first that thieves try.", code="staff.password_common")


def _begin_try(tx: Transaction, key: str, now: datetime) -> tuple[Staff, str] | None:
    _refuse_when_locked(tx.staff.failures(_typed(key)), now)
    tx.staff.count_failure(_typed(key), at=now)
    return tx.staff.find_password(key)


def _typed(key: str) -> str:
    """What was typed as a name, as it is counted: people type addresses and even passwords there, so only a hash is kept."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _refuse_when_locked(failures: tuple[int, datetime] | None, now: datetime) -> None:
    """After five failures in a row each further one locks for twice as long, at most five minutes: the owner gets back in."""
    if failures is None or failures[0] < _FREE_FAILURES:
        return
    wait = min(timedelta(seconds=15) * 2 ** min(failures[0] - _FREE_FAILURES, 10), _LONGEST_LOCK)
    remaining = failures[1] + wait - now
    if remaining > timedelta():
        seconds = int(remaining.total_seconds()) + 1
        raise AccessDeniedError(
            "Too many tries in a row.",
            code="access.slow_down",
            hint=f"Try again in {seconds} seconds.",
            retry_after_s=seconds,
        )
