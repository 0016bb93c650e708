"""Waiting for something to become true in another process, which can only be looked at again and again."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")
_LOOK_EVERY_S = 0.05


class NeverHappenedError(AssertionError):
    """What was waited for did not become true in time."""


@overload
async def until(look: Callable[[], Awaitable[T]], *, what: str, timeout_s: float = 30.0) -> T: ...
@overload
async def until(look: Callable[[], T], *, what: str, timeout_s: float = 30.0) -> T: ...
async def until(look: Callable[[], T | Awaitable[T]], *, what: str, timeout_s: float = 30.0) -> T:
    """Look until the answer is true and return it; the time bounds a failure, a success costs only what it takes.

    Raises:
        NeverHappenedError: not true within `timeout_s` seconds; names `what` and the last answer.
    """
    loop = asyncio.get_running_loop()
    end_s = loop.time() + timeout_s
    while True:
        answer = look()
        found: T = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        if loop.time() >= end_s:
            raise NeverHappenedError(f"{what}: not within {timeout_s:g} s, the last look gave {found!r}")
        await asyncio.sleep(_LOOK_EVERY_S)
