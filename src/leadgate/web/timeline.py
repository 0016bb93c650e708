"""The history of a delivery as steps, newest below, the future step last and grey. Pure: keys and values, no words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from leadgate.model.deliveries import AttemptKind, DeliveryState
from leadgate.model.views import DeliveryDetail
from leadgate.web.explain import explain
from leadgate.web.states import FATES, Mark, mark_of_attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the history.

    Attributes:
        mark: look and word. number: of an attempt, or None.
        at: when; `is_future` says that it has not happened yet.
        note: key of the small line below, or None; `code` is shown in it as code, `error_code` is small print.
    """

    mark: Mark
    at: datetime | None = None
    number: int | None = None
    note: str | None = None
    code: str | None = None
    error_code: str | None = None
    is_future: bool = False
    values: dict[str, str] = field(default_factory=dict)


def tell(detail: DeliveryDetail) -> Sequence[Step]:
    """The steps from the event's arrival to what comes next."""
    return (*_arrival(detail), *_attempts(detail), *_fate(detail), *_next(detail))


def _arrival(detail: DeliveryDetail) -> Sequence[Step]:
    steps = []
    if detail.received_at is not None:
        mark = Mark("", "ok", "log.received")
        steps.append(Step(mark=mark, at=detail.received_at, note="log.event", code=detail.row.event_id))
    note = "log.origin" if detail.origin_id else None
    steps.append(Step(mark=Mark("", "ok", "log.prepared"), at=detail.row.created_at, note=note, code=detail.origin_id))
    return steps


def _attempts(detail: DeliveryDetail) -> Sequence[Step]:
    return [
        Step(
            mark=mark_of_attempt(attempt),
            at=attempt.finished_at or attempt.started_at,
            number=attempt.number if attempt.kind is AttemptKind.SEND else None,
            note=explain(attempt.error_code).headline if attempt.error_code else None,
            error_code=attempt.error_code,
        )
        for attempt in detail.attempts
    ]


def _fate(detail: DeliveryDetail) -> Sequence[Step]:
    fate = detail.fate
    if fate is None or fate.status not in FATES:
        return ()
    code = None if fate.error_code is None else f"{detail.row.connection_kind}.{fate.error_code}"
    note = None if code is None else explain(code).headline
    return (Step(mark=FATES[fate.status], at=fate.at, note=note, error_code=code),)


def _next(detail: DeliveryDetail) -> Sequence[Step]:
    row = detail.row
    if row.state is DeliveryState.UNKNOWN and row.due_at is not None:
        quiet = Step(mark=Mark("is-warn", "wait", "log.quiet"), at=row.due_at, note="log.quiet.note", is_future=True)
        return (quiet, Step(mark=Mark("", "search", "log.look_up"), note="log.look_up.note", is_future=True))
    if row.state is DeliveryState.WAITING and row.due_at is not None and not row.connection_paused:
        return (Step(mark=Mark("", "wait", "log.next_try"), at=row.due_at, is_future=True),)
    return ()
