"""Names and passwords: what may be chosen, and argon2id hashes of them, behind everything else that the server does."""

from __future__ import annotations

from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from leadgate.errors import ConfigurationError
from leadgate.model.secret import Secret
from leadgate.ports.clock import IdSource
from leadgate.staff.background import in_background

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 200
MAX_NAME_LENGTH = 80
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


class Passwords:
    """Makes and checks hashes."""

    def __init__(self, ids: IdSource) -> None:
        """Nothing is hashed before the first sign-in."""
        self._ids = ids

    async def hash(self, password: Secret) -> str:
        """The hash that is kept."""
        return await in_background(lambda: self._hasher.hash(password.reveal()))

    async def verify(self, password_hash: str | None, password: Secret) -> bool:
        """True when it is the password of this hash. None, for an unknown name, is False and costs the same time."""

        def check() -> bool:
            try:
                return self._hasher.verify(password_hash or self._decoy, password.reveal()[:MAX_PASSWORD_LENGTH])
            except VerificationError:
                return False

        return await in_background(check) and password_hash is not None

    @cached_property
    def _hasher(self) -> PasswordHasher:
        return PasswordHasher()

    @cached_property
    def _decoy(self) -> str:
        return self._hasher.hash(self._ids.token())


def name_key(name: str) -> str:
    """A name for comparing: spaces and letter case do not count."""
    return " ".join(name.split()).casefold()[:MAX_NAME_LENGTH]


def checked_name(name: str) -> str:
    """A name as it is kept. Raises ConfigurationError (`staff.name_empty`)."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise ConfigurationError(f"A name of 1 to {MAX_NAME_LENGTH} characters is needed.", code="staff.name_empty")
    return name


def check_password(password: Secret, name: str) -> None:
    """Refuse what is guessed first. Raises ConfigurationError (`staff.password_…`); the password is never repeated."""
    value = password.reveal()
    if len(value) < MIN_PASSWORD_LENGTH:
        raise ConfigurationError(
            f"The password needs at least {MIN_PASSWORD_LENGTH} characters.", code="staff.password_short"
        )
    if len(value) > MAX_PASSWORD_LENGTH:
        raise ConfigurationError(f"At most {MAX_PASSWORD_LENGTH} characters, please.", code="staff.password_long")
    if value.casefold() in _COMMON or value.casefold() == name_key(name) or len(set(value)) <= 2:  # noqa: PLR2004 - "abababab"
        raise ConfigurationError("This password is among the first that thieves try.", code="staff.password_common")
