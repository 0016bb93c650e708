"""`/health/live`, `/health/ready` and `/metrics`."""

from __future__ import annotations

import hmac

from litestar import Request, Response, Router, get
from litestar.datastructures import State
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from leadgate.app import App
from leadgate.errors import LeadgateError
from leadgate.observability import metrics
from leadgate.settings import is_loopback

_Request = Request[object, object, State]
_OPEN = {"exclude_from_auth": True, "exclude_from_csrf": True}
_PROXY_HEADERS = ("x-forwarded-for", "forwarded", "x-real-ip", "via")
_PROBE = "health"
"""A lane in which nothing ever is: taking it writes a row, so a disk without room is noticed."""


def health_router(app: App) -> Router:
    """The routes; open to everybody but for the metrics, which are for this machine or for a token."""

    @get("/health/live", opt=_OPEN, sync_to_thread=False)
    def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @get("/health/ready", opt=_OPEN)
    async def ready() -> Response[dict[str, str]]:
        """The database commits; a load balancer sends nothing here otherwise."""
        try:
            now = app.clock.now()
            await app.storage.write(lambda tx: tx.lanes.claim_one(_PROBE, holder=_PROBE, now=now, until=now))
        except LeadgateError as error:
            return Response({"status": "not ready", "code": error.code}, status_code=503, headers={"Retry-After": "5"})
        return Response({"status": "ready"})

    @get("/metrics", opt=_OPEN, sync_to_thread=False)
    def show_metrics(request: _Request) -> Response[bytes]:
        """Prometheus text."""
        if not _may_measure(request, app.settings.metrics_token):
            return Response(b"", status_code=403, media_type="text/plain")
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return Router("/", route_handlers=[live, ready, show_metrics], include_in_schema=False)


def _may_measure(request: _Request, token: str | None) -> bool:
    """Without a token only this machine; a request that came through a proxy is not from this machine."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if token and scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), token.encode()):
        return True
    is_forwarded = any(name in request.headers for name in _PROXY_HEADERS)
    return not is_forwarded and request.client is not None and is_loopback(request.client.host)
