"""Clear words withdraw; words that only look like it do not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.catalogue.texts import LOCALES, load_texts
from leadgate.dialogue.withdrawal import Withdrawal, find_withdrawal
from leadgate.model.consents import ConsentPurpose

EVERYTHING, ADVERTISING, ERASURE = Withdrawal.EVERYTHING, Withdrawal.ADVERTISING, Withdrawal.ERASURE


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("стоп", EVERYTHING),
        ("СТОП!!!", EVERYTHING),
        ("Стоп, пожалуйста", EVERYTHING),
        ("с\u200bтоп", EVERYTHING),
        ("stop", EVERYTHING),
        ("STOP.", EVERYTHING),
        ("Unsubscribe", EVERYTHING),
        ("отзываю согласие", EVERYTHING),
        ("Я отзываю своё согласие на обработку персональных данных", EVERYTHING),
        ("отозвать согласие", EVERYTHING),
        ("согласие на обработку данных отзываю", EVERYTHING),
        ("Здравствуйте. Прошу прекратить и отзываю все согласия, данные ранее.", EVERYTHING),
        ("запрещаю обрабатывать мои данные", EVERYTHING),
        ("I withdraw my consent", EVERYTHING),
        ("не пишите мне", EVERYTHING),
        ("Больше не пишите мне. Я передумала", EVERYTHING),
        ("не пишите мне больше никогда", EVERYTHING),
        ("отпишите меня, пожалуйста", EVERYTHING),
        ("please stop writing me", EVERYTHING),
        ("отзываю согласие на рекламу", ADVERTISING),
        ("отзываю согласие на обработку и рекламу", EVERYTHING),
        ("не присылайте мне рекламу", ADVERTISING),
        ("хочу отписаться от рассылки", ADVERTISING),
        ("не надо новостей", ADVERTISING),
        ("no more advertising", ADVERTISING),
        ("удалите мои данные", ERASURE),
        ("пожалуйста, удалите все мои персональные данные", ERASURE),
        ("please delete all my data", ERASURE),
        ("стоп, я ошиблась, на 15:00", None),
        ("стоп это в субботу?", None),
        ("стопы болят", None),
        ("хочу стоп-кадр", None),
        ("как отозвать согласие?", None),
        ("не отзываю согласие", None),
        ("если что, могу ли я отозвать согласие", None),
        ("не пишите мне вечером", None),
        ("не пишите, позвоните", None),
        ("не пишите мне на почту, только сюда", None),
        ("есть скидки?", None),
        ("без скидки дорого", None),
        ("не хочу скидку, хочу к Марине", None),
        ("как удалить мои данные?", None),
        ("отмена", None),
        ("отмените запись", None),
        ("согласна на субботу", None),
        ("", None),
    ],
)
def test_what_is_meant(words: str, meant: Withdrawal | None) -> None:
    """Too eager takes away a client's booking talk, too deaf goes on writing to somebody who said no."""
    assert find_withdrawal(words) is meant


@pytest.mark.parametrize("locale", LOCALES)
def test_the_words_that_our_texts_name_work(locale: str) -> None:
    """A text that promises a way out which the bot does not know would be a lie."""
    texts = load_texts("consents", locale)
    ways = {"ru": ("отзываю согласие", "стоп"), "en": ("withdraw consent", "stop")}[locale]
    for purpose in ConsentPurpose:
        named = [way for way in ways if way in texts.get(f"text.{purpose.value}", salon="", recipient="").casefold()]
        assert named
        assert all(find_withdrawal(way) is EVERYTHING for way in named)
    erase = {"ru": "удалите мои данные", "en": "delete my data"}[locale]
    assert erase in texts.get("withdrawn")
    assert find_withdrawal(erase) is ERASURE


@given(st.text(max_size=3000))
def test_any_text_is_read_without_a_crash(words: str) -> None:
    """Whatever a client sends."""
    find_withdrawal(words)


def test_hostile_texts_are_read_quickly() -> None:
    """It is asked for every message, so no text may make it slow."""
    started_s = time.perf_counter()
    for piece in ("согласие ", "отзываю ", "не присылайте ", "удалите все мои ", "a" * 9, "стоп "):
        find_withdrawal(piece * (3000 // len(piece)))
        find_withdrawal(piece * 20_000)
    assert time.perf_counter() - started_s < 1
