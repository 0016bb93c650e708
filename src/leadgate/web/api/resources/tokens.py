"""Tokens of programs. The text of one is shown once and kept nowhere, so its answer is never repeated."""

from __future__ import annotations

from typing import Annotated

from litestar.exceptions import PermissionDeniedException
from msgspec import Meta, Struct

from leadgate.model.staff import Role
from leadgate.staff.tokens import MAX_DAYS, MAX_NAME_LENGTH, MAX_SCOPES
from leadgate.web.access import Act, may_grant
from leadgate.web.api.documents.plain import Items, cut_page, page_of
from leadgate.web.api.documents.tokens import (
    MadeTokenDocument,
    TokenDocument,
    made_token_document,
    token_document,
)
from leadgate.web.api.endpoint import Call, Listing, Nothing, asks, reads, writes

Scope = Annotated[str, Meta(pattern="^[a-z][a-z-]{0,39}:(read|write)$")]


class TokenBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the program may: a role, how many days, and what of the role (`deliveries:read`, `all:read`; null for all)."""

    role: Role
    days: Annotated[int, Meta(ge=1, le=MAX_DAYS)]
    name: Annotated[str, Meta(max_length=MAX_NAME_LENGTH, pattern=r"^[^\x00-\x1f]*$")] = ""
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=MAX_SCOPES)] | None = None


class RevokedTokenDocument(Struct, frozen=True):
    """A token that opens nothing any more."""

    id: str
    state: str = "revoked"


async def list_tokens(call: Call[Listing, Nothing]) -> Items[TokenDocument]:
    """Every token, newest first; never its text."""
    page = cut_page(await call.house.tokens.all(), limit=call.query.limit, cursor=call.query.cursor)
    return page_of(page, lambda token: token_document(token, now=call.house.clock.now()))


async def create_token(call: Call[Nothing, TokenBody]) -> MadeTokenDocument:
    """Make a token; the answer holds its text, this once.

    Nobody makes one that may more than they themselves: neither its role nor its scopes.
    """
    own, body = call.token, call.body
    scopes = None if body.scopes is None else frozenset(body.scopes)
    if not may_grant(own.role, body.role) or (own.scopes is not None and (scopes is None or not scopes <= own.scopes)):
        raise PermissionDeniedException("A token may not do more than who makes it.", extra={"code": "access.scope"})
    made, secret = await call.house.tokens.create(
        role=body.role, days=body.days, name=body.name, scopes=scopes, by=call.by
    )
    return made_token_document(made, secret.reveal())


async def revoke_token(call: Call[Nothing, Nothing]) -> RevokedTokenDocument:
    """End a token at once."""
    await call.house.tokens.revoke(call.names["token_id"], by=call.by)
    return RevokedTokenDocument(id=call.names["token_id"])


def _revoked(_call: Call[Nothing, Nothing], done: RevokedTokenDocument) -> RevokedTokenDocument:
    return done


ENDPOINTS = (
    reads("/tokens", list_tokens),
    asks("/tokens", create_token, act=Act.TOKENS),
    writes("/tokens/{token_id}/revoke", revoke_token, _revoked, act=Act.TOKENS, is_one_commit=False),
)
