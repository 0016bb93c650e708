"""The way through the secrets for the test that compares every answer with the OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from leadgate.model.staff import Role

BROUGHT = "whsec_YnJvdWdodCBieSBhIHBlcnNvbiBmcm9tIGVsc2V3aGVyZQ=="


async def walk_secrets(walk: Callable[..., Awaitable[Any]]) -> None:
    """Every address, with what it takes and what it refuses."""
    items = (await walk("GET", "/secrets", 200))["items"]
    *_, bot = (
        item["name"] for item in items if item["key"] == "signing_secret"
    )  # the newest: nobody signs with it here
    crm = next(item["name"] for item in items if item["key"] == "webhook_url")
    await walk("GET", "/secrets", 422, query="?limit=0")
    rotate, put = "/secrets/{secret}/rotate", "/secrets/{secret}/set"
    assert (await walk("POST", rotate, 200, secret=bot, json={"overlap_s": 60}))["secret"].startswith("whsec_")
    assert not (await walk("POST", rotate, 200, secret=crm))["done"], "a person fetches it"
    await walk("POST", rotate, 404, secret="conn_none.token")
    await walk("POST", rotate, 422, secret=bot, json={"overlap_s": -1})
    await walk("POST", rotate, 403, secret=bot, role=Role.MANAGER)
    await walk("POST", put, 200, secret=bot, json={"values": {"value": BROUGHT}})
    await walk("POST", put, 409, secret=bot, json={"values": {"signing_secret": BROUGHT}})
    await walk("POST", put, 422, secret=bot, json={"values": {"value": "short"}})
    await walk("POST", "/secrets/{secret}/undo", 200, secret=bot)
    await walk("POST", "/secrets/{secret}/confirm", 200, secret=bot)
    await walk("POST", "/secrets/{secret}/undo", 409, secret=bot)
    await walk("POST", "/secret-term", 200, json={"days": 45})
    await walk("POST", "/secret-term", 422, json={"days": 91})
    await walk("GET", "/secret-term", 200)
