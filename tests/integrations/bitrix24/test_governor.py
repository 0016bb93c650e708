from __future__ import annotations

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadgate.integrations.bitrix24.governor import Governor, Limits
from tests.integrations.bitrix24.house import HandClock


def governor(clock: HandClock, **limits: float) -> Governor:
    """A governor that sleeps in the clock of the test."""
    return Governor(clock, limits=Limits(**limits), sleep=clock.sleep)


async def test_a_fresh_governor_lets_a_few_requests_go_at_once(clock: HandClock) -> None:
    """Not the whole burst: the process that ran a second ago may have filled the bucket."""
    keeper = governor(clock)
    for _ in range(10):
        assert await keeper.acquire(["profile"]) == 0
    assert clock.slept == []
    await keeper.acquire(["profile"])
    assert clock.slept


@example([0.0] * 200)
@given(st.lists(st.floats(min_value=0, max_value=30), min_size=1, max_size=150))
def test_the_portals_bucket_never_overflows(pauses: list[float]) -> None:
    """Whatever the rhythm of our callers, the real bucket (2/s, 50) has room for every request."""

    async def run() -> None:
        clock = HandClock()
        keeper, level, seen = governor(clock), 0.0, clock.seconds
        for pause in pauses:
            clock.seconds += pause
            for _ in range(3):
                while await keeper.acquire([]) > 0:
                    clock.seconds += 1
                level = max(0.0, level - (clock.seconds - seen) * 2.0) + 1
                seen = clock.seconds
                assert level <= 50

    asyncio.run(run())


async def test_callers_are_served_in_turn(clock: HandClock) -> None:
    """One lane must not starve another."""
    keeper, order = governor(clock, start=1.0), []

    async def call(name: int) -> None:
        await keeper.acquire([])
        order.append(name)

    await asyncio.gather(*(call(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]


async def test_execution_time_is_scarce_before_it_is_spent(clock: HandClock) -> None:
    """A backlog that took all of it would make a client who writes now wait for minutes."""
    keeper = governor(clock, scarce_s=300.0, operating_s=400.0)
    keeper.learn("crm.item.add", {"operating": 299.0})
    assert not keeper.is_scarce()
    keeper.learn("crm.item.add", {"operating": 301.0})
    assert keeper.is_scarce()
    assert keeper.closed_for_s("crm.item.add") == 0
    clock.seconds += 61
    assert not keeper.is_scarce(), "by then a minute of it has grown back"


async def test_a_method_near_its_time_limit_is_closed_until_the_reset(clock: HandClock) -> None:
    """480 s is the portal's limit; we stop at 400, by the portal's own clock."""
    keeper = governor(clock)
    keeper.learn("crm.item.add", {"operating": 399.0, "operating_reset_at": 5000, "finish": 4800.0})
    assert keeper.closed_for_s("crm.item.add") == 0
    keeper.learn("crm.item.add", {"operating": 400.0, "operating_reset_at": 5000, "finish": 4800.0})
    assert keeper.closed_for_s("crm.item.add") == 200
    assert await keeper.acquire(["crm.item.add"]) == 200
    assert await keeper.acquire(["crm.item.list"]) == 0
    clock.seconds += 200
    assert await keeper.acquire(["crm.item.add"]) == 0


async def test_a_long_wait_is_handed_back(clock: HandClock) -> None:
    """A lease must not run out while we sleep."""
    keeper = governor(clock)
    keeper.pause(60.0)
    assert await keeper.acquire([]) == 60
    assert clock.slept == []


async def test_a_refusal_empties_the_bucket(clock: HandClock) -> None:
    """Our count was too friendly: another program on this address uses the portal too."""
    keeper = governor(clock, rate_per_s=1.0)
    keeper.pause(0.5)
    await keeper.acquire([])
    assert sum(clock.slept) == pytest.approx(1.0)


async def test_state_survives_a_restart(clock: HandClock) -> None:
    """The next process goes on where this one was, minus the time in between."""
    old = governor(clock, rate_per_s=1.0)
    for _ in range(10):
        await old.acquire([])
    old.close("crm.item.add", 100.0)
    state = old.export()
    clock.seconds += 4
    fresh = governor(clock, rate_per_s=1.0)
    fresh.restore(state)
    assert fresh.closed_for_s("crm.item.add") == 96
    for _ in range(4):
        assert fresh.delay_s([]) == 0
        await fresh.acquire([])
    assert fresh.delay_s([]) > 0


def test_a_strange_state_changes_nothing(clock: HandClock) -> None:
    """State comes from a database that another version wrote."""
    keeper = governor(clock)
    keeper.restore({"tokens": "many", "closed_s": [], "paused_s": None})
    assert keeper.delay_s(["crm.item.add"]) == 0
