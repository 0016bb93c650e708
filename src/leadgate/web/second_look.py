"""Whoever proves nothing waits a moment until this process has read the secrets again: one was perhaps made a second ago.

Without it the first webhooks under a new secret would be refused until the next look for changes, which comes every two seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from leadgate.errors import LeadgateError

UNPROVEN = frozenset(
    {"webhook.secret_missing", "webhook.secret_mismatch", "webhook.signature_mismatch", "site.token_invalid"}
)
"""Refusals that a newer secret would undo."""

LOOK_AGAIN_AFTER_S = 0.1
"""Least seconds between two looks: forged requests must not make us read the database more often."""

MOST_WAITING = 256
"""So many requests wait for the next look; forged ones must not fill the memory with their bodies."""


class SecondLook:
    """Reads once for all who wait."""

    def __init__(self, refresh: Callable[[], Awaitable[object]]) -> None:
        """Read by this."""
        self._refresh = refresh
        self._waiting: list[Callable[[], None]] = []
        self._looking: asyncio.Task[None] | None = None
        self._looked_s = -LOOK_AGAIN_AFTER_S

    def ask(self, go_on: Callable[[], None]) -> bool:
        """Call `go_on` after a look that begins from now on; False when too many wait already. `go_on` must not raise."""
        if len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting.append(go_on)
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())
        return True

    async def _look(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(self._looked_s + LOOK_AGAIN_AFTER_S - time.monotonic())
                self._looked_s = time.monotonic()
                waiting, self._waiting = self._waiting, []
                try:
                    await self._refresh()
                except LeadgateError:
                    pass  # without the database the refusal stands: whoever is honest sends again
                finally:
                    for go_on in waiting:
                        go_on()
        finally:
            self._looking = None
