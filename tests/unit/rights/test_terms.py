"""Until when each kind of request is answered, and what the letter and the bot say about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from leadgate.model.requests import RequestKind, RequestOutcome, RequestState
from leadgate.rights.answer_letter import Letter, compose, print_answer
from leadgate.rights.request_words import name_alarm, tell_day, tell_heard
from leadgate.rights.terms import TERMS, due_day, extended_day, local_day
from leadgate.rights.working_days import load_calendar

CALENDAR = load_calendar()
MONDAY = date(2026, 11, 23)
LETTER = Letter(
    request_id="req_1",
    kind=RequestKind.ACCESS,
    state=RequestState.OPEN,
    outcome=None,
    received_on=MONDAY,
    due_on=date(2026, 12, 7),
    person="Светлана",
    reason="",
    salon="Лимон",
)


@pytest.mark.parametrize(
    ("kind", "due"),
    [
        (RequestKind.ACCESS, date(2026, 12, 7)),
        (RequestKind.CORRECT, date(2026, 12, 2)),
        (RequestKind.BLOCK, date(2026, 11, 26)),
        (RequestKind.ERASE, date(2026, 12, 7)),
        (RequestKind.WITHDRAW, date(2026, 12, 23)),
        (RequestKind.STOP, date(2026, 12, 7)),
        (RequestKind.OTHER, date(2026, 12, 7)),
    ],
)
def test_each_kind_has_its_term(kind: RequestKind, due: date) -> None:
    """Counted from the day after it came."""
    assert due_day(CALENDAR, kind, MONDAY) == due


def test_thirty_days_that_end_on_a_day_off_end_before_it() -> None:
    """30 days from 4 December 2026 is Sunday 3 January 2027: the last working day before it is 30 December."""
    assert due_day(CALENDAR, RequestKind.WITHDRAW, date(2026, 12, 4)) == date(2026, 12, 30)


def test_access_and_stop_alone_can_be_extended_by_five_working_days() -> None:
    """The law names no extension of the others."""
    extended = {kind: extended_day(CALENDAR, kind, date(2026, 12, 7)) for kind in RequestKind}
    assert {kind for kind, day in extended.items() if day is not None} == {RequestKind.ACCESS, RequestKind.STOP}
    assert extended[RequestKind.ACCESS] == date(2026, 12, 14)


def test_a_term_whose_paragraph_nobody_saw_says_so() -> None:
    """What is told as certain was seen in a source."""
    assert {kind for kind, term in TERMS.items() if term.is_settled} == {RequestKind.ACCESS, RequestKind.WITHDRAW}


def test_the_zone_of_the_salon_decides_the_day() -> None:
    """A message at 23:30 in Kazan on Monday came on Monday, though in Vladivostok it is Tuesday."""
    late = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
    assert local_day(late, ZoneInfo("Europe/Moscow")) == MONDAY
    assert local_day(late, ZoneInfo("Asia/Vladivostok")) == date(2026, 11, 24)


def test_days_are_told_in_words_with_the_year_only_when_it_is_another() -> None:
    """«ответим до 7 декабря»."""
    assert tell_day(date(2026, 12, 7), "ru", today=MONDAY) == "7 декабря"
    assert tell_day(date(2027, 1, 15), "ru", today=MONDAY) == "15 января 2027 года"
    assert tell_day(date(2026, 12, 7), "en", today=MONDAY) == "7 December"


@pytest.mark.parametrize(("kind", "locale"), list(product(RequestKind, ("ru", "en"))))
def test_every_kind_has_words_everywhere(kind: RequestKind, locale: str) -> None:
    """A warm answer of at most three hundred characters with the day in it, the name of an alarm, and a letter."""
    due = date(2026, 12, 7)
    for is_again in (False, True):
        said = tell_heard(kind, due, locale, today=MONDAY, is_again=is_again)
        assert tell_day(due, locale, today=MONDAY) in said
        assert len(said) <= 300
    assert tell_day(due, locale, today=MONDAY) in name_alarm(kind, due, locale, today=MONDAY)
    for state, outcome in (
        (RequestState.OPEN, None),
        (RequestState.EXTENDED, None),
        *((RequestState.CLOSED, outcome) for outcome in RequestOutcome),
    ):
        letter = replace(LETTER, kind=kind, state=state, outcome=outcome, reason="архив на бумаге")
        assert compose(letter, locale=locale, today=MONDAY)["paragraphs"]


def test_a_refusal_gives_its_reason_and_where_to_turn() -> None:
    """A person who is refused may ask others."""
    refused = replace(LETTER, state=RequestState.CLOSED, outcome=RequestOutcome.REFUSED, reason="Это не ваши данные")
    told = compose(refused, locale="ru", today=MONDAY)
    assert told["paragraphs"][1:] == [  # type: ignore[index]  # a list of texts
        "Это не ваши данные",
        "Если вы с этим не согласны, можно обратиться в Роскомнадзор или в суд.",
    ]


def test_while_a_term_is_extended_the_letter_is_the_notice_of_that() -> None:
    """The extension stands only when the person was told why, and until when."""
    extended = replace(LETTER, state=RequestState.EXTENDED, reason="архив на бумаге", due_on=date(2026, 12, 14))
    told = compose(extended, locale="ru", today=MONDAY)
    assert told["title"] == "О сроке ответа на обращение"
    assert told["paragraphs"][1:] == ["архив на бумаге", "Ответим до 14 декабря 2026 года."]  # type: ignore[index]  # a list


def test_the_letter_is_a_pdf_and_a_name_is_no_markup() -> None:
    """A client may be called anything."""
    hostile = replace(LETTER, person="#panic() *x* $y$ </script>", kind=RequestKind.OTHER)
    paper = print_answer(hostile, locale="ru", today=MONDAY, at=datetime(2026, 11, 23, tzinfo=UTC))
    assert paper.startswith(b"%PDF-")
