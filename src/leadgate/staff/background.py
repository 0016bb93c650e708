"""Costly work of the processor, one piece at a time and behind everything else: a flood of guesses must not make a client wait.

Hashing a password takes a whole core for a tenth of a second and 64 MiB. On Linux a thread has a niceness of its own, which the
threads that the hash starts inherit; elsewhere this is a pool of one thread and no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

NICENESS = 15
Made = TypeVar("Made")


async def in_background(work: Callable[[], Made]) -> Made:
    """Do this when nothing more urgent wants the processor."""
    return await asyncio.get_running_loop().run_in_executor(_pool(), work)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="leadgate-background", initializer=_step_back)


def _step_back() -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
