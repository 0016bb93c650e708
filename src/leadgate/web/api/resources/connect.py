"""Connecting a vendor from a program. Secrets are taken and never given: answers are kept for a day, and one must not lie there."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from leadgate.connections.connect import Connected
from leadgate.errors import ConfigurationError
from leadgate.model.secret import Secret
from leadgate.web.access import Act
from leadgate.web.api.documents.connections import ConnectedDocument
from leadgate.web.api.endpoint import Call, Nothing, writes

_Word = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]
_Value = Annotated[str, Meta(max_length=4000, pattern=r"^[^\x00]*$")]


class ConnectBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is connected, with its settings and secrets by name.

    A secret that Leadgate could make must be given here: it would have to be shown, and answers hold no secrets.
    `foreign_reason` says why clients' data may go to a host abroad or of unknown country, `host_country` (two letters) where it
    stands; `own_network_reason` why a host of the own network may be called. All are journaled.
    """

    kind: Annotated[str, Meta(pattern="^[a-z0-9]{1,32}$")]
    name: _Word
    settings: dict[str, _Value] = {}
    secrets: dict[str, _Value] = {}
    check: bool = True
    foreign_reason: Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")] | None = None
    host_country: Annotated[str, Meta(max_length=2)] | None = None
    own_network_reason: Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")] | None = None


async def connect(call: Call[Nothing, ConnectBody]) -> Connected:
    """Add a connection: ask the vendor and register our address first unless `check` is false."""
    body = call.body
    _want_shown_secret(call)
    return await call.house.connections.connect(
        body.kind,
        name=body.name,
        settings=body.settings,
        secrets={name: Secret(value) for name, value in body.secrets.items()},
        check=body.check,
        by=call.by,
        foreign_reason=body.foreign_reason,
        host_country=body.host_country,
        own_network_reason=body.own_network_reason,
    )


def _want_shown_secret(call: Call[Nothing, ConnectBody]) -> None:
    for manifest in call.house.connections.kinds():
        shown = manifest.webhook_secret
        if manifest.kind == call.body.kind and shown is not None and not call.body.secrets.get(shown):
            raise ConfigurationError(
                f"Give `{shown}` among the secrets: one that we make could not be shown here.",
                code="connection.key_missing",
            )


def _connected(call: Call[Nothing, ConnectBody], made: Connected) -> ConnectedDocument:
    return ConnectedDocument(
        connection=made.connection_id, kind=call.body.kind, name=call.body.name, webhook_path=made.webhook_path
    )


ENDPOINTS = (writes("/connections", connect, _connected, act=Act.CONNECT, status=201, is_one_commit=False),)
