"""An order to erase raises an alarm when it was refused, or when the CRM has been silent for three working days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from leadgate.alerts.erasures import find_erasure_trouble, working_days_between
from leadgate.model.alerts import Cause
from leadgate.model.erasures import Erasure, ErasureReason, OrderState

MOSCOW = timezone(timedelta(hours=3))
THURSDAY = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)


def erasure(order: OrderState, *, at: datetime = THURSDAY, error_code: str | None = None) -> Erasure:
    """An erasure of that Thursday."""
    return Erasure(
        erasure_id="era_1",
        number=1,
        subject_ids=["subj_1"],
        reason=ErasureReason.REQUEST,
        by="command",
        at=at,
        keys=[],
        rows={},
        order=order,
        error_code=error_code,
    )


@pytest.mark.parametrize(
    ("until", "days"),
    [
        (THURSDAY, 0),
        (datetime(2026, 11, 20, 0, 0, tzinfo=MOSCOW), 1),
        (datetime(2026, 11, 22, 23, 59, tzinfo=MOSCOW), 1),  # a weekend is nobody's working time
        (datetime(2026, 11, 24, 0, 0, tzinfo=MOSCOW), 3),
    ],
)
def test_weekends_are_no_working_days(until: datetime, days: int) -> None:
    """A CRM that is away from Friday to Monday was away for one working day."""
    assert working_days_between(THURSDAY, until, MOSCOW) == days


@pytest.mark.parametrize("order", [OrderState.OPEN, OrderState.DONE, OrderState.NONE, OrderState.GIVEN_UP])
def test_what_needs_nobody_raises_nothing(order: OrderState) -> None:
    """An order that waits a day cures itself."""
    assert find_erasure_trouble([erasure(order)], now=THURSDAY + timedelta(days=3), zone=MOSCOW) is None


def test_an_open_order_is_told_of_after_three_working_days() -> None:
    """Somebody has to do it by hand while there is time."""
    now = datetime(2026, 11, 24, 9, 0, tzinfo=MOSCOW)
    trouble = find_erasure_trouble([erasure(OrderState.OPEN), erasure(OrderState.DONE)], now=now, zone=MOSCOW)
    assert trouble is not None
    assert (trouble.cause, trouble.count, trouble.since) == (Cause.ERASURE, 1, THURSDAY)


def test_a_refused_order_is_told_of_at_once() -> None:
    """Waiting does not cure it."""
    refused = erasure(OrderState.REFUSED, error_code="bitrix24.ACCESS_DENIED")
    trouble = find_erasure_trouble([refused], now=THURSDAY, zone=MOSCOW)
    assert trouble is not None
    assert trouble.detail == "bitrix24.ACCESS_DENIED"
