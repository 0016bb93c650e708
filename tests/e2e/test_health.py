"""What a supervisor, a load balancer and Prometheus may see, and from where."""

from __future__ import annotations

import httpx

from leadgate.testing.gateway import Gateway
from tests.e2e.conftest import Salon
from tests.e2e.sender import lead

TOKEN = "metrics-token-for-tests-0001"


async def test_health_is_open_and_metrics_are_for_this_machine_only(salon: Salon) -> None:
    """A proxy on the same machine makes the whole world look like loopback; figures of a salon are nobody else's business."""
    http, base = salon.bot.client, salon.gateway.url
    assert (await http.get(f"{base}/health/live")).json() == {"status": "live"}
    assert (await http.get(f"{base}/health/ready")).json() == {"status": "ready"}
    await salon.bot.accept(lead(601))
    figures = await http.get(f"{base}/metrics")
    assert figures.status_code == 200
    assert 'leadgate_webhooks_total{kind="bot",outcome="accepted"} 1.0' in figures.text
    for name in ("x-forwarded-for", "forwarded", "x-real-ip", "via"):
        refused = await http.get(f"{base}/metrics", headers={name: "127.0.0.1"})
        assert refused.status_code == 403, name
        assert refused.content == b""


async def test_metrics_come_through_a_proxy_with_the_token_alone(gateway: Gateway, http: httpx.AsyncClient) -> None:
    """Prometheus often sits on another machine; a token proves it, the wrong one proves nothing."""
    gateway.environment["LEADGATE_METRICS_TOKEN"] = TOKEN
    await gateway.start()
    through_proxy = {"x-forwarded-for": "192.0.2.7"}
    for authorization, status in ((f"Bearer {TOKEN}", 200), ("Bearer wrong", 403), ("Bearer", 403), (TOKEN, 403)):
        headers = {**through_proxy, "authorization": authorization}
        assert (await http.get(f"{gateway.url}/metrics", headers=headers)).status_code == status, authorization
    assert TOKEN not in gateway.printed()
