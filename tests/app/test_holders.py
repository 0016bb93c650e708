from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

from leadgate.app.holders import is_dead, own_holder
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import NOW


def dead_process() -> int:
    """The number of a process that has just ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def holder_of(pid: int, *, machine: str | None = None) -> str:
    """A holder's name as another process would have it."""
    own_machine, _, _ = own_holder("x").partition(":")
    return f"{machine or own_machine}:{pid}:othertoken"


def test_a_process_that_ended_is_dead() -> None:
    """Its lanes need not wait for the lease to run out."""
    assert is_dead(holder_of(dead_process()), own_holder("mine"))


def test_our_own_number_under_another_token_is_dead() -> None:
    """In a container every process has the number 1."""
    assert is_dead(holder_of(os.getpid()), own_holder("mine"))
    assert not is_dead(own_holder("mine"), own_holder("mine"))


def test_a_living_process_and_another_machine_are_left_alone() -> None:
    """Nobody can tell dead from slow there: time decides."""
    assert not is_dead(holder_of(os.getppid()), own_holder("mine"))
    assert not is_dead(holder_of(dead_process(), machine="elsewhere"), own_holder("mine"))
    assert not is_dead("nonsense", own_holder("mine"))


async def test_a_freed_lane_is_claimed_at_once_under_a_higher_fence(storage: SqlStorage) -> None:
    """The dead holder could not write any more even if it came back."""
    until = NOW + timedelta(seconds=10)
    dead = holder_of(dead_process())
    first = await storage.write(lambda tx: tx.lanes.claim_one("crm:x", holder=dead, now=NOW, until=until))
    assert first is not None
    assert await storage.write(lambda tx: tx.lanes.claim_one("crm:x", holder="me", now=NOW, until=until)) is None
    assert list(await storage.read(lambda tx: tx.lanes.holders())) == [dead]

    assert await storage.write(lambda tx: tx.lanes.free(dead)) == 1
    mine = await storage.write(lambda tx: tx.lanes.claim_one("crm:x", holder="me", now=NOW, until=until))
    assert mine is not None
    assert mine.fence > first.fence
    assert not await storage.read(lambda tx: tx.lanes.hold(first))
