"""A backlog that outlasts the portal's time budget: none of it is refused, and who writes meanwhile does not wait behind it.

Time is the clock's alone: the portal takes as long for each answer as its calls cost, and twenty minutes pass in seconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import pytest

from leadgate.model.leads import AddTimelineEntry, CrmCommand, CrmEntity, LeadRef, Person
from leadgate.model.outcomes import Delivered, Outcome, RetryLater
from leadgate.sandbox.bitrix24.limits import DEFAULT_COSTS_S, Limits
from tests.integrations.bitrix24.house import House, create, entry, open_house

FRESH_EVERY_S = 7.0
BUDGET_S, WINDOW_S = 480.0, 600.0
CALLS_OF_A_LEAD, CALL_S = 2, 0.5


@dataclass
class Drain:
    """The queue in front of a portal: fresh leads first, in at most half of each batch, as the delivery worker does it.

    Attributes:
        backlog: what is left to do of each lead that waits.
        fresh: the same for people who write meanwhile.
        asked_s: when they wrote.
        waits_s: how long each of them waited.
    """

    house: House
    backlog: deque[list[CrmCommand]]
    fresh: deque[list[CrmCommand]] = field(default_factory=deque)
    asked_s: dict[str, float] = field(default_factory=dict)
    waits_s: list[float] = field(default_factory=list)
    delivered: int = 0

    @property
    def now_s(self) -> float:
        return self.house.clock.seconds

    async def run(self) -> float:
        """Until the backlog is empty; the seconds that it took."""
        started_s, number, next_fresh_s = self.now_s, len(self.backlog), self.now_s + FRESH_EVERY_S
        while self.backlog:
            while next_fresh_s <= self.now_s:
                self.fresh.append(lead(number))
                self.asked_s[f"lead_{number}"] = next_fresh_s
                number, next_fresh_s = number + 1, next_fresh_s + FRESH_EVERY_S
            await self.deliver()
        return self.now_s - started_s

    async def deliver(self) -> None:
        room = max(1, self.house.crm.capacity() // 2)
        first = [self.fresh.popleft() for _ in range(min(len(self.fresh), max(1, room // 2)))]
        rest = [self.backlog.popleft() for _ in range(min(len(self.backlog), room - len(first)))]
        outcomes = iter(await self.house.deliver(*(command for one in (*first, *rest) for command in one)))
        pauses = [1.0]
        for one in (*first, *rest):
            left, again = self.settle(one, [next(outcomes) for _ in one])
            if left:
                (self.fresh if one in first else self.backlog).append(left)
                pauses += [again]
        if len(pauses) > 1:
            await self.house.clock.sleep(max(pauses))

    def settle(self, commands: list[CrmCommand], outcomes: list[Outcome]) -> tuple[list[CrmCommand], float]:
        """What is left of a lead, and after how many seconds to try it again."""
        done = [outcome for outcome in outcomes if isinstance(outcome, Delivered)]
        left, pauses = commands[len(done) :], [0.0]
        for outcome in outcomes[len(done) :]:
            assert isinstance(outcome, RetryLater), outcome
            pauses += [outcome.after.total_seconds()] if outcome.after else []
        if not left:
            self.delivered += 1
            asked_s = self.asked_s.get(commands[0].lead_id)
            self.waits_s += [] if asked_s is None else [self.now_s - asked_s]
        elif done:
            ref = LeadRef(CrmEntity.LEAD, int(str(done[0].external_id).partition(":")[2]))
            left = [replace(command, ref=ref) for command in left if isinstance(command, AddTimelineEntry)]
        return left, max(pauses)


def lead(number: int) -> list[CrmCommand]:
    """A lead of somebody new, and its first entry."""
    person = Person(name="Анна", phone=f"+7900{number:07d}")
    return [create(number, person=person), entry(number, lead=number)]


@pytest.mark.parametrize("is_slow", [True, False])
async def test_a_backlog_beyond_the_time_budget_drains_without_one_refusal(*, is_slow: bool) -> None:
    """480 s of work per method in ten minutes: four fifths of it are used, never more, and nobody waits for it to come back."""
    limits = Limits(cost_s={**DEFAULT_COSTS_S, "crm.item.add": CALL_S}, is_slow=is_slow)
    async with open_house(limits=limits) as house:
        drain = Drain(house, deque(map(lead, range(600))))
        took_s = await drain.run()
        refused = house.sandbox.portal.counters.refused
    assert refused.total() == 0, refused
    work_s = drain.delivered * CALLS_OF_A_LEAD * CALL_S
    assert work_s > BUDGET_S
    assert work_s >= 0.8 * BUDGET_S * took_s / WINDOW_S
    assert len(drain.waits_s) > took_s / FRESH_EVERY_S - 5
    assert max(drain.waits_s) < 10.0
