"""A sandbox on a free port, empty and without limits, with a client and a clock."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from leadgate.sandbox.bitrix24 import Limits, Sandbox, build_sandbox, serve
from tests.sandbox.bitrix24.driver import ManualClock, PortalClient

SECRET = "inventedsecret1"


@pytest.fixture
def clock() -> ManualClock:
    """Time that the test moves."""
    return ManualClock()


@pytest.fixture
def limits() -> Limits:
    """No limits unless a test file says otherwise."""
    return Limits.off()


@pytest.fixture
def sandbox(clock: ManualClock, limits: Limits) -> Sandbox:
    """An empty portal."""
    return build_sandbox(webhook_secret=SECRET, limits=limits, clock=clock)


@pytest.fixture
async def portal(sandbox: Sandbox) -> AsyncIterator[PortalClient]:
    """The portal, served on a free port, and a client of it."""
    async with serve(sandbox) as base_url, httpx.AsyncClient(timeout=10) as http:
        yield PortalClient(http, base_url, sandbox.webhook_url(base_url))
