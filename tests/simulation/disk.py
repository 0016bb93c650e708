"""The disk of a world: the memory storage behind time and faults, as nodes see it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from leadgate.errors import StorageUnavailableError
from leadgate.model.webhooks import Receipt
from leadgate.ports.stores import NewEvent, Transaction
from tests.simulation.loop import OWNER, Owner
from tests.simulation.world import Moment, World

T = TypeVar("T")
_QUICK_S, _SLOW_S = 0.003, 14.0


class Disk:
    """See `ports.stores.Storage`."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def write(self, unit: Callable[[Transaction], T]) -> T:
        """Sooner or later the commit; a commit on its way may arrive although its sender is dead or frozen."""
        world = self._world
        if world.is_over:
            raise StorageUnavailableError("The world is over.")
        owner = OWNER.get()
        future: asyncio.Future[T] = world.loop.create_future()
        is_slow = world.happens(world.weather.slow_disk)
        delay_s = world.rng.random() * (_SLOW_S if is_slow else _QUICK_S)
        context = world.outside if world.rng.random() < 0.5 else None
        world.loop.call_later(delay_s, self._commit, future, unit, owner, context=context)
        return await future

    async def read(self, unit: Callable[[Transaction], T]) -> T:
        """A unit like any other."""
        return await self.write(unit)

    def receive(self, event: NewEvent) -> asyncio.Future[Receipt]:
        """Not part of the delivery core."""
        raise NotImplementedError(event.event_id)

    def _commit(self, future: asyncio.Future[T], unit: Callable[[Transaction], T], owner: Owner | None) -> None:
        world, weather = self._world, self._world.weather
        if owner is not None:
            world.pass_moment(owner, Moment.BEFORE_COMMIT)
            if (owner.is_dead and world.rng.random() < 0.5) or world.happens(weather.write_refused):
                world.note("disk", "commit refused")
                return _fail(future, owner, StorageUnavailableError("The disk is full."))
        try:
            if world.happens(weather.lost_race):
                world.storage.run(unit, is_kept=False)
            result = world.commit(unit)
        except Exception as error:  # noqa: BLE001 -- the unit's own; its caller shall have it
            return _fail(future, owner, error)
        if owner is not None:
            world.pass_moment(owner, Moment.AFTER_COMMIT)
            if world.happens(weather.commit_unheard):
                world.note("disk", "commit unheard")
                return _fail(future, owner, StorageUnavailableError("The database went away."))
        if not future.done():
            future.set_result(result)
        return None


def _fail(future: asyncio.Future[T], owner: Owner | None, error: Exception) -> None:
    if not future.done() and not (owner is not None and owner.is_dead):
        future.set_exception(error)
