"""The portal's own working time: how much of it each method has used up, and how slowly to go on so that it lasts.

A portal gives each method 480 s of execution in ten minutes, counts them by the minute, and says with every answer how much is
used up (`limits.md`). A backlog that ran into that limit would shut the door on clients who write now, for minutes. So from
`scarce_s` on calls are spread out, at a pace that leaves room in each minute to come. Arithmetic only; nothing waits here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from leadgate.integrations.bitrix24.shapes import as_number

WINDOW_S: Final = 600.0
BREATH_S: Final = 3.0
"""While time is scarce, no more is sent at once than it gives in these seconds: what comes meanwhile goes next."""
LONGEST_PAUSE_S: Final = 6.0
"""Between two leads, however little is left: what lies between `spread_to_s` and the end is for clients who write now."""

_MINUTE_S = 60
_MINUTES = 10
_LONGEST_CALL_S = 60.0  # the cloud cuts a request then: a greater step is somebody else's work
_NEW_PART = 0.5
_CALLS_OF_A_LEAD = 2  # its contact and itself


@dataclass(slots=True)
class _Method:
    """What was heard of one method.

    Attributes:
        minutes: execution time by minute of the portal's clock; what was spent before we came counts as spent when we came.
        told_at: the portal's time at its last answer, and ours.
        cost_s: what a call of it costs, of late.
        next_at_s: before this the next call should not go.
    """

    minutes: dict[int, float] = field(default_factory=dict)
    told_at: tuple[float, float] = (0.0, 0.0)
    cost_s: float = 0.0
    next_at_s: float = 0.0

    def portal_s(self, now_s: float) -> float:
        """The portal's time: its clock may differ from ours, so only what passed since it told us is ours."""
        return self.told_at[0] + now_s - self.told_at[1]

    def left(self, now_s: float) -> dict[int, float]:
        """The minutes that are not forgotten yet."""
        oldest = int(self.portal_s(now_s)) // _MINUTE_S - _MINUTES
        return {minute: spent_s for minute, spent_s in self.minutes.items() if minute > oldest}

    def used_s(self, now_s: float) -> float:
        """Execution time in the last ten minutes."""
        return sum(self.left(now_s).values())

    def correct(self, used_s: float, now_s: float) -> float:
        """Bring our count to the portal's, which was just told; how much greater that was."""
        self.minutes = self.left(now_s)
        step_s = used_s - sum(self.minutes.values())
        if step_s > 0:
            minute = int(self.portal_s(now_s)) // _MINUTE_S
            self.minutes[minute] = self.minutes.get(minute, 0.0) + step_s
        surplus_s = -step_s
        for minute in sorted(self.minutes):
            taken_s = min(max(surplus_s, 0.0), self.minutes[minute])
            self.minutes[minute] -= taken_s
            surplus_s -= taken_s
        return step_s


class TimeBudgets:
    """One portal's methods. All times are seconds of one monotonic clock."""

    def __init__(self, *, scarce_s: float, spread_to_s: float) -> None:
        """Spread calls out when more than `scarce_s` is used, so that no more than `spread_to_s` ever is."""
        self._scarce_s = scarce_s
        self._spread_to_s = spread_to_s
        self._methods: dict[str, _Method] = {}

    def learn(
        self, method: str, time: Mapping[str, object], *, since_s: float, now_s: float
    ) -> tuple[float, float] | None:
        """Read the `time` part of an answer; seconds used and seconds until some come back, None when it does not tell.

        Args:
            since_s: when the request went: what a slow portal took for it is time that passed already.
        """
        used_s = as_number(time.get("operating"))
        if used_s is None:
            return None
        reset_at, finish = as_number(time.get("operating_reset_at")), as_number(time.get("finish"))
        is_first = method not in self._methods
        heard = self._methods.setdefault(method, _Method())
        heard.told_at = (finish if finish is not None else heard.portal_s(now_s), now_s)
        step_s = heard.correct(used_s, now_s)
        if not is_first and 0 < step_s <= _LONGEST_CALL_S:
            heard.cost_s = step_s if not heard.cost_s else heard.cost_s + (step_s - heard.cost_s) * _NEW_PART
        if used_s >= self._scarce_s:
            self._put_off(heard, since_s, now_s)
        left_s = reset_at - finish if reset_at is not None and finish is not None else WINDOW_S
        return used_s, min(max(left_s, 1.0), WINDOW_S)

    def delay_s(self, method: str, now_s: float) -> float:
        """Seconds that a call should still wait so that the method's time lasts; 0.0 when there is plenty."""
        heard = self._methods.get(method)
        if heard is None or heard.used_s(now_s) < self._scarce_s:
            return 0.0
        return max(0.0, heard.next_at_s - now_s)

    def calls_at_once(self, now_s: float) -> int | None:
        """How many calls of one method may go together, at least 1; None while nothing is known of their cost."""
        known = [heard for heard in self._methods.values() if heard.cost_s or heard.used_s(now_s) >= self._scarce_s]
        return min((self._calls(heard, now_s) for heard in known), default=None)

    def _calls(self, heard: _Method, now_s: float) -> int:
        """What the pace gives in a breath, or what is plenty still; a batch must not reach far beyond that."""
        if not heard.cost_s:
            return 1
        plenty_s = self._scarce_s - heard.used_s(now_s)
        return max(1, int(max(self._pace(heard, now_s) * BREATH_S, plenty_s) / heard.cost_s))

    def _put_off(self, heard: _Method, since_s: float, now_s: float) -> None:
        """Each call pays for itself; a full batch that reaches into the scarce part is not paid for with half a minute."""
        pace = self._pace(heard, now_s)
        price_s = heard.cost_s / pace if pace > 0 else LONGEST_PAUSE_S
        longest_s = min(max(BREATH_S, _CALLS_OF_A_LEAD * price_s), LONGEST_PAUSE_S)
        heard.next_at_s = min(max(heard.next_at_s, since_s) + price_s, now_s + longest_s)

    def _pace(self, heard: _Method, now_s: float) -> float:
        """Seconds of execution that may be spent each second, so that it is enough until each minute to come is forgotten."""
        left = heard.left(now_s)
        at_s, room_s = heard.portal_s(now_s), self._spread_to_s - sum(left.values())
        pace = self._spread_to_s / WINDOW_S
        for minute in sorted(left):
            forgotten_in_s = (minute + _MINUTES) * _MINUTE_S - at_s
            pace = min(pace, room_s / max(forgotten_in_s, 1.0))
            room_s += left[minute]
        return max(pace, 0.0)
