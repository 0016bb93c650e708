"""A line of log that is written for every webhook: as in `logs`, past its machinery, and those of one moment in one write."""

from __future__ import annotations

import asyncio

from leadgate.observability import logs


class FrequentLine:
    """A line of level info with always the same fields."""

    def __init__(self, event: str, *, source: str) -> None:
        """Name the line."""
        self._event = event
        self._source = source

    def write(self, **fields: str) -> None:
        """Write the line at the end of this turn of the event loop."""
        if not _waiting:
            asyncio.get_running_loop().call_soon(_flush)
        _waiting.append({"source": self._source, **fields, "event": self._event})


_waiting: list[dict[str, str]] = []


def _flush() -> None:
    lines, _waiting[:] = list(_waiting), []
    logs.write_lines(lines)
