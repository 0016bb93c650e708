"""One world: its time, its chances, its disk, what is noted of it and what must never happen in it."""

from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from random import Random
from typing import TypeVar

from leadgate.delivery.payloads import Payload
from leadgate.model.deliveries import DeliveryState
from leadgate.ports.stores import StoredDelivery, Transaction
from tests.simulation.loop import Owner, VirtualLoop
from tests.simulation.memory_storage import MemoryStorage
from tests.simulation.scenario import Scenario, Weather

T = TypeVar("T")
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_MOST_STRIKES = 4


class Moment(Enum):
    """Where a node may die or freeze."""

    BEFORE_COMMIT = "before a commit"
    AFTER_COMMIT = "after a commit"
    BEFORE_CALL = "before a call"
    AFTER_CALL = "after a call was sent"


@dataclass(slots=True)
class World:
    """What all parts of a simulation share.

    Attributes:
        outside: context of what belongs to no node.
        wall_offset: how far the wall clocks have jumped so far.
        key_of: what makes the payload of a delivery unique at its target, by delivery id; `delivery_of` is the way back.
        homes: for which lead an entry was written, and when; `moved_at_s`: when it went to another one.
        trace: lines for a person; None when nobody reads them.
        violations: what must never happen, and did.
        strike: kills or freezes a node, see `nodes.Node`.
    """

    scenario: Scenario
    rng: Random
    loop: VirtualLoop
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    outside: Context = field(default_factory=Context)
    weather: Weather = field(init=False)
    wall_offset: timedelta = timedelta()
    is_calm: bool = False
    is_over: bool = False
    key_of: dict[str, str] = field(default_factory=dict)
    delivery_of: dict[str, str] = field(default_factory=dict)
    homes: dict[str, tuple[str, float]] = field(default_factory=dict)
    moved_at_s: dict[str, float] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    reopened: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    trace: list[str] | None = None
    violations: list[str] = field(default_factory=list)
    strikes_left: int = _MOST_STRIKES
    faults: int = 0
    kill: Callable[[Owner], None] = lambda _owner: None
    freeze: Callable[[Owner, float], None] = lambda _owner, _s: None
    after_commit: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.weather = self.scenario.weather
        self.storage.on_change = self._watch

    # Time and chance

    def now(self, skew_s: float = 0.0) -> datetime:
        """The wall clock."""
        return START + self.wall_offset + timedelta(seconds=self.loop.time() + skew_s)

    def happens(self, rate: float) -> bool:
        """A fault comes, unless it is calm. A rate of 0 draws nothing."""
        if rate <= 0 or self.is_calm or self.rng.random() >= rate:
            return False
        self.faults += 1
        return True

    def pass_moment(self, owner: Owner, moment: Moment) -> None:
        """Here a node may die or freeze; what it does next it does after that, if ever."""
        if self.is_calm or self.strikes_left <= 0 or owner.is_dead or owner.frozen is not None:
            return
        if self.happens(self.weather.kill):
            self.strikes_left -= 1
            self.note(owner.name, f"KILLED {moment.value}")
            self.kill(owner)
        elif self.happens(self.weather.freeze):
            self.strikes_left -= 1
            self.freeze(owner, self.rng.uniform(0.5, self.weather.longest_freeze_s))
            self.note(owner.name, f"FROZEN {moment.value}")

    def commit(self, unit: Callable[[Transaction], T]) -> T:
        """Run a unit of work for good."""
        result = self.storage.run(unit)
        self.after_commit()
        return result

    # What is seen

    def note_home(self, key: str, lead_id: str) -> None:
        """An entry is meant for this lead."""
        home, _ = self.homes.setdefault(key, (lead_id, self.loop.time()))
        if lead_id != home:
            self.moved_at_s[key] = self.loop.time()

    def is_newcomer(self, key: str, among: str) -> bool:
        """True when an entry came over from a closed lead after the other one had been written for the new lead.

        While it was in doubt nobody could know that its lead is closed, and what is said to the new lead does not wait for that.
        """
        if key not in self.homes or self.homes[key][0] == self.homes[among][0]:
            return False
        return self.homes[among][1] < self.moved_at_s.get(key, 0.0)

    def note(self, who: str, what: str) -> None:
        """A line of the trace."""
        if self.trace is not None:
            self.trace.append(f"{self.loop.time():12.3f}  {who:<8}  {what}")

    def violate(self, what: str) -> None:
        """What must never happen did: the world ends."""
        self.note("!!", what)
        self.violations.append(what)
        self.loop.stop()

    def _watch(self, verb: str, before: StoredDelivery, after: StoredDelivery) -> None:
        key = self.key_of.get(before.delivery_id, before.delivery_id)
        if self.trace is not None:
            due = "parked" if after.due_at is None else f"due {(after.due_at - START).total_seconds():.1f}"
            self.note("store", f"{verb}: {key} {before.state.value} -> {after.state.value}, {due}, {after.lane[:9]}")
        if before.state is DeliveryState.DONE:
            self.violate(f"{key} was done and became {after.state.value}")
        if verb == "start send" and before.state is not DeliveryState.WAITING:
            self.violate(f"{key} was sent while it was {before.state.value}")
        if after.state is DeliveryState.DEAD and before.state is not DeliveryState.DEAD:
            self._watch_death(key, before)

    def _watch_death(self, key: str, delivery: StoredDelivery) -> None:
        is_late_message = key.startswith("msg_") and self.now() - delivery.created_at >= timedelta(hours=23)
        if key not in self.refused and not is_late_message:
            self.violate(f"{key} became a dead letter though its target never refused it")

    def watch_call(self, owner: Owner, payload: Payload, key: str) -> None:
        """A call begins: `sending` must be on disk, and the lease must be the caller's."""
        self.note(owner.name, f"sends {key}")
        if not self.scenario.are_clocks_true:
            return
        delivery = self.storage.tables.deliveries[self.delivery_of[key]]
        holder = self.storage.tables.lanes[delivery.lane].holder
        if holder != owner.name:
            self.violate(f"{key} was sent by {owner.name} while the lane was held by {holder}")
        elif delivery.state is not DeliveryState.SENDING:
            self.violate(f"{key} was sent while the disk said {delivery.state.value}")
