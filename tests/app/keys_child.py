"""A process that dies while it rotates or wraps anew: `python keys_child.py DATA rotate|rewrap POINT DEED PASSING WITNESS`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from leadgate.app import open_app
from leadgate.app.rewrap import rewrap_keys
from leadgate.settings import read_settings
from leadgate.testing.fault_points import install


async def run(data: str, work: str, fault: tuple[str, str, str], witness: str) -> None:
    """Do it as a command does; the fault counts from the start."""
    point, deed, passing = fault
    install(point=point, deed=deed, passing=int(passing), witness=witness)
    async with open_app(read_settings(data=Path(data), environment={})) as app:
        if work == "rotate":
            await app.keys.rotate(by="command")
        else:
            await rewrap_keys(app.storage, app.custodian, app.workspace.workspace_id)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], (sys.argv[3], sys.argv[4], sys.argv[5]), sys.argv[6]))
