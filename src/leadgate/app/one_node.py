"""Work that one node of the cluster does at a time: a lease on a lane of its own, renewed while the work lasts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from leadgate.errors import LeadgateError
from leadgate.ports.clock import Clock
from leadgate.ports.stores import Lease, Storage

_LEASE_TIME = timedelta(minutes=3)
_RENEW_INTERVAL_S = 45.0


@contextlib.asynccontextmanager
async def as_only_node(storage: Storage, lane: str, *, holder: str, clock: Clock) -> AsyncIterator[bool]:
    """Hold the lane while the block runs; False when another node holds it.

    Raises:
        StorageUnavailableError: the lane could not be asked for.
    """
    now = clock.now()
    lease = await storage.write(lambda tx: tx.lanes.claim_one(lane, holder=holder, now=now, until=now + _LEASE_TIME))
    if lease is None:
        yield False
        return
    renewing = asyncio.create_task(_renew(storage, lease, clock))
    try:
        yield True
    finally:
        renewing.cancel()
        with contextlib.suppress(LeadgateError):
            await storage.write(
                lambda tx: tx.lanes.release(lease, due_at=None, failures=0, problem=None, problem_since=None)
            )


async def look_again_and_again(
    look: Callable[[], Awaitable[object]], stop: asyncio.Event, *, interval_s: float
) -> None:
    """Look every so many seconds until `stop`; a look in hand is given up then. `look` must not raise."""
    while not stop.is_set():
        looking, stopping = asyncio.ensure_future(look()), asyncio.create_task(stop.wait())
        await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not looking.done():
            looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)


async def _renew(storage: Storage, lease: Lease, clock: Clock) -> None:
    while True:
        await asyncio.sleep(_RENEW_INTERVAL_S)
        with contextlib.suppress(LeadgateError):  # tried again at the next turn; two nodes at once do no harm here
            await storage.write(lambda tx: tx.lanes.renew(lease, until=clock.now() + _LEASE_TIME))
