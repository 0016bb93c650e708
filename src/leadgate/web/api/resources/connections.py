"""Connections: their lights, checking, pausing, resuming. Connecting is in `connect`; removing is done by page or command."""

from __future__ import annotations

from leadgate.errors import NotFoundError
from leadgate.model.connections import CheckReport, ConnectionState
from leadgate.web.access import Act
from leadgate.web.api.documents.connections import (
    ConnectionCheckDocument,
    ConnectionDocument,
    ConnectionStateDocument,
    connection_check_document,
    connection_document,
)
from leadgate.web.api.documents.plain import Items, cut_page, page_of
from leadgate.web.api.endpoint import Call, Listing, Nothing, reads, writes


async def list_connections(call: Call[Listing, Nothing]) -> Items[ConnectionDocument]:
    """Every connection with its light, the CRM first."""
    views = await call.house.desk.connections()
    return page_of(cut_page(views, limit=call.query.limit, cursor=call.query.cursor), connection_document)


async def show_connection(call: Call[Nothing, Nothing]) -> ConnectionDocument:
    """One connection; its secrets are never shown."""
    connection_id = call.names["connection_id"]
    for view in await call.house.desk.connections():
        if view.connection.connection_id == connection_id:
            return connection_document(view)
    raise NotFoundError(f"There is no connection {connection_id}.")


async def check_connection(call: Call[Nothing, Nothing]) -> CheckReport:
    """Ask the vendor now; deliveries that wait go at once when all is well."""
    return await call.house.connections.check(call.names["connection_id"])


def _checked(call: Call[Nothing, Nothing], report: CheckReport) -> ConnectionCheckDocument:
    return connection_check_document(call.names["connection_id"], report)


async def pause_connection(call: Call[Nothing, Nothing]) -> None:
    """Keep all that arrives, work on nothing."""
    await call.house.connections.pause(call.names["connection_id"], by=call.by)


def _paused(call: Call[Nothing, Nothing], _result: object) -> ConnectionStateDocument:
    return ConnectionStateDocument(connection=call.names["connection_id"], state=ConnectionState.PAUSED)


async def resume_connection(call: Call[Nothing, Nothing]) -> None:
    """Go on at once."""
    await call.house.connections.resume(call.names["connection_id"], by=call.by)


def _resumed(call: Call[Nothing, Nothing], _result: object) -> ConnectionStateDocument:
    return ConnectionStateDocument(connection=call.names["connection_id"], state=ConnectionState.ACTIVE)


ENDPOINTS = (
    reads("/connections", list_connections),
    reads("/connections/{connection_id}", show_connection),
    writes("/connections/{connection_id}/check", check_connection, _checked, act=Act.CONNECT, is_one_commit=False),
    writes("/connections/{connection_id}/pause", pause_connection, _paused, act=Act.CONNECT),
    writes("/connections/{connection_id}/resume", resume_connection, _resumed, act=Act.CONNECT),
)
