"""Until when a person who asks about their data is answered, by kind of request. Pure.

Sources: law 152-FZ, articles 14 and 20 (access: 10 working days, 5 more with a reasoned notice) and 21 (withdrawal: destroyed
within 30 days). The other terms are those of the same articles as professional articles tell them; their exact paragraphs were
not seen, so `Term.is_settled` is False and the pages say so. Where the law leaves room the shorter term is taken: whoever keeps
to it is not late.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo

from leadgate.model.requests import RequestKind, Term
from leadgate.rights.working_days import WorkingDays

TERMS: Mapping[RequestKind, Term] = {
    RequestKind.ACCESS: Term(days=10, extension=5, is_settled=True),
    RequestKind.CORRECT: Term(days=7),
    # Blocked at once; the unlawful processing that it usually follows from ends within three working days.
    RequestKind.BLOCK: Term(days=3),
    # Answered like any request; what is left to destroy has 30 days as after a withdrawal.
    RequestKind.ERASE: Term(days=10),
    RequestKind.WITHDRAW: Term(days=30, is_working=False, is_settled=True),
    RequestKind.STOP: Term(days=10, extension=5),
    RequestKind.OTHER: Term(days=10),
}


def local_day(at: datetime, zone: tzinfo) -> date:
    """The salon's day that a moment belongs to."""
    return at.astimezone(zone).date()


def due_day(calendar: WorkingDays, kind: RequestKind, received: date) -> date:
    """The last day for the answer to a request that came on this day; always a working day.

    Thirty calendar days that end on a day off are cut back to the working day before it: the law would let us wait until
    the next one, but nobody works on the days between.
    """
    term = TERMS[kind]
    if term.is_working:
        return calendar.add_working_days(received, term.days)
    return calendar.last_working_day(received + timedelta(days=term.days))


def extended_day(calendar: WorkingDays, kind: RequestKind, due: date) -> date | None:
    """The last day after a reasoned notice; None where the law knows no extension."""
    extension = TERMS[kind].extension
    return calendar.add_working_days(due, extension) if extension else None
