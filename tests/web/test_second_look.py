"""Who proves nothing waits for one look that serves all, and a flood of forgeries costs neither the database nor the memory."""

from __future__ import annotations

import asyncio

from leadgate.errors import StorageUnavailableError
from leadgate.web.second_look import MOST_WAITING, SecondLook


async def test_all_who_wait_share_one_look_and_the_rest_is_refused_at_once() -> None:
    """Those who come while a look is under way wait for the next one: the first may have read too early."""
    looks, done = 0, asyncio.Event()
    heard: list[str] = []

    def hear_last() -> None:
        heard.append("late")
        done.set()

    async def refresh() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            assert look.ask(hear_last)

    look = SecondLook(refresh)
    taken = [look.ask(lambda: heard.append("early")) for _ in range(MOST_WAITING + 10)]
    assert taken == [True] * MOST_WAITING + [False] * 10
    await done.wait()
    assert (looks, heard) == (2, ["early"] * MOST_WAITING + ["late"])


async def test_a_database_that_is_away_lets_the_refusal_stand() -> None:
    """Nobody waits for ever, and the next one is looked at again."""
    answered = asyncio.Event()

    async def refresh() -> None:
        raise StorageUnavailableError("away")

    look = SecondLook(refresh)
    for _ in range(2):
        answered.clear()
        assert look.ask(answered.set)
        await answered.wait()
