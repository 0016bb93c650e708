"""Starts the product with one thing changed, for tests: `python runner.py [--lease SECONDS] [--forget-look-up] COMMAND…`.

--lease shortens how long a killed process keeps its lanes, so that a campaign of many kills meets work every time.
--forget-look-up sends again at once what has an unknown outcome: the mistake that the kill campaign must find.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from leadgate.cli import main
from leadgate.delivery import retry, worker
from leadgate.model.deliveries import DeliveryState
from leadgate.processing import inbox


def send_again_at_once(situation: retry.Situation, code: str) -> retry.Decision:
    """The naive decision about an unknown outcome."""
    return retry.Decision(
        state=DeliveryState.WAITING, due_at=situation.now, failures=situation.failures, error_code=code
    )


def run(arguments: list[str]) -> None:
    """Read our own options, change what they ask for, hand the rest to the product."""
    while arguments and arguments[0] in {"--lease", "--forget-look-up"}:
        option = arguments.pop(0)
        if option == "--lease":
            worker.LEASE_TIME = inbox.LEASE_TIME = timedelta(seconds=float(arguments.pop(0)))
        else:
            retry._on_unknown = send_again_at_once  # type: ignore[assignment] # noqa: SLF001 - the heart of the matter
    main(arguments)


if __name__ == "__main__":
    run(sys.argv[1:])
