from __future__ import annotations

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadgate.integrations.bitrix24.budget import BREATH_S, LONGEST_PAUSE_S
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


def learn(keeper: Governor, used_s: float, *, at_s: float = 6000.0) -> None:
    """What the portal says beside an answer; its oldest minute began 9 minutes ago."""
    reset_at = (at_s // 60 + 1) * 60
    keeper.learn("crm.item.add", {"operating": used_s, "operating_reset_at": reset_at, "finish": at_s})


async def test_execution_time_is_spread_out_before_it_is_spent(clock: HandClock) -> None:
    """A backlog that took all of it would make a client who writes now wait for minutes."""
    keeper = governor(clock, scarce_s=300.0, spread_to_s=400.0)
    learn(keeper, 299.0)
    assert (keeper.calls_at_once(), keeper.delay_s(["crm.item.add"])) == (None, 0)
    learn(keeper, 300.2)
    assert keeper.calls_at_once() == 1, "99.8 s in 600 s are 0.5 s in three"
    assert keeper.delay_s(["crm.item.add"]) == LONGEST_PAUSE_S
    assert keeper.delay_s(["crm.item.list"]) == 0
    for used_s in (300.25, 300.3, 300.35, 300.4, 300.45):
        learn(keeper, used_s)
    calls = keeper.calls_at_once()
    assert calls is not None
    assert calls > 1


def calls_now(keeper: Governor) -> int:
    """How many calls may go together, of a method whose cost is known."""
    calls = keeper.calls_at_once()
    assert calls is not None
    return calls


async def test_what_a_minute_held_comes_back_when_it_is_forgotten(clock: HandClock) -> None:
    """The portal does not say how much that is, so we count by the minute ourselves."""
    keeper = governor(clock, scarce_s=300.0)
    for used_s in (0.0, 100.0, 100.2):
        learn(keeper, used_s, at_s=6000.0)
    clock.seconds += 60
    learn(keeper, 310.0, at_s=6060.0)
    assert calls_now(keeper) <= 10
    clock.seconds += 539
    assert calls_now(keeper) <= 10
    clock.seconds += 1.5
    assert calls_now(keeper) > 100, "90 s are there before it is scarce again"


async def test_a_batch_does_not_reach_far_into_what_is_scarce(clock: HandClock) -> None:
    """Or a costly one would eat what is meant for the next ten minutes."""
    keeper = governor(clock, scarce_s=300.0)
    for used_s in (100.0, 101.0, 200.0, 290.0):
        learn(keeper, used_s)
    assert calls_now(keeper) == 10


async def test_the_pace_leaves_room_in_every_minute_to_come(clock: HandClock) -> None:
    """A minute that gives little back must not leave nothing for whoever writes in the next."""
    keeper = governor(clock, scarce_s=200.0, spread_to_s=430.0)
    learn(keeper, 0.0, at_s=6000.0)
    learn(keeper, 0.2, at_s=6000.0)
    for minute in range(1, 9):
        clock.seconds += 60
        learn(keeper, 0.2 + minute, at_s=6000.0 + 60 * minute)
    clock.seconds += 60
    learn(keeper, 400.0, at_s=6540.0)
    pace = 30.0 / 600
    assert 0 < calls_now(keeper) <= pace * BREATH_S / 0.2 + 1, (
        "the next minutes give a second each, not 30 s in the first"
    )


async def test_somebody_elses_work_and_a_portal_that_forgets_sooner_are_believed(clock: HandClock) -> None:
    """The portal's count is the truth; ours only says when it comes back."""
    keeper = governor(clock)
    learn(keeper, 100.0)
    learn(keeper, 400.0)
    assert keeper.calls_at_once() is not None
    learn(keeper, 10.0)
    assert keeper.calls_at_once() is None


async def test_a_full_batch_that_makes_time_scarce_is_not_paid_for_with_half_a_minute(clock: HandClock) -> None:
    """The rest of its delivery, and whoever wrote meanwhile, would wait behind it."""
    keeper = governor(clock, scarce_s=300.0, spread_to_s=430.0)
    for number in range(32):
        learn(keeper, 299.0 + number * 0.2)
    assert 0 < keeper.delay_s(["crm.item.add"]) <= BREATH_S


async def test_a_method_near_its_time_limit_is_closed_until_the_reset(clock: HandClock) -> None:
    """480 s is the portal's limit; we stop at 455, by the portal's own clock."""
    keeper = governor(clock)
    learn(keeper, 454.0)
    assert keeper.closed_for_s("crm.item.add") == 0
    learn(keeper, 455.0)
    assert keeper.closed_for_s("crm.item.add") == 60
    assert await keeper.acquire(["crm.item.add"]) == 60
    assert await keeper.acquire(["crm.item.list"]) == 0
    clock.seconds += 60
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
