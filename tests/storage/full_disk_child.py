"""Fills a disk that has no room: prints the id of every acknowledged event, fails when a refusal is not the right one."""

import asyncio
import os
import resource
import signal
import sys
from dataclasses import replace

from leadgate.errors import StorageUnavailableError
from leadgate.testing.databases import open_storage
from leadgate.testing.storage_suite import new_event

ROOM_BYTES = 1_500_000


async def main(database_url: str) -> None:
    """Keep events until the disk is full, see every one refused, make room, keep one more."""
    storage = open_storage(database_url)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write past the limit fails instead
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, resource.RLIM_INFINITY))
    refused, number = 0, 0
    while refused < 3:
        batch = [replace(new_event(f"{number + n}"), sealed_body=os.urandom(20_000)) for n in range(10)]
        number += 10
        results = await asyncio.gather(*(storage.receive(event) for event in batch), return_exceptions=True)
        if any(isinstance(result, BaseException) for result in results):
            assert all(isinstance(result, StorageUnavailableError) for result in results), results
            refused += 1
        else:
            print(*(event.event_id for event in batch))  # noqa: T201 - the parent reads it
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    receipt = await storage.receive(new_event("after"))
    print(receipt.event_id)  # noqa: T201 - as above
    storage.close()


asyncio.run(main(sys.argv[1]))
