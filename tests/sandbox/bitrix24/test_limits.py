from __future__ import annotations

import pytest

from leadgate.sandbox.bitrix24 import Limits
from tests.sandbox.bitrix24.driver import ManualClock, PortalClient


@pytest.fixture
def limits() -> Limits:
    """Those of a real portal, with a method that is dear."""
    return Limits(cost_s={"crm.lead.list": 200.0})


async def test_the_fifty_first_request_at_once_is_refused_and_time_drains(
    portal: PortalClient, clock: ManualClock
) -> None:
    """Two requests a second, fifty in a burst."""
    answers = [(await portal.ask("server.time")).status_code for _ in range(51)]
    assert answers == [200] * 50 + [503]
    assert (await portal.refusal("server.time"))[:2] == (503, "QUERY_LIMIT_EXCEEDED")

    clock.advance(1)
    assert [(await portal.ask("server.time")).status_code for _ in range(3)] == [200, 200, 503]


async def test_a_batch_is_one_request_for_the_bucket(portal: PortalClient) -> None:
    """That is what batches are for."""
    for _ in range(49):
        await portal.result("server.time")
    assert len((await portal.batch(["profile"] * 50))["result"]) == 50
    assert (await portal.ask("server.time")).status_code == 503


async def test_a_method_that_spent_its_budget_is_refused_and_the_others_go_on(
    portal: PortalClient, clock: ManualClock
) -> None:
    """The call that crosses the limit still runs; the oldest minute frees its part."""
    spent = [(await portal.call("crm.lead.list"))["time"]["operating"] for _ in range(3)]
    last = await portal.call("profile")
    assert spent == [200, 400, 600]
    assert (await portal.refusal("crm.lead.list"))[:2] == (429, "OPERATION_TIME_LIMIT")
    assert last["time"]["operating"] < 1

    clock.advance(601)
    body = await portal.call("crm.lead.list")
    assert body["time"]["operating"] == 200
    assert clock.now().timestamp() < body["time"]["operating_reset_at"] <= clock.now().timestamp() + 600


async def test_inside_a_batch_only_the_dear_command_is_refused(portal: PortalClient) -> None:
    """The batch itself answers 200."""
    for _ in range(3):
        await portal.call("crm.lead.list")
    made = await portal.batch({"a": "crm.lead.list", "b": "profile"})
    assert made["result_error"]["a"]["error"] == "OPERATION_TIME_LIMIT"
    assert "b" in made["result"]
