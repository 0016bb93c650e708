"""How long which kind of data is kept."""

from __future__ import annotations

from dataclasses import dataclass

from leadgate.model.retention import COUNT_LIMIT, TERMS, DataKind, RetentionLine
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionDocument:
    """One kind. `due` and `due_in_week` are counted up to 10,000; `is_more` says that there are more."""

    kind: DataKind
    days: int
    default_days: int
    least_days: int
    most_days: int
    due: int
    due_in_week: int
    is_more: bool
    swept_at: Moment | None
    gone_last: int
    gone_ever: int


def retention_document(line: RetentionLine) -> RetentionDocument:
    """A kind as of now."""
    bounds = TERMS[line.kind]
    return RetentionDocument(
        kind=line.kind,
        days=line.days,
        default_days=bounds.default,
        least_days=bounds.least,
        most_days=bounds.most,
        due=min(line.due, COUNT_LIMIT),
        due_in_week=min(line.due_in_week, COUNT_LIMIT),
        is_more=line.due_in_week > COUNT_LIMIT,
        swept_at=line.swept_at,
        gone_last=line.gone_last,
        gone_ever=line.gone_ever,
    )
