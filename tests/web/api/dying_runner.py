"""Starts the product with one thing changed: it dies when an address has been added and nobody has been told yet."""

from __future__ import annotations

import os
import signal

from leadgate.alerts.addresses import AlertAddresses
from leadgate.cli import main
from leadgate.model.alerts import AlertTarget
from leadgate.model.secret import Secret

_add = AlertAddresses.add


async def add_and_die(self: AlertAddresses, address: Secret, *, name: str | None, by: str) -> AlertTarget:
    """The commit is on disk; the answer is not on its way."""
    await _add(self, address, name=name, by=by)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("the signal did not come")


if __name__ == "__main__":
    AlertAddresses.add = add_and_die  # type: ignore[method-assign]  # the one thing
    main()
