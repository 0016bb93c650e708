"""The way through the data map and incident mode for the test that compares every answer with the OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from leadgate.model.staff import Role

SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


async def walk_flows(walk: Callable[..., Awaitable[Any]]) -> None:
    """Every address of both, with what it takes and what it refuses."""
    bot = {"kind": "bot", "name": "Ещё один", "secrets": {"signing_secret": SECRET}}
    await walk("POST", "/connections", 422, json={**bot, "secrets": {}})
    await walk("POST", "/connections", 201, json=bot)
    await walk("POST", "/connections", 409, json=bot)
    await walk("GET", "/data-map", 200)
    decision = {"host": "127.0.0.1", "allowed": True, "reason": "проба"}
    await walk("POST", "/data-map/decisions", 422, json={**decision, "country": "R1"})
    await walk("POST", "/data-map/decisions", 200, json=decision)
    await walk("POST", "/data-map/decisions", 404, json={**decision, "host": "nobody.example"})
    await walk("GET", "/data-map", 200)
    await walk("GET", "/incident", 404)
    await walk("POST", "/incident", 201, json={"drill": True, "freeze": False})
    await walk("POST", "/incident", 409, json={"drill": True, "freeze": True})
    await walk("POST", "/incident/unfreeze", 409)
    await walk("POST", "/incident/freeze", 200)
    await walk("POST", "/incident/count", 200)
    await walk("POST", "/incident/note", 200, json={"causes": "проба", "found_at": "2026-11-22T09:00:00+03:00"})
    await walk("GET", "/incident", 200)
    await walk("GET", "/incident/notices/{notice}", 200)
    await walk("GET", "/incident/notices/{notice}", 403, role=Role.AUDITOR)
    await walk("POST", "/incident/notices/{notice}/sent", 200, json={"number": "77-1"})
    await walk("POST", "/incident/close", 409, json={"reason": "проба"})
    await walk("POST", "/incident/unfreeze", 200)
    await walk("POST", "/incident/close", 422)
    await walk("POST", "/incident/close", 200, json={"reason": "проба"})
    await walk("GET", "/incidents", 200)
