"""Tokens of programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from leadgate.model.staff import ApiToken, Role
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDocument:
    """A token; its text is known to whoever made it alone. `last_used_at` is to the minute, `scopes` null for all of its role."""

    id: str
    name: str | None
    role: Role
    scopes: list[str] | None
    state: Literal["live", "expired", "revoked"]
    created_at: Moment
    expires_at: Moment
    last_used_at: Moment | None
    revoked_at: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTokenDocument:
    """A fresh token with its text, which is shown this once."""

    id: str
    role: Role
    scopes: list[str] | None
    expires_at: Moment
    token: str


def made_token_document(made: ApiToken, text: str) -> MadeTokenDocument:
    """A token that was just made."""
    return MadeTokenDocument(
        id=made.token_id,
        role=made.role,
        scopes=None if made.scopes is None else sorted(made.scopes),
        expires_at=made.expires_at,
        token=text,
    )


def token_document(token: ApiToken, *, now: datetime) -> TokenDocument:
    """A token as of now."""
    over: Literal["expired", "revoked"] = "expired" if token.revoked_at is None else "revoked"
    return TokenDocument(
        id=token.token_id,
        name=token.name or None,
        role=token.role,
        scopes=None if token.scopes is None else sorted(token.scopes),
        state="live" if token.is_live(now) else over,
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        revoked_at=token.revoked_at,
    )
