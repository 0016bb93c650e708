from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from leadgate.alerts.raising import review
from leadgate.alerts.wording import Voice, compose, trial
from leadgate.catalogue.meanings import MEANINGS
from leadgate.catalogue.texts import LOCALES, load_texts
from leadgate.model.alerts import Alert, Cause, Ending, MessageKind, Trouble
from leadgate.testing.connections import NOW

VOICE = Voice(
    locale="ru", time_zone=ZoneInfo("Europe/Moscow"), workspace="Салон «Лимон»", public_url="https://leads.example"
)


def alert_of(cause: Cause, *, detail: str = "", count: int = 7) -> Alert:
    """A raised alarm about the CRM."""
    trouble = Trouble(cause=cause, subject="conn_1", who="Битрикс24", detail=detail, count=count, since=NOW)
    (alert,) = review([], [trouble], now=NOW, calm=timedelta())
    return alert


def test_an_alarm_says_what_since_when_how_many_and_what_to_do() -> None:
    """The whole text, as an owner reads it."""
    message = compose(alert_of(Cause.CONNECTION, detail="bitrix24.NO_AUTH_FOUND"), MessageKind.RAISED, VOICE, now=NOW)
    assert message.title == "Битрикс24 больше не принимает ключ"
    assert message.body == (
        "С 15:00. Ждут: 7, ничего не потеряно.\n"
        "Выпустите новый ключ в Битрикс24 и подключите его заново.\n"
        "Подробнее: https://leads.example/connections\n"
        "Leadgate, Салон «Лимон»"
    )


def test_an_end_says_from_when_to_when() -> None:
    """And asks nothing of anybody."""
    solved = replace(alert_of(Cause.CONNECTION), solved_at=NOW + timedelta(minutes=19))
    message = compose(solved, MessageKind.SOLVED, replace(VOICE, public_url=None), now=NOW + timedelta(days=1))
    assert message.title == "Битрикс24: снова на связи"
    assert message.body == "С 15:00 22.11 до 15:19 22.11.\nLeadgate, Салон «Лимон»"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_its_words(cause: Cause, locale: str) -> None:
    """For every message, with and without a number; a missing word would silence the alarm."""
    voice = replace(VOICE, locale=locale)
    for kind in MessageKind:
        for count in (0, 7):
            message = compose(alert_of(cause, detail="bitrix24.timeout", count=count), kind, voice, now=NOW)
            assert message.title
            assert "{" not in message.title + message.body
    assert trial(voice).title


@pytest.mark.parametrize("meaning", MEANINGS)
def test_every_meaning_of_a_code_can_be_told(meaning: str) -> None:
    """Alarms use the sentences of the pages."""
    pages = load_texts("pages", "ru")
    assert pages.has(f"error.{meaning}")
    assert pages.has(f"cure.{meaning}")


def test_every_text_is_said() -> None:
    """Words nobody reads are taken out."""
    said = {f"{cause.value}.{part}" for cause in Cause for part in ("raised", "solved", "cure")}
    said -= {"connection.raised", "connection.cure", "channel.raised", "channel.cure"}
    plain = {"footer", "link", "reminder", "since", "solved_between", "test.title", "test.body", "count.waiting"}
    plain |= {"notice.late", "checkpoint.title", "checkpoint.body"}
    counts = {f"count.{name}" for name in ("dead", "failed", "silence", "disk", "differences", "failures", "erasures")}
    counts |= {"count.request_days", "count.request_days.overdue"}
    said |= {"request.raised.overdue"}
    endings = {f"ended.{ending}" for ending in Ending}
    assert load_texts("alerts", "ru").keys() == said | plain | counts | endings
