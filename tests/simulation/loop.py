"""An event loop in virtual time: nothing waits, the seed decides what runs next, and a node can be killed or frozen at any await.

What a task awaits is real asyncio; only the loop under it is ours. Callbacks belong to the node whose context they were made in.
Those of a dead node are dropped, as SIGKILL drops them (no `finally`, no `except`); those of a frozen one wait until it wakes.
"""

import asyncio
import heapq
import inspect
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from random import Random
from types import CoroutineType
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(slots=True, eq=False)
class Owner:
    """Whose callbacks these are: one life of a node.

    Attributes:
        is_dead: its callbacks are dropped.
        frozen: its callbacks, kept while it does not run; None while it does.
    """

    name: str
    is_dead: bool = False
    frozen: list[asyncio.Handle] | None = None
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        self.context = copy_context()
        self.context.run(OWNER.set, self)


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)
"""None is the world outside of the nodes: disks, targets, clients."""


class NumberedTask(asyncio.Task[T]):
    """A task whose place in a set is the same in every run."""

    def __init__(self, coro: Coroutine[Any, Any, T], loop: "VirtualLoop", number: int, *, name: str | None) -> None:
        self._number = number
        super().__init__(coro, loop=loop, name=name)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs callbacks in an order drawn from the seed; when none is ready, time jumps to the next timer."""

    def __init__(self, rng: Random) -> None:
        """Draw the order from `rng`."""
        self._random = rng.random
        self._now_s = 0.0
        self._ready: list[tuple[asyncio.Handle, Owner | None]] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle, Owner | None]] = []
        self._dropped: list[asyncio.Handle] = []
        self._count = 0
        self._is_stopped = False
        self.tasks: list[NumberedTask[Any]] = []
        self.owners: list[Owner] = []
        self.turns = 0
        self.errors: list[BaseException] = []

    def time(self) -> float:
        """Virtual seconds since the start."""
        return self._now_s

    def run_all(self, *, most_turns: int) -> bool:
        """Run until nothing is left to do or `stop`; False when it did not end within that many turns."""
        asyncio.events._set_running_loop(self)  # noqa: SLF001 -- the documented way to write a loop of one's own
        try:
            self._is_stopped = False
            while not self._is_stopped and (self._ready or self._jump()):
                if self.turns >= most_turns:
                    return False
                self._turn()
        finally:
            asyncio.events._set_running_loop(None)  # noqa: SLF001 -- as above
        return True

    def _turn(self) -> None:
        ready = self._ready
        place = int(self._random() * len(ready))
        handle, owner = ready[place]
        ready[place] = ready[-1]
        ready.pop()
        if owner is not None:
            if owner.is_dead:
                self._dropped.append(handle)
                return
            if owner.frozen is not None:
                owner.frozen.append(handle)
                return
        self.turns += 1
        if not handle.cancelled():
            handle._run()  # noqa: SLF001 -- what a loop does with a handle

    def _jump(self) -> bool:
        timers = self._timers
        while timers:
            when_s, _, handle, owner = heapq.heappop(timers)
            if handle.cancelled():
                continue
            self._now_s = max(self._now_s, when_s)
            self._ready.append((handle, owner))
            while timers and timers[0][0] <= self._now_s:
                _, _, handle, owner = heapq.heappop(timers)
                self._ready.append((handle, owner))
            return True
        return False

    def stop(self) -> None:
        """End `run_all` after this turn."""
        self._is_stopped = True

    def thaw(self, owner: Owner) -> None:
        """A frozen node goes on where it stood."""
        backlog, owner.frozen = owner.frozen or [], None
        self._ready += [(handle, owner) for handle in backlog]

    def start(self, owner: Owner, coro: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine as part of a node."""
        self.owners.append(owner)
        return owner.context.run(self.create_task, coro)

    def bury(self) -> None:
        """Let the tasks of dead nodes end, when all is judged: they must not complain while Python sweeps them up."""
        for task in self.tasks:
            coro = task.get_coro()
            if task.done():
                continue
            if isinstance(coro, CoroutineType) and inspect.getcoroutinestate(coro) == inspect.CORO_CREATED:
                coro.close()
            else:
                task.cancel()
        frozen = [handle for task_owner in self.owners for handle in task_owner.frozen or ()]
        left = deque([*self._dropped, *frozen, *(handle for handle, _ in self._ready)])
        self._ready.clear()
        asyncio.events._set_running_loop(self)  # noqa: SLF001 -- as above
        try:
            while left:
                handle = left.popleft()
                if not handle.cancelled():
                    handle._run()  # noqa: SLF001 -- as above
                left.extend(handle for handle, _ in self._ready)
                self._ready.clear()
        finally:
            asyncio.events._set_running_loop(None)  # noqa: SLF001 -- as above

    # What asyncio asks of a loop

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Among the next."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append((handle, OWNER.get() if context is None else context.get(OWNER)))
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """After this many virtual seconds."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """At this virtual time."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._count += 1
        owner = OWNER.get() if context is None else context.get(OWNER)
        heapq.heappush(self._timers, (when, self._count, handle, owner))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """Of this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """A task of the node that makes it."""
        task = NumberedTask(coro, self, len(self.tasks), name=name)  # type: ignore[arg-type]  # nobody makes one of a generator
        self.tasks.append(task)
        return task

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """Always, as far as its tasks can see."""
        return True

    def is_closed(self) -> bool:
        """Never: nothing is open."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what nobody caught; the world looks at it."""
        error = context.get("exception")
        if error is not None and "handle" in context:
            self.errors.append(error)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is passed over when its time comes."""
