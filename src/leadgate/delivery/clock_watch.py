"""Two clocks watch one another: what a process may believe of waits that it did not see from beginning to end. No database.

Times in the database are those of the wall clock, the only one that all processes share; it may jump. The monotonic clock of a
process never does, but nobody else can read it. So each process compares the two whenever it asks for the time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from leadgate.observability import get_logger
from leadgate.ports.clock import Clock

JUMP = timedelta(seconds=2)
"""By so much the wall clock may be put right between two looks without being said to jump."""
ECHO_S = 45.0
"""A unit of work that was begun before a jump may write times of then for so long (a statement may take 30 s)."""
_log = get_logger("delivery")


class ClockWatch:
    """Reads the wall clock of one process and notices when it jumps.

    Attributes:
        breaks: how often waits could not be believed: 1 from the start, and two more for each jump, at once and when the last
            that was begun before it is written down.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin to watch: what the clock did before, nobody here has seen."""
        self._clock = clock
        self._looked_at, self._looked_at_s = clock.now(), clock.monotonic_s()
        self._even_since = self._looked_at
        self._has_jumped = False
        self._echo_at_s: float | None = None
        self.breaks = 1

    def now(self) -> datetime:
        """The wall clock; a jump since the last look counts before anything is decided by the new time."""
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        by = now - self._looked_at - timedelta(seconds=now_s - self._looked_at_s)
        self._looked_at, self._looked_at_s = now, now_s
        if abs(by) > JUMP:
            self._even_since, self._has_jumped = now, True
            self._echo_at_s = now_s + ECHO_S
            self.breaks += 1
            _log.warning("clock.jumped", seconds=round(by.total_seconds()))
        elif self._echo_at_s is not None and now_s >= self._echo_at_s:
            self._echo_at_s = None
            self.breaks += 1
        return now

    def end_of_quiet(self, due_at: datetime, quiet_time: timedelta) -> datetime:
        """When a look-up that is due at `due_at` by the wall clock may be made by this process.

        After a jump a whole quiet time must have passed under a clock that goes evenly. After a start a wait that is still
        running is believed, or a process that is killed again and again would never come to a look-up; one that ended while
        nobody here was watching begins anew, as it may have ended by a jump.
        """
        anew = self._even_since + quiet_time
        return due_at if due_at >= (anew if self._has_jumped else self._even_since) else anew
