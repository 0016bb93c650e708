"""Slowing down whoever guesses, without locking out the person whose name is guessed at.

Tries are counted by what they come from. A browser from which somebody has signed in before is counted apart from all strangers,
so that guessing at the owner's name cannot keep the owner out; and no wait is longer than five minutes. Counted before the check
and taken back after it: many tries at once cannot slip past the lock together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadgate.errors import AccessDeniedError
from leadgate.model.staff import Visit
from leadgate.ports.stores import Transaction

FREE_FAILURES = 5
FREE_FAILURES_OF_A_PEER = 20
"""A salon's people share one address, so more of theirs are free."""

LONGEST_WAIT = timedelta(minutes=5)
_FIRST_WAIT = timedelta(seconds=15)
_FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Counter:
    """Failures in a row of one origin.

    Attributes:
        key: a hash: people type addresses and even passwords as a name, and no machine's address is kept.
        free: how many of them cost no wait.
        fades: True when an hour of calm clears it; False when only a right sign-in does.
    """

    key: str
    free: int = FREE_FAILURES
    fades: bool = False


def counters_of(name_key: str, visit: Visit, *, is_known: bool) -> Sequence[Counter]:
    """What a try counts against: the known browser alone, or the name for all strangers and the address where it is known."""
    if is_known:
        return [Counter(_hashed(f"device\0{visit.device}\0{name_key}"))]
    of_name = Counter(_hashed(name_key))
    if visit.peer is None:
        return [of_name]
    return [of_name, Counter(_hashed(f"peer\0{visit.peer}"), FREE_FAILURES_OF_A_PEER, fades=True)]


def second_counter(staff_id: str, *, is_known: bool) -> Counter:
    """What a try at the second step counts against, where the password was right already."""
    return Counter(_hashed(f"second\0{staff_id}\0{'known' if is_known else 'new'}"))


def proof_counter(session_id: str) -> Counter:
    """What a try of somebody counts against who is signed in and shows again who they are."""
    return Counter(_hashed(f"proof\0{session_id}"))


def begin_try(tx: Transaction, counters: Sequence[Counter], now: datetime) -> int:
    """Count a try as failed before it is checked; the most failures in a row of all counters.

    Raises:
        AccessDeniedError: one is locked (`access.slow_down`, with `retry_after_s`); nothing is counted then.
    """
    for counter in counters:
        _refuse_when_locked(tx, counter, now)
    counted = 0
    for counter in counters:
        tx.staff.count_failure(counter.key, at=now)
        found = tx.staff.failures(counter.key)
        counted = max(counted, found[0] if found else 0)
    return counted


def end_try(tx: Transaction, counters: Sequence[Counter]) -> None:
    """It was right: those that do not fade start anew. A right password of one person clears no address."""
    for counter in counters:
        if not counter.fades:
            tx.staff.clear_failures(counter.key)


def _refuse_when_locked(tx: Transaction, counter: Counter, now: datetime) -> None:
    found = tx.staff.failures(counter.key)
    if found is None:
        return
    failures, failed_at = found
    if counter.fades and now - failed_at > _FORGOTTEN_AFTER:
        tx.staff.clear_failures(counter.key)
        return
    remaining = failed_at + wait_after(failures, counter.free) - now
    if remaining > timedelta():
        seconds = int(remaining.total_seconds()) + 1
        raise AccessDeniedError(
            "Too many tries in a row.",
            code="access.slow_down",
            hint=f"Try again in {seconds} seconds.",
            retry_after_s=seconds,
        )


def wait_after(failures: int, free: int) -> timedelta:
    """How long the next try waits: fifteen seconds after the free ones, twice as long each time, at most five minutes."""
    if failures < free:
        return timedelta()
    doublings: int = min(failures - free, 10)
    return min(_FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
