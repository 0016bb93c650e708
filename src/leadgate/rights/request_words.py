"""What is said about a request outside the pages: days in words, the bot's answer, the name of an alarm. Pure."""

from __future__ import annotations

from datetime import date

from leadgate.catalogue.texts import load_texts
from leadgate.model.requests import RequestKind


def tell_day(day: date, locale: str, *, today: date) -> str:
    """`7 декабря`, with the year when it is another one."""
    texts = load_texts("requests", locale)
    month = texts.get(f"month.{day.month}")
    if day.year == today.year:
        return texts.get("day", day=str(day.day), month=month)
    return texts.get("day.with_year", day=str(day.day), month=month, year=str(day.year))


def tell_heard(kind: RequestKind, due: date, locale: str, *, today: date, is_again: bool) -> str:
    """The bot's answer to a request in a chat."""
    key = "heard.again" if is_again else f"heard.{kind.value}"
    return load_texts("requests", locale).get(key, day=tell_day(due, locale, today=today))


def name_alarm(kind: RequestKind, due: date, locale: str, *, today: date) -> str:
    """What an alarm calls a request: what is asked and until when, never by whom."""
    texts = load_texts("requests", locale)
    return texts.get("alarm.who", what=texts.get(f"alarm.what.{kind.value}"), day=tell_day(due, locale, today=today))
