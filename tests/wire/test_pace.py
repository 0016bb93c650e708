from datetime import timedelta

from leadgate.testing.connections import FixedClock
from leadgate.wire.pace import Pace, Rate


async def test_a_burst_goes_at_once_and_then_the_chat_waits() -> None:
    """A greeting of two messages must not take a second; a flood into one chat would get the bot closed."""
    pace = Pace(FixedClock(), bot=Rate(per_second=1000, burst=1000), chat=Rate(per_second=0.1, burst=2))
    assert [await pace.turn("7") for _ in range(2)] == [None, None]
    assert await pace.turn("7") == timedelta(seconds=10)
    assert await pace.turn("8") is None


async def test_waiting_in_vain_reserves_nothing() -> None:
    """Otherwise each try would push the next one further away."""
    clock = FixedClock()
    pace = Pace(clock, bot=Rate(per_second=0.1))
    assert await pace.turn("7") is None
    assert [await pace.turn("7") for _ in range(3)] == [timedelta(seconds=10)] * 3
    clock.move(timedelta(seconds=10))
    assert await pace.turn("7") is None


async def test_the_bot_as_a_whole_has_a_rate() -> None:
    """The vendor counts all chats of a bot together."""
    pace = Pace(FixedClock(), bot=Rate(per_second=0.1, burst=3))
    assert [await pace.turn(str(chat)) for chat in range(3)] == [None] * 3
    assert await pace.turn("4") == timedelta(seconds=10)


async def test_what_the_vendor_says_holds_every_chat() -> None:
    """After 429 nothing is sent before the time that was named, whatever credit was left."""
    clock = FixedClock()
    pace = Pace(clock, bot=Rate(per_second=30, burst=30), chat=Rate(per_second=1, burst=3))
    pace.hold(timedelta(seconds=7))
    assert await pace.turn("7") == timedelta(seconds=7)
    clock.move(timedelta(seconds=7))
    assert await pace.turn("7") is None
