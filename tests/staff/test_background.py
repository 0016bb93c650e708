"""Costly work stands behind everything else."""

from __future__ import annotations

import os
import threading

import pytest

from leadgate.staff.background import NICENESS, in_background


async def test_it_is_done_behind_everything_else_and_alone() -> None:
    """The niceness is the thread's own; the rest of the process keeps its turn."""

    def look() -> tuple[str, int]:
        return threading.current_thread().name, os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = os.getpriority(os.PRIO_PROCESS, 0)
    (first, niceness), (second, _) = await in_background(look), await in_background(look)
    assert (first, niceness) == (second, max(before, NICENESS))
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


async def test_what_it_raises_comes_back() -> None:
    """As if it had been called here."""

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await in_background(fail)
