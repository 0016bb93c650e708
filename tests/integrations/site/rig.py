"""A connection of the site, requests of its widget and a visitor's token, for the tests of this folder."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from leadgate.integrations.site.tokens import VISITOR_ID_BYTES, VisitorTokens
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook
from tests.web.site_rig import CountingIds, site_connection

NOW = datetime(2026, 11, 23, 11, 20, tzinfo=UTC)
ORIGIN = "https://salon.example"
OTHER = "https://www.salon.example"
LISTED = f"{ORIGIN}, {OTHER}"
VISITOR = CountingIds().token(VISITOR_ID_BYTES)
BODY: Mapping[str, object] = {"visitor": VISITOR, "id": "0123456789abcdef", "text": "Хочу на маникюр"}


def connection(*secrets: str, connection_id: str = "conn_site1", origins: str = LISTED) -> OpenConnection:
    """The connection with these live secrets, the newest first."""
    return site_connection(origins=origins, connection_id=connection_id, secrets=secrets or ("invented-1",))


def token(opened: OpenConnection, *, origin: str = ORIGIN, now: datetime = NOW) -> str:
    """A fresh token of a new visitor."""
    return VisitorTokens(CountingIds()).open_visit(opened, origin=origin, token=None, now=now).token


def posted(
    bearer: str | None, *, origin: str | None = ORIGIN, body: Mapping[str, object] | bytes | Sequence[object] = BODY
) -> RawWebhook:
    """A message as the widget posts it."""
    headers = {"content-type": "application/json"}
    if origin is not None:
        headers["origin"] = origin
    if bearer is not None:
        headers["authorization"] = f"Bearer {bearer}"
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RawWebhook("POST", headers, raw)
