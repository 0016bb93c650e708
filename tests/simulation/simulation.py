"""Runs one seed: builds its world around the real worker, lets faults and work come, waits for the end and judges."""

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from leadgate.delivery import clock_watch, steps
from leadgate.delivery import worker as worker_module
from leadgate.delivery.worker import DeliveryWorker
from leadgate.model.connections import ConnectionState
from leadgate.testing.storage_suite import BOT, CRM
from tests.simulation.disk import Disk
from tests.simulation.loop import VirtualLoop
from tests.simulation.nodes import Cluster, NodeClock
from tests.simulation.people import People
from tests.simulation.portal import Portal, PortalTargets
from tests.simulation.scenario import draw_scenario
from tests.simulation.verdict import is_at_rest, judge, long_waits
from tests.simulation.world import World

_ENDLESS_S = 1e9
_LEAST_WINDOW = 4
"""What a lane sees at least; 20 in the product. With 4 a small world has more work than a lane sees."""
_MOST_TURNS = 60_000
_FIRST_LOOK_S = 5.0
_LONGEST_STANDSTILL_S = 340.0
"""After a last freeze and a last slow commit every node has looked again."""
_PATIENCE_S = 5 * 86400.0


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a seed.

    Attributes:
        violations: empty when all is well.
        trace: what happened, line by line; empty when it was not asked for.
    """

    seed: int
    violations: tuple[str, ...]
    turns: int
    deliveries: int
    faults: int
    trace: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """The same for two runs in which the same happened."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()


class _NoLog:
    """What the worker logs goes nowhere, or into the trace."""

    def __init__(self) -> None:
        self.note: Callable[[str, str], None] | None = None

    def _write(self, event: str, **fields: Any) -> None:  # noqa: ANN401 -- fields of a log line are what they are
        if self.note is not None:
            self.note("log", f"{event} {fields.get('error_code') or sys.exc_info()[1] or ''}".rstrip())

    info = warning = error = exception = _write


_LOG = _NoLog()


@contextmanager
def simulated() -> Iterator[None]:
    """The worker as the simulation needs it: no look at the lanes by itself (see `nodes.Cluster`), no log."""
    with (
        patch.multiple(worker_module, POLL_INTERVAL_S=_ENDLESS_S, _log=_LOG),
        patch.object(steps, "_LEAST_WINDOW", _LEAST_WINDOW),
        patch.object(clock_watch, "_log", _LOG),
    ):
        yield


def run_seed(seed: int, *, is_traced: bool = False) -> Result:
    """Run one seed; call it inside `simulated()`."""
    rng = Random(seed)  # noqa: S311 -- chance that replays, nothing secret
    scenario = draw_scenario(seed, rng)
    loop = VirtualLoop(rng)  # type: ignore[abstract]  # what nobody asks of it is left out
    world = World(scenario, rng, loop, trace=[] if is_traced else None)
    _LOG.note = world.note if is_traced else None
    portal = Portal(world)
    people = People(world, portal)
    targets = PortalTargets(portal)

    def make_worker(clock: NodeClock, holder: str) -> DeliveryWorker:
        return DeliveryWorker(
            Disk(world), targets, people.outbox, people.settlement, clock=clock, ids=people.ids, holder=holder
        )

    cluster = Cluster(world, make_worker)
    _set_up(world, portal, people, cluster)
    if not world.loop.run_all(most_turns=_MOST_TURNS):
        world.violate(f"not at rest after {_MOST_TURNS} turns")
    _look_for_crashes(world, cluster)
    if not world.violations:
        for violation in judge(world, portal):
            world.violate(violation)
    result = Result(
        seed=seed,
        violations=tuple(dict.fromkeys(world.violations)),
        turns=world.loop.turns,
        deliveries=len(world.storage.tables.deliveries),
        faults=world.faults,
        trace=tuple(world.trace or ()),
    )
    world.is_over = True
    world.loop.bury()
    return result


def _set_up(world: World, portal: Portal, people: People, cluster: Cluster) -> None:
    """Everything that will come by itself."""
    scenario = world.scenario
    if world.trace is not None:
        world.note("seed", str(scenario))
    world.storage.tables.connections.update({CRM: ConnectionState.ACTIVE, BOT: ConnectionState.ACTIVE})

    def at(at_s: float, do: Callable[..., object], *args: object) -> None:
        world.loop.call_at(at_s, do, *args, context=world.outside)

    for said in scenario.said:
        at(said.at_s, people.say, said)
    for at_s, by in scenario.jumps:
        at(at_s, _jump, world, cluster, by)
        at(scenario.calm_at_s + _LONGEST_STANDSTILL_S, _look_for_long_waits, world)
    for begin_s, end_s in scenario.pauses:
        at(begin_s, _set_state, world, cluster, ConnectionState.PAUSED)
        at(end_s, _set_state, world, cluster, ConnectionState.ACTIVE)
    if world.happens(scenario.weather.closed_lead * 2):
        at(world.rng.random() * scenario.calm_at_s, portal.close_leads)
    if scenario.weather.rolling:
        for place in range(scenario.nodes):
            at(world.rng.random() * scenario.calm_at_s, cluster.roll, place)
    at(scenario.calm_at_s + 0.001, _calm_down, world, people)
    for place in range(scenario.nodes):
        cluster.start(place)


def _jump(world: World, cluster: Cluster, by: timedelta) -> None:
    world.note("clock", f"jumps by {by}")
    world.wall_offset += by
    cluster.look_soon()
    world.loop.call_later(clock_watch.ECHO_S + 1, cluster.look_soon, context=world.outside)
    cluster.arm()


def _look_for_long_waits(world: World) -> None:
    """Every node had time to notice: whoever was put back must not keep anybody waiting for so much longer."""
    for what in long_waits(world):
        world.violate(what)


def _set_state(world: World, cluster: Cluster, state: ConnectionState) -> None:
    world.note("people", f"the CRM is {state.value}")
    world.storage.tables.connections[CRM] = state
    cluster.arm()


def _calm_down(world: World, people: People) -> None:
    world.note("world", "CALM")
    world.is_calm = True
    _look_for_rest(world, people, _FIRST_LOOK_S)


def _look_for_rest(world: World, people: People, after_s: float) -> None:
    """Look now and then, less and less often; what is dead is cured, and the world goes on until nothing is left."""
    if is_at_rest(world) and people.cure_dead_letters() == 0:
        return world.loop.stop()
    if world.loop.time() > world.scenario.calm_at_s + _PATIENCE_S:
        return world.loop.stop()
    context = world.outside
    world.loop.call_later(after_s, _look_for_rest, world, people, min(after_s * 1.3, 3600.0), context=context)
    return None


def _look_for_crashes(world: World, cluster: Cluster) -> None:
    for error in world.loop.errors:
        world.violate(f"nobody caught {error!r}")
    for life in cluster.lives:
        task = life.task
        if life.owner.is_dead or task is None or not task.done():
            continue
        if not task.cancelled() and task.exception() is not None:
            world.violate(f"the worker of {life.owner.name} crashed: {task.exception()!r}")
        elif not life.stop.is_set():
            world.violate(f"the worker of {life.owner.name} ended by itself")
