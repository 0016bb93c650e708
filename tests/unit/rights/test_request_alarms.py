"""On which morning the salon is told of a request that nobody answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from leadgate.alerts.raising import review
from leadgate.alerts.wording import Voice, compose
from leadgate.model.alerts import Alert, Cause, MessageKind, Trouble
from leadgate.model.requests import RequestKind, RequestState, RequestWay
from leadgate.ports.stores import StoredRequest
from leadgate.rights.request_alarms import alarm_day, find_trouble
from leadgate.rights.working_days import load_calendar

CALENDAR = load_calendar()
MOSCOW = ZoneInfo("Europe/Moscow")
ASKED = StoredRequest(
    request_id="req_1",
    kind=RequestKind.ACCESS,
    way=RequestWay.CHAT,
    state=RequestState.OPEN,
    subject_id="subj_1",
    event_id="evt_1",
    received_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    due_on=date(2026, 12, 7),
    key_scope="subject:subj_1",
    sealed_words=None,
)


def told_on(day: date, request: StoredRequest = ASKED) -> Trouble | None:
    """What is wrong with a request on a day."""
    return find_trouble(request, day, CALENDAR, zone=MOSCOW, locale="ru")


def test_ten_working_days_are_told_on_the_fifth_eighth_and_ninth_and_after_the_end() -> None:
    """The first day of each stage is the day that the law sheet names."""
    first: dict[str, int] = {}
    day = date(2026, 11, 24)
    while day <= date(2026, 12, 9):
        trouble = told_on(day)
        if trouble is not None:
            first.setdefault(trouble.detail, CALENDAR.working_days_between(date(2026, 11, 23), day))
        day += timedelta(days=1)
    assert first == {"5": 5, "2": 8, "1": 9, "overdue": 11}


def test_an_extended_request_is_silent_until_its_new_end_is_near() -> None:
    """Whoever has time is not woken."""
    extended = replace(ASKED, state=RequestState.EXTENDED, due_on=date(2026, 12, 14))
    assert told_on(date(2026, 12, 4), extended) is None
    found = told_on(date(2026, 12, 7), extended)
    assert found is not None
    assert (found.detail, found.count) == ("5", 5)


def test_a_short_term_is_not_told_on_the_day_it_came() -> None:
    """The bot and the page have just said so."""
    block = replace(ASKED, kind=RequestKind.BLOCK, due_on=date(2026, 11, 26))
    assert told_on(date(2026, 11, 23), block) is None
    assert told_on(date(2026, 11, 24), block) is not None


@pytest.mark.parametrize(("hour", "day"), [(5, date(2026, 11, 29)), (6, date(2026, 11, 30)), (20, date(2026, 11, 30))])
def test_nobody_is_woken_at_midnight(hour: int, day: date) -> None:
    """Nine in Moscow is six in UTC: until then it is still the day before."""
    assert alarm_day(datetime(2026, 11, 30, hour, 0, tzinfo=UTC), MOSCOW) == day


def rounds(days: list[date]) -> list[tuple[date, MessageKind, str]]:
    """What is told, morning by morning."""
    alerts: list[Alert] = []
    told, heard = [], 0
    for day in days:
        trouble = told_on(day)
        at = datetime(day.year, day.month, day.day, 7, 0, tzinfo=UTC)
        alerts = review(alerts, [] if trouble is None else [trouble], now=at, calm=timedelta())
        for alert in alerts:
            if alert.round > heard:
                told.append((day, alert.kind, alert.detail))
                heard = alert.round
    return told


def test_each_stage_is_one_message_and_the_days_between_are_quiet() -> None:
    """Three messages in ten days, one of the last day, then every day: that is when it is late."""
    days = [date(2026, 11, 24) + timedelta(days=number) for number in range(17)]
    assert rounds(days) == [
        (date(2026, 11, 30), MessageKind.RAISED, "5"),
        (date(2026, 12, 3), MessageKind.CHANGED, "2"),
        (date(2026, 12, 4), MessageKind.CHANGED, "1"),
        (date(2026, 12, 5), MessageKind.REMINDER, "1"),
        (date(2026, 12, 6), MessageKind.REMINDER, "1"),
        (date(2026, 12, 7), MessageKind.REMINDER, "1"),
        (date(2026, 12, 8), MessageKind.CHANGED, "overdue"),
        (date(2026, 12, 9), MessageKind.REMINDER, "overdue"),
        (date(2026, 12, 10), MessageKind.REMINDER, "overdue"),
    ]


@pytest.mark.parametrize(
    ("locale", "day", "title", "count"),
    [
        (
            "ru",
            date(2026, 12, 3),
            "Клиент ждёт ответа о своих данных: показать данные, до 7 декабря",
            "Рабочих дней осталось: 2.",
        ),
        (
            "ru",
            date(2026, 12, 9),
            "Срок ответа клиенту прошёл: показать данные, до 7 декабря",
            "Рабочих дней после срока: 2.",
        ),
        (
            "en",
            date(2026, 12, 9),
            "The time to answer a client is over: to see their data, by 7 December",
            "Working days over the term: 2.",
        ),
    ],
)
def test_an_alarm_says_what_is_asked_until_when_and_of_nobody(locale: str, day: date, title: str, count: str) -> None:
    """It travels through messengers: neither the person nor the request's number is in it."""
    trouble = find_trouble(ASKED, day, CALENDAR, zone=MOSCOW, locale=locale)
    assert trouble is not None
    (alert,) = review([], [trouble], now=datetime(2026, 12, 9, 7, 0, tzinfo=UTC), calm=timedelta())
    voice = Voice(locale=locale, time_zone=MOSCOW, workspace="Лимон", public_url="https://limon.example")
    message = compose(alert, MessageKind.RAISED, voice, now=datetime(2026, 12, 9, 7, 0, tzinfo=UTC))
    assert message.title == title
    assert count in message.body
    assert "https://limon.example/requests" in message.body
    assert "subj_" not in message.title + message.body


def test_a_missing_calendar_names_its_year() -> None:
    """What to do, and what happens until then."""
    trouble = Trouble(cause=Cause.CALENDAR, who="2028", since=datetime(2027, 12, 1, tzinfo=UTC))
    (alert,) = review([], [trouble], now=datetime(2027, 12, 1, tzinfo=UTC), calm=timedelta())
    voice = Voice(locale="ru", time_zone=MOSCOW, workspace="Лимон", public_url=None)
    message = compose(alert, MessageKind.RAISED, voice, now=datetime(2027, 12, 1, tzinfo=UTC))
    assert message.title == "Нет календаря рабочих дней на 2028 год"
    assert "сроки на 2028 год считаем по общему правилу" in message.body
