"""The visitor's token: proof that we let this browser talk to this connection from this page not long ago.

Stateless: everything is in the token, signed with the connection's own secret. It names nobody; the visitor
id is random. A token works for half an hour. With it (also when it has run out) a returning visitor gets a
fresh one for the same id within a day of the last. After a week everybody becomes a new visitor, so that a
stolen token dies.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from leadgate.errors import WebhookRejectedError
from leadgate.intake.origins import is_listed
from leadgate.intake.signatures import hmac_sha256, matches_any
from leadgate.model.connections import OpenConnection
from leadgate.model.secret import Secret
from leadgate.ports.clock import IdSource

SECRET = "token_secret"  # noqa: S105 - the name of the secret, not the secret
"""Name of the connection's secret that signs tokens."""

TOKEN_LIFE = timedelta(minutes=30)
RENEW_AFTER = timedelta(minutes=20)
RETURN_WINDOW = timedelta(hours=24)
LONGEST_VISIT = timedelta(days=7)
VISITOR_ID_BYTES = 16
MAX_TOKEN_LENGTH = 1024

_VERSION = "v1"
# Signed in front of the payload, so that the same secret can never have signed something that looks alike.
_PURPOSE = b"leadgate site visitor token v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visitor with a fresh token.

    Attributes:
        visitor_id: random, 128 bits; client and chat id of the conversation.
        token: for `Authorization: Bearer`.
        expires_at: until then the token works; from `renew_at` on it is time to exchange it.
        visitor_expires_at: until then the token can be exchanged for a fresh one of the same visitor.
        renewed: True when the visitor was here before.
    """

    visitor_id: str
    token: str
    expires_at: datetime
    renew_at: datetime
    visitor_expires_at: datetime
    renewed: bool


@dataclass(frozen=True, slots=True)
class _Claims:
    """What a token says once its signature is proven; times in whole seconds since 1970."""

    connection_id: str
    visitor_id: str
    origin: str
    started_s: int
    issued_s: int


class VisitorTokens:
    """Gives and reads tokens of visitors."""

    def __init__(self, ids: IdSource) -> None:
        """Take new visitor ids from `ids`."""
        self._ids = ids

    def open_visit(self, connection: OpenConnection, *, origin: str, token: str | None, now: datetime) -> Visit:
        """A fresh token: of the same visitor when `token` allows it, else of a new one.

        Raises:
            WebhookRejectedError: the origin is not in the connection's list (`site.origin_refused`, 403),
                or the connection has no secret (`site.secret_missing`, 401).
        """
        if not is_listed(origin, connection.settings):
            raise WebhookRejectedError(
                "This page is not in the list of origins.", code="site.origin_refused", status=403
            )
        now_s = int(now.timestamp())
        old = self._returning(connection, origin=origin, token=token, now_s=now_s)
        claims = _Claims(
            connection.connection.connection_id,
            old.visitor_id if old else self._ids.token(VISITOR_ID_BYTES),
            origin,
            old.started_s if old else now_s,
            now_s,
        )
        return Visit(
            visitor_id=claims.visitor_id,
            token=_sign(connection, claims),
            expires_at=_time(_expires_s(claims)),
            renew_at=_time(min(now_s + int(RENEW_AFTER.total_seconds()), _expires_s(claims))),
            visitor_expires_at=_time(_visitor_expires_s(claims)),
            renewed=old is not None,
        )

    def visitor(self, connection: OpenConnection, *, origin: str | None, token: str, now: datetime) -> str:
        """Id of the visitor who holds this token; see `read_token`."""
        return read_token(connection, origin=origin, token=token, now=now)

    @staticmethod
    def _returning(connection: OpenConnection, *, origin: str, token: str | None, now_s: int) -> _Claims | None:
        """What the old token says if it still entitles to the same visitor id, else None."""
        try:
            claims = _open(connection, token or "")
        except WebhookRejectedError:
            return None
        good = claims.origin == origin and claims.issued_s - _SKEW_S <= now_s < _visitor_expires_s(claims)
        return claims if good else None


def read_token(connection: OpenConnection, *, origin: str | None, token: str, now: datetime) -> str:
    """Id of the visitor who holds this token.

    Args:
        origin: of the request; None when the browser sent none (our own page fetches): the token's counts.

    Raises:
        WebhookRejectedError: 401 with `site.secret_missing`, `site.token_invalid`, `site.token_expired` or
            `site.origin_refused`.
    """
    claims = _open(connection, token)
    if claims.origin != (origin or claims.origin) or not is_listed(claims.origin, connection.settings):
        raise WebhookRejectedError("The token belongs to another page.", code="site.origin_refused")
    now_s = int(now.timestamp())
    if not claims.issued_s - _SKEW_S <= now_s < _expires_s(claims):
        raise WebhookRejectedError("The token has run out.", code="site.token_expired")
    return claims.visitor_id


_SKEW_S = 60  # nodes of a cluster may differ by this much


def _expires_s(claims: _Claims) -> int:
    return min(claims.issued_s + int(TOKEN_LIFE.total_seconds()), _visitor_expires_s(claims))


def _visitor_expires_s(claims: _Claims) -> int:
    return min(
        claims.issued_s + int(RETURN_WINDOW.total_seconds()),
        claims.started_s + int(LONGEST_VISIT.total_seconds()),
    )


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _sign(connection: OpenConnection, claims: _Claims) -> str:
    secret = _live_secrets(connection)[0]
    parts = [claims.connection_id, claims.visitor_id, claims.origin, claims.started_s, claims.issued_s]
    payload = _encode(json.dumps(parts, separators=(",", ":")).encode())
    return f"{_VERSION}.{payload}.{_signature(secret, payload)}"


def _open(connection: OpenConnection, token: str) -> _Claims:
    """Prove the signature with any live secret and that the token is for this connection.

    Raises:
        WebhookRejectedError: `site.secret_missing` or `site.token_invalid`.
    """
    claims = _prove(_live_secrets(connection), token)
    if claims is None or claims.connection_id != connection.connection.connection_id:
        raise WebhookRejectedError("The token is missing or not genuine.", code="site.token_invalid")
    return claims


def _live_secrets(connection: OpenConnection) -> list[Secret]:
    """Newest first, never empty; without a secret nothing is signed and nothing proven."""
    secrets = [secret for secret in connection.secrets.get(SECRET, ()) if secret.reveal()]
    if not secrets:
        raise WebhookRejectedError("The connection has no token secret.", code="site.secret_missing")
    return secrets


def _prove(secrets: Sequence[Secret], token: str) -> _Claims | None:
    """The claims of a genuine token, or None."""
    version, _, rest = token.partition(".")
    payload, _, signature = rest.partition(".")
    if version != _VERSION or len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        return None
    if not matches_any(signature, [Secret(_signature(secret, payload)) for secret in secrets]):
        return None
    return _Claims(*json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


def _signature(secret: Secret, payload: str) -> str:
    return _encode(hmac_sha256(secret.reveal().encode(), _PURPOSE + payload.encode("ascii")))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
