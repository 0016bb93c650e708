"""When an order to erase somebody in the CRM needs a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo

from leadgate.model.alerts import Cause, Trouble
from leadgate.model.erasures import Erasure, OrderState

OPEN_WORKING_DAYS = 3
"""So long a CRM may be away or busy before somebody has to see to it; the law gives more, and this leaves time to do it by hand."""

_SATURDAY = 5
_DAY = timedelta(days=1)


def find_erasure_trouble(erasures: Iterable[Erasure], *, now: datetime, zone: tzinfo) -> Trouble | None:
    """One alarm for all orders that were refused, or are open for three working days; None when there is none."""
    late = [erasure for erasure in erasures if _needs_person(erasure, now, zone)]
    if not late:
        return None
    codes = [erasure.error_code for erasure in late if erasure.error_code]
    return Trouble(
        cause=Cause.ERASURE,
        detail=codes[0] if codes else "",
        count=len(late),
        since=min(erasure.at for erasure in late),
    )


def _needs_person(erasure: Erasure, now: datetime, zone: tzinfo) -> bool:
    if erasure.order is OrderState.OPEN:
        return working_days_between(erasure.at, now, zone) >= OPEN_WORKING_DAYS
    return erasure.order is OrderState.REFUSED


def working_days_between(since: datetime, until: datetime, zone: tzinfo) -> int:
    """Mondays to Fridays that began after `since`, on the salon's calendar; public holidays are not known here."""
    day, last = since.astimezone(zone).date() + _DAY, until.astimezone(zone).date()
    count = 0
    while day <= last:
        count += day.weekday() < _SATURDAY
        day += _DAY
    return count
