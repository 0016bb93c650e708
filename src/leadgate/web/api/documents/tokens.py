"""Tokens of programs, for the commands; the API does not manage its own tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from leadgate.model.staff import ApiToken, Role
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDocument:
    """A token; its text is known to whoever made it alone. `last_used_at` is to the minute."""

    id: str
    name: str | None
    role: Role
    state: Literal["live", "expired", "revoked"]
    created_at: Moment
    expires_at: Moment
    last_used_at: Moment | None
    revoked_at: Moment | None


def token_document(token: ApiToken, *, now: datetime) -> TokenDocument:
    """A token as of now."""
    over: Literal["expired", "revoked"] = "expired" if token.revoked_at is None else "revoked"
    return TokenDocument(
        id=token.token_id,
        name=token.name or None,
        role=token.role,
        state="live" if token.is_live(now) else over,
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        revoked_at=token.revoked_at,
    )
