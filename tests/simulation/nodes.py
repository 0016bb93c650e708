"""Nodes that run the real worker: they start, die, freeze, are told to end, and are woken when there may be work."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from leadgate.delivery.worker import DeliveryWorker
from leadgate.model.connections import ConnectionState
from leadgate.ports.stores import Transaction
from tests.simulation.loop import Owner
from tests.simulation.world import START, World

_LOOK_EVERY_S = 0.5
_GRACE_S = 3.0


@dataclass(slots=True)
class NodeClock:
    """See `ports.clock.Clock`."""

    world: World
    skew_s: float

    def now(self) -> datetime:
        """The wall clock of this node, perhaps a little wrong."""
        return self.world.now(self.skew_s)

    def monotonic_s(self) -> float:
        """Goes on while the node is frozen."""
        return self.world.loop.time()


@dataclass(slots=True)
class Life:
    """One process from its start to its end."""

    owner: Owner
    worker: DeliveryWorker
    stop: asyncio.Event
    task: asyncio.Task[None] | None = None


MakeWorker = Callable[[NodeClock, str], DeliveryWorker]


@dataclass(slots=True)
class Cluster:
    """All nodes of a world, and the look at the lanes that each of them takes twice a second.

    A look that would find no lane is left out: it costs time and does nothing. So the simulation wakes the workers when a lane may
    be claimed, instead of letting them look by themselves (`simulation.simulated` makes their own interval endless).
    """

    world: World
    make_worker: MakeWorker
    lives: list[Life] = field(default_factory=list)
    starts: int = 0
    _look_at_s: float | None = None
    _looked_at_s: float = -_LOOK_EVERY_S

    def __post_init__(self) -> None:
        self.world.kill = self.kill
        self.world.freeze = self.freeze
        self.world.after_commit = self.arm

    def start(self, place: int) -> None:
        """A node begins: a new name, and what its dead predecessor on this machine held is free, if it looks."""
        world = self.world
        self.starts += 1
        owner = Owner(f"node-{place}.{self.starts}")
        worker = self.make_worker(NodeClock(world, world.scenario.skews_s[place]), owner.name)
        life = Life(owner, worker, asyncio.Event())
        before = self.lives[place] if place < len(self.lives) else None
        if before is None:
            self.lives.append(life)
        else:
            self.lives[place] = life
            if before.owner.is_dead and world.rng.random() < 0.5:
                self._free(before.owner.name)
        world.note(owner.name, "starts")
        life.task = world.loop.start(owner, worker.run(life.stop))
        self.arm()

    def _free(self, holder: str) -> None:
        def unit(tx: Transaction) -> None:
            tx.lanes.free(holder)

        self.world.commit(unit)

    def kill(self, owner: Owner) -> None:
        """As SIGKILL: nothing runs any more, not even what was to clean up. It starts again after a while."""
        owner.is_dead = True
        self._later(self.world.rng.uniform(0.1, 20), self.start, self._place(owner))

    def freeze(self, owner: Owner, for_s: float) -> None:
        """As SIGSTOP; time goes on."""
        owner.frozen = []
        self._later(for_s, self._thaw, owner)

    def roll(self, place: int) -> None:
        """As SIGTERM in a rolling restart: it ends by itself or, when that takes too long, is broken off."""
        life = self.lives[place]
        if life.owner.is_dead or life.owner.frozen is not None or life.stop.is_set():
            return
        self.world.note(life.owner.name, "is told to end")
        life.owner.context.run(life.stop.set)
        life.owner.context.run(life.worker.wake)
        self._later(_GRACE_S, self._break_off, life)
        self._later(_GRACE_S * 2, self._replace, life)

    def _break_off(self, life: Life) -> None:
        if life.task is not None and not life.task.done() and not life.owner.is_dead:
            life.owner.context.run(life.task.cancel)

    def _replace(self, life: Life) -> None:
        if not life.owner.is_dead:
            life.owner.is_dead = True  # its commits on the way may still arrive
            self.start(self._place(life.owner))

    def _thaw(self, owner: Owner) -> None:
        if owner.frozen is not None and not owner.is_dead:
            self.world.note(owner.name, "wakes")
            self.world.loop.thaw(owner)

    def _place(self, owner: Owner) -> int:
        return int(owner.name.removeprefix("node-").partition(".")[0])

    def _later(self, after_s: float, do: Callable[..., None], *args: object) -> None:
        self.world.loop.call_later(after_s, do, *args, context=self.world.outside)

    # The look at the lanes

    def arm(self) -> None:
        """Look when the next lane may be claimed."""
        at_s = self._next_claim_s()
        if at_s is None:
            return
        at_s = max(at_s, self.world.loop.time(), self._looked_at_s + _LOOK_EVERY_S)
        if self._look_at_s is None or at_s < self._look_at_s - 0.001:
            self._look_at_s = at_s
            self.world.loop.call_at(at_s, self._look, at_s, context=self.world.outside)

    def look_soon(self) -> None:
        """As every half second; only after a jump of the clock does a look that finds no lane do something."""
        for life in self.lives:
            self._later(self.world.rng.random() * _LOOK_EVERY_S, self._wake, life)

    def _look(self, at_s: float) -> None:
        if self._look_at_s != at_s:
            return  # an earlier look was armed meanwhile
        self._look_at_s = None
        next_s = self._next_claim_s()
        if next_s is not None and next_s <= self.world.loop.time() + 0.001:
            self._looked_at_s = self.world.loop.time()
            self.look_soon()
        self.arm()

    def _wake(self, life: Life) -> None:
        if not life.owner.is_dead:
            life.owner.context.run(life.worker.wake)

    def _next_claim_s(self) -> float | None:
        """Virtual time of the next claim, by true clocks."""
        nearest: datetime | None = None
        tables = self.world.storage.tables
        for row in tables.lanes.values():
            if row.due_at is None or tables.connections.get(row.connection_id or "") is ConnectionState.PAUSED:
                continue
            at = row.due_at if row.lease_until is None else max(row.due_at, row.lease_until + timedelta(milliseconds=1))
            if nearest is None or at < nearest:
                nearest = at
        return None if nearest is None else (nearest - START - self.world.wall_offset).total_seconds()
