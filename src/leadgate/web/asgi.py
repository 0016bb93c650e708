"""The whole web of a house as one ASGI application: webhooks go straight through, the rest through the framework."""

from __future__ import annotations

from litestar import Litestar

from leadgate import registry
from leadgate.app import App
from leadgate.web.base import build_pages
from leadgate.web.health import health_router
from leadgate.web.site_chat import site_router
from leadgate.web.site_house import SiteHouse
from leadgate.web.webhooks import PREFIX, Receive, Scope, Send, WebhookRoute


class HouseAsgi:
    """Dispatches by path."""

    def __init__(self, webhooks: WebhookRoute, rest: Litestar) -> None:
        """Send webhooks to the one, everything else to the other."""
        self._webhooks = webhooks
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._webhooks(scope, receive, send)
        else:
            await self._rest(scope, receive, send)  # type: ignore[arg-type]  # the same protocol, spelled with other types


def build_asgi(app: App, role: str) -> HouseAsgi:
    """The application of a house for a role: `worker` answers health checks only, `intake` webhooks and chats besides."""
    routes = [health_router(app)]
    if role != "worker":
        routes.append(site_router(SiteHouse(app), visitors=registry.visitor_tokens(app.ids), clock=app.clock))
    rest = build_pages(app, extra_routes=routes) if role in ("all", "web") else Litestar(route_handlers=routes)
    return HouseAsgi(WebhookRoute(app), rest)
