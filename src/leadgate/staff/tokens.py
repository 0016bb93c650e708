"""Tokens by which programs use the API: made, recognised, ended.

A token reads `leadgate_<id>_<secret><checksum>`. The prefix lets secret scanners know it, the checksum lets us refuse a mistyped
or made-up one without asking the database, the id says which one to revoke when it is found somewhere. The database keeps only
the hash of the secret, which has 256 random bits, so that no slow hash is needed and no guess can succeed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from leadgate.audit.trail import recorded
from leadgate.errors import AccessDeniedError, ConfigurationError, NotFoundError
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.secret import Secret
from leadgate.model.staff import ApiToken, Role
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.journal import Trail
from leadgate.ports.stores import Storage

PREFIX = "leadgate_"
MAX_DAYS = 366
MAX_NAME_LENGTH = 80
MAX_SCOPES = 40
BY_COMMAND = "command"
_TOUCH_EVERY = timedelta(minutes=1)
_SHAPE = re.compile(r"leadgate_([0-9A-Z]{26})_([A-Za-z0-9_-]{43})([0-9a-f]{8})", re.ASCII)
_SCOPE = re.compile(r"[a-z][a-z-]{0,39}:(read|write)", re.ASCII)
_log = get_logger("staff")


class ApiTokens:
    """The tokens of one workspace."""

    def __init__(self, storage: Storage, journal: Trail, *, clock: Clock, ids: IdSource) -> None:
        """Keep tokens in this storage."""
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids

    async def create(
        self,
        *,
        role: Role,
        days: int,
        name: str = "",
        scopes: Collection[str] | None = None,
        by: str = BY_COMMAND,
    ) -> tuple[ApiToken, Secret]:
        """Make a token; its text is known to the caller alone, this once.

        Args:
            role: what the program may do.
            days: how long it works, 1 to 366.
            name: what people call the program.
            scopes: what of the role it may do, see `ApiToken`; None: all of it.

        Raises:
            ConfigurationError: days, name or a scope are out of range.
        """
        if not 1 <= days <= MAX_DAYS:
            raise ConfigurationError(f"A token lives 1 to {MAX_DAYS} days.", code="access.token_days")
        name = " ".join(name.split())
        if len(name) > MAX_NAME_LENGTH or not name.isprintable():
            raise ConfigurationError(
                f"The name of a token has at most {MAX_NAME_LENGTH} characters.", code="access.token_name"
            )
        now = self._clock.now()
        token = ApiToken(
            token_id=self._ids.new("tok"),
            name=name,
            role=role,
            created_at=now,
            expires_at=now + timedelta(days=days),
            scopes=None if scopes is None else _checked_scopes(scopes),
        )
        secret = self._ids.token()
        details: dict[str, str | int] = {
            "role": role.value,
            "days": days,
            "scopes": " ".join(sorted(token.scopes or ())),
        }
        async with recorded(
            self._journal, JournalEntry(tag=Tag.TOKEN_CREATED, by=by, on=token.token_id, details=details)
        ):
            await self._storage.write(lambda tx: tx.tokens.add(token, _hash(secret)))
        _log.info("token.created", role=role.value, action=token.token_id)
        return token, Secret(_write(token.token_id, secret))

    async def all(self) -> Sequence[ApiToken]:
        """Every token there ever was, newest first."""
        return await self._storage.read(lambda tx: tx.tokens.all())

    async def revoke(self, token_id: str, *, by: str = BY_COMMAND) -> None:
        """End a token at once; harmless when it has ended.

        Raises:
            NotFoundError: there is none of this id.
        """
        now = self._clock.now()
        if await self._storage.read(lambda tx: tx.tokens.find(token_id)) is None:
            raise NotFoundError(f"There is no token {token_id}.", hint="See: leadgate tokens list")
        # What stops something is done even when it cannot be journaled.
        entry = JournalEntry(tag=Tag.TOKEN_REVOKED, by=by, on=token_id)
        async with recorded(self._journal, entry, is_required=False):
            await self._storage.write(lambda tx: tx.tokens.revoke(token_id, at=now))
        _log.info("token.revoked", action=token_id)

    async def recognise(self, text: str) -> ApiToken:
        """The live token that was sent. Moves its last use on, at most once a minute.

        Raises:
            AccessDeniedError: it is none of ours or revoked (`access.token_wrong`), or expired (`access.token_expired`).
        """
        parts = _SHAPE.fullmatch(text)
        if parts is None or not hmac.compare_digest(parts[3], _checksum(parts[1], parts[2])):
            raise _refusal()
        token_id, given, now = f"tok_{parts[1]}", _hash(parts[2]), self._clock.now()
        found = await self._storage.read(lambda tx: tx.tokens.find(token_id))
        # Compared also when there is none of this id, so that the time of the answer does not tell.
        is_right = hmac.compare_digest(given, found[1] if found else _NOTHING)
        if found is None or not is_right or found[0].revoked_at is not None:
            raise _refusal()
        token = found[0]
        if not token.is_live(now):
            raise AccessDeniedError(
                "This token has expired.", code="access.token_expired", hint="Make another: leadgate tokens create"
            )
        await self._touch(token, now)
        return token

    async def _touch(self, token: ApiToken, now: datetime) -> None:
        if token.last_used_at is None or now - token.last_used_at > _TOUCH_EVERY:
            await self._storage.write(lambda tx: tx.tokens.touch(token.token_id, at=now))


def _checked_scopes(scopes: Collection[str]) -> frozenset[str]:
    wrong = next((scope for scope in scopes if not _SCOPE.fullmatch(scope)), None)
    if wrong is not None or not 0 < len(set(scopes)) <= MAX_SCOPES:
        raise ConfigurationError(
            "A scope reads area:read or area:write, for instance deliveries:read.", code="access.token_scope"
        )
    return frozenset(scopes)


def _write(token_id: str, secret: str) -> str:
    number = token_id.removeprefix("tok_")
    return f"{PREFIX}{number}_{secret}{_checksum(number, secret)}"


def _checksum(number: str, secret: str) -> str:
    return f"{zlib.crc32(f'{number}_{secret}'.encode()):08x}"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(b"leadgate-api-token\0" + secret.encode()).digest()


_NOTHING = bytes(32)


def _refusal() -> AccessDeniedError:
    return AccessDeniedError(
        "This token is none of ours, or it was revoked.",
        code="access.token_wrong",
        hint="Make another: leadgate tokens create",
    )
