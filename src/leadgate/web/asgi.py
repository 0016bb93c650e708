"""The pages, the API and the health checks of a house as one ASGI application; webhooks go past it (`web.door_protocol`)."""

from __future__ import annotations

from litestar import Litestar

from leadgate import registry
from leadgate.app import App
from leadgate.web.api.router import api_router
from leadgate.web.base import build_pages
from leadgate.web.health import health_router
from leadgate.web.site_chat import site_router
from leadgate.web.site_house import SiteHouse


def build_asgi(app: App, role: str) -> Litestar:
    """The application of a house for a role: `worker` answers health checks only, `intake` chats besides."""
    routes = [health_router(app)]
    if role != "worker":
        routes.append(site_router(SiteHouse(app), visitors=registry.visitor_tokens(app.ids), clock=app.clock))
    if role not in ("all", "web"):
        return Litestar(route_handlers=routes)
    return build_pages(app, extra_routes=[*routes, api_router(app)])
