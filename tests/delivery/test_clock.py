"""The wall clock jumps, forward and back: no look-up comes too early, nothing waits for an hour that is long over."""

from collections import Counter
from datetime import timedelta

import pytest

from leadgate.delivery.clock_watch import ECHO_S
from leadgate.delivery.worker import LEASE_TIME
from leadgate.model.deliveries import DeliveryState
from leadgate.model.outcomes import RetryLater, Scope
from leadgate.testing.scripted_target import Lost
from leadgate.testing.storage_suite import LANE
from tests.delivery.rig import Rig

HOUR = timedelta(hours=1)
BUSY = RetryLater(code="item.busy", scope=Scope.ITEM)
DOWN = RetryLater(code="target.down", scope=Scope.TARGET)
DONE, UNKNOWN = DeliveryState.DONE, DeliveryState.UNKNOWN
ALMOST = timedelta(seconds=1)


async def in_doubt(rig: Rig) -> None:
    """A lead whose answer was lost."""
    await rig.says("Алсу", "Хочу стрижку")
    rig.crm.script(Lost(executed=True))
    await rig.work()
    assert (await rig.states())[0] is UNKNOWN


class TestQuietTime:
    @pytest.mark.parametrize("jump", [timedelta(minutes=2), HOUR, -timedelta(minutes=2), -HOUR])
    async def test_a_jump_makes_it_neither_shorter_nor_endless(self, rig: Rig, jump: timedelta) -> None:
        """The portal needs its minutes by a true clock; the client should not pay for ours."""
        await in_doubt(rig)
        rig.clock.jump(jump)
        await rig.work()
        await rig.work(rig.crm.quiet - ALMOST)
        assert not rig.crm.looked_up
        await rig.work(ALMOST)
        assert await rig.states() == [DONE, DONE]
        assert max(Counter(rig.crm.effects).values()) == 1

    async def test_a_jump_there_and_back_leaves_one_quiet_time(self, rig: Rig) -> None:
        """A time server that errs is put right a moment later."""
        await in_doubt(rig)
        for jump in (HOUR, -HOUR):
            rig.clock.jump(jump)
            await rig.work(timedelta(seconds=10))
        assert not rig.crm.looked_up
        await rig.work(rig.crm.quiet)
        assert await rig.states() == [DONE, DONE]

    async def test_one_that_ended_while_nobody_watched_begins_anew(self, rig: Rig) -> None:
        """Killed, put forward by an hour, started again: the minutes of the portal are not over."""
        await in_doubt(rig)
        rig.restart()
        rig.clock.jump(HOUR)
        await rig.work()
        await rig.work(rig.crm.quiet - ALMOST)
        assert not rig.crm.looked_up
        await rig.work(ALMOST)
        assert await rig.states() == [DONE, DONE]

    async def test_one_that_goes_on_over_restarts_ends_in_time(self, rig: Rig) -> None:
        """A process that is killed every minute must come to its look-ups all the same."""
        await in_doubt(rig)
        for _ in range(3):
            rig.restart()
            await rig.work()
            await rig.work(rig.crm.quiet / 3)
        assert await rig.states() == [DONE, DONE]

    async def test_a_clock_that_was_put_back_while_nobody_watched_costs_one_quiet_time(self, rig: Rig) -> None:
        """Due in an hour by the clock of then: the new process knows that no quiet time is that long."""
        await in_doubt(rig)
        rig.restart()
        rig.clock.jump(-HOUR)
        await rig.work()
        assert not rig.crm.looked_up
        await rig.work(rig.crm.quiet)
        assert await rig.states() == [DONE, DONE]

    async def test_a_clock_that_is_put_right_in_small_steps_has_not_jumped(self, rig: Rig) -> None:
        """Every clock is put right by milliseconds all the time; waiting anew for each of them would never end."""
        await in_doubt(rig)
        for _ in range(10):
            rig.clock.jump(timedelta(milliseconds=500))
            await rig.work(rig.crm.quiet / 10)
        assert await rig.states() == [DONE, DONE]


class TestWaits:
    @pytest.mark.parametrize("answer", [BUSY, DOWN])
    @pytest.mark.parametrize("is_restarted", [False, True])
    async def test_a_clock_that_is_put_back_makes_no_wait_longer(
        self, rig: Rig, answer: RetryLater, is_restarted: bool
    ) -> None:
        """Neither the next try of a lead nor the pause of a lane may last an hour more, also when nobody saw the jump."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(answer)
        await rig.work()
        assert DONE not in await rig.states()
        if is_restarted:
            rig.restart()
        rig.clock.jump(-HOUR)
        await rig.work(timedelta(seconds=10))
        assert await rig.states() == [DONE, DONE]

    async def test_a_clock_that_is_put_forward_loses_nothing(self, rig: Rig) -> None:
        """A try that comes early is no harm."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(BUSY)
        await rig.work()
        rig.clock.jump(HOUR)
        await rig.work()
        assert await rig.states() == [DONE, DONE]

    async def test_what_a_dead_process_was_sending_is_found_in_time(self, rig: Rig) -> None:
        """Its lease ends in an hour by the clock of today, and so does the due time of what it sent."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(RuntimeError("killed here"))
        await rig.work()
        rig.restart()
        rig.clock.jump(-HOUR)
        await rig.work()
        await rig.work(LEASE_TIME + ALMOST)
        assert (await rig.states())[0] is UNKNOWN
        await rig.work(rig.crm.quiet)
        await rig.work(rig.crm.quiet)
        assert await rig.states() == [DONE, DONE]

    async def test_what_was_written_late_by_the_clock_of_before_is_brought_forward_too(self, rig: Rig) -> None:
        """A commit takes its time: it may write a time of before the jump after everything was put right."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(BUSY)
        await rig.work()
        rig.clock.jump(-HOUR)
        rig.crm.script(BUSY)
        await rig.work()
        late = rig.clock.now() + HOUR
        await rig.storage.write(lambda tx: tx.deliveries.bring_forward(now=rig.clock.now()))
        deliveries = await rig.stored(lambda tx: tx.deliveries.open_in_lane(LANE, limit=9))
        for delivery in deliveries:
            await rig.storage.write(lambda tx, d=delivery: tx.deliveries.put_off(d.delivery_id, until=late))  # type: ignore[misc]  # a default binds d now
        await rig.work(timedelta(seconds=ECHO_S))
        assert await rig.states() == [DONE, DONE]
