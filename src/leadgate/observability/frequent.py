"""A line of log that is written for every webhook: as in `logs`, past its machinery, and those of one moment in one write."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from leadgate.observability import logs


class FrequentLine:
    """A line of level info with always the same fields."""

    def __init__(self, event: str, *, source: str) -> None:
        """Name the line."""
        self._event = event
        self._source = source

    def write(self, **fields: str) -> None:
        """Write the line at the end of this turn of the event loop."""
        loop = asyncio.get_running_loop()
        lines = _waiting.get(loop)
        if lines is None:
            lines = _waiting[loop] = []
            loop.call_soon(_flush, loop)
        lines.append({"source": self._source, **fields, "event": self._event})


# For each loop, so that one that ended before its flush does not keep the next one from flushing.
_waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, list[dict[str, str]]] = WeakKeyDictionary()


def _flush(loop: asyncio.AbstractEventLoop) -> None:
    logs.write_lines(_waiting.pop(loop, []))
