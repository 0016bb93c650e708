"""The routes of the API, and its OpenAPI document. No resource is named here: what `resources/` offers is found."""

from __future__ import annotations

import importlib
import pkgutil

import msgspec
from litestar import Response, Router, get

from leadgate.app import App
from leadgate.web.api import resources
from leadgate.web.api.endpoint import Endpoint
from leadgate.web.api.openapi import make_openapi
from leadgate.web.api.reading import BODY_LIMIT_BYTES
from leadgate.web.api.serve import ApiDoor


def api_router(app: App) -> Router:
    """Everything under `/api`. Only the document is open to strangers: it says nothing about this house."""
    endpoints, door = find_endpoints(), ApiDoor(app)
    document = msgspec.json.encode(make_openapi(endpoints, base=app.public_url or ""))

    @get("/openapi.json", sync_to_thread=False)
    def show_openapi() -> Response[bytes]:
        """The OpenAPI document."""
        return Response(document, media_type="application/json")

    versioned = Router("/v1", route_handlers=[door.handler(endpoint) for endpoint in endpoints])
    return Router(
        "/api",
        route_handlers=[show_openapi, versioned],
        request_max_body_size=BODY_LIMIT_BYTES,
        include_in_schema=False,
    )


def find_endpoints() -> list[Endpoint]:
    """Every endpoint there is, by name of its module.

    Raises:
        TypeError: a module of `web/api/resources/` offers no `ENDPOINTS`.
    """
    found: list[Endpoint] = []
    for module in pkgutil.iter_modules(resources.__path__):
        offered = getattr(importlib.import_module(f"{resources.__name__}.{module.name}"), "ENDPOINTS", None)
        if not isinstance(offered, tuple) or not all(isinstance(one, Endpoint) for one in offered):
            raise TypeError(f"web/api/resources/{module.name}.py offers no ENDPOINTS")
        found += offered
    return found
