"""The portal's two limits: the leaky bucket of requests and the time budget of each method.

Both are real by default. Refused requests do not fill the bucket: the documentation does not say, and this is
the milder reading. Source: the page `limits` of the official documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType

from leadgate.sandbox.bitrix24.envelope import RestError, Usage

_MINUTE_S = 60
_MINUTES = 10
_MAX_SOURCES = 10_000

DEFAULT_COSTS_S: Mapping[str, float] = MappingProxyType(
    {
        "crm.item.add": 0.2,
        "crm.lead.add": 0.2,
        "crm.contact.add": 0.15,
        "crm.deal.add": 0.2,
        "crm.item.list": 0.1,
    }
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the portal allows.

    Attributes:
        drain_per_s: requests that leave the bucket each second, 2 on every plan but Enterprise.
        burst: the bucket refuses above this level, 50 on every plan but Enterprise.
        operating_limit_s: seconds of work that one method may do for one webhook in ten minutes.
        cost_s: seconds that a call of a method is said to take; `default_cost_s` for the others.
        is_slow: an answer comes as late as its calls are said to take, as a real portal's does; else at once.
    """

    is_rate_limited: bool = True
    drain_per_s: float = 2.0
    burst: float = 50.0
    is_time_limited: bool = True
    operating_limit_s: float = 480.0
    cost_s: Mapping[str, float] = field(default_factory=lambda: DEFAULT_COSTS_S)
    default_cost_s: float = 0.05
    is_slow: bool = False

    @classmethod
    def off(cls) -> Limits:
        """No limits at all, for tests about something else."""
        return cls(is_rate_limited=False, is_time_limited=False)


def too_many_requests() -> RestError:
    """The refusal of a full bucket."""
    return RestError(HTTPStatus.SERVICE_UNAVAILABLE, "QUERY_LIMIT_EXCEEDED", "Too many requests")


def time_is_up() -> RestError:
    """The refusal of a method that used up its time budget."""
    words = "Method is blocked due to operation time limit."
    return RestError(HTTPStatus.TOO_MANY_REQUESTS, "OPERATION_TIME_LIMIT", words)


class Meter:
    """Counts requests by their source and seconds by method and caller. Times are seconds of one clock.

    Attributes:
        worked_s: seconds that all calls so far are said to have taken.
        longest_spent_s: most that any method had used up of its ten minutes, by method.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.worked_s = 0.0
        self.longest_spent_s: dict[str, float] = {}
        self._buckets: dict[str, tuple[float, float]] = {}
        self._minutes: dict[tuple[str, str], dict[int, float]] = {}

    def let_in(self, source: str, at_s: float) -> None:
        """Counts one request of this address.

        Raises:
            RestError: the bucket is full; the request is not counted.
        """
        if not self.limits.is_rate_limited:
            return
        level, seen_s = self._buckets.get(source, (0.0, at_s))
        level = max(0.0, level - (at_s - seen_s) * self.limits.drain_per_s)
        if level + 1 > self.limits.burst:
            self._buckets[source] = (level, at_s)
            raise too_many_requests()
        if len(self._buckets) > _MAX_SOURCES:
            self._buckets.clear()
        self._buckets[source] = (level + 1, at_s)

    def require_time(self, method: str, caller: str, at_s: float) -> None:
        """Checks the budget before a call; the call that crosses the limit still runs.

        Raises:
            RestError: the budget of the last ten minutes is spent.
        """
        if self.limits.is_time_limited and self._spent_s(method, caller, at_s) >= self.limits.operating_limit_s:
            raise time_is_up()

    def spend(self, method: str, caller: str, at_s: float) -> Usage:
        """Adds one call's cost and says how much is used and when the oldest minute is forgotten."""
        self._spent_s(method, caller, at_s)  # forgets what is older than ten minutes
        minutes = self._minutes.setdefault((method, caller), {})
        minute = int(at_s) // _MINUTE_S
        cost_s = self.limits.cost_s.get(method, self.limits.default_cost_s)
        minutes[minute] = minutes.get(minute, 0.0) + cost_s
        self.worked_s += cost_s
        spent_s = sum(minutes.values())
        self.longest_spent_s[method] = max(self.longest_spent_s.get(method, 0.0), spent_s)
        return Usage(operating_s=spent_s, reset_at=(min(minutes) + _MINUTES) * _MINUTE_S)

    def _spent_s(self, method: str, caller: str, at_s: float) -> float:
        minutes = self._minutes.get((method, caller), {})
        oldest = int(at_s) // _MINUTE_S - _MINUTES
        for minute in [minute for minute in minutes if minute <= oldest]:
            del minutes[minute]
        return sum(minutes.values())
