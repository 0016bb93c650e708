"""No message of a clinic holds a name of its book, whatever the names, whatever the text around them."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadgate.catalogue.texts import LOCALES, load_texts
from leadgate.model.messages import OutgoingMessage
from leadgate.privacy.neutral import ServiceNames

BOOK = ("Удаление папиллом", "УЗИ", "Лечение акне", "Чистка", "Консультация дерматолога", "PRP-терапия")


def plain(text: str) -> str:
    """As a person reads it: small letters, one space between words, no hidden signs. An oracle of its own."""
    seen = "".join(sign for sign in text if unicodedata.category(sign) not in {"Cf", "Mn"})
    return " ".join(re.findall(r"[^\W_]+", seen.lower().replace("ё", "е")))


def holds(text: str, name: str) -> bool:
    """True when a person would read the name there, word for word."""
    return bool(plain(name)) and f" {plain(name)} " in f" {plain(text)} "


@pytest.mark.parametrize(
    ("text", "neutral"),
    [
        ("Ждём вас завтра в 10:00", "Ждём вас завтра в 10:00"),
        ("Ждём вас завтра в 10:00: Удаление папиллом", "Ждём вас завтра в 10:00: приём"),
        ("Вы записаны на удаление папиллом, 26 ноября", "Вы записаны на приём, 26 ноября"),
        ("После удаления папиллом не мойте", "После приём не мойте"),
        ("УДАЛЕНИЕ  ПАПИЛЛОМ", "приём"),
        ("удаление\u00a0папиллом", "приём"),
        ("удале\u200bние папиллом", "приём"),
        ("удаление-папиллом", "приём"),
        ("на узи в 9:00", "на приём в 9:00"),
        ("узилище", "узилище"),
        ("лечением акне", "приём"),
        ("PRP терапия", "приём"),
        ("see you: PRP-терапия", "see you: приём"),
    ],
)
def test_a_name_is_found_however_it_is_written(text: str, neutral: str) -> None:
    """Other case, other ending, other spaces, hidden signs; a word that merely begins like one stays."""
    assert ServiceNames(BOOK).neutral(text) == neutral


@pytest.mark.parametrize("locale", LOCALES)
def test_a_salon_whose_service_is_called_visit_is_served_too(locale: str) -> None:
    """The neutral word must not be a name itself."""
    names = ServiceNames([*load_texts("neutral", locale)._texts.values(), "Маникюр"])  # noqa: SLF001 - every word there is
    said = names.neutral("на маникюр" if locale == "ru" else "маникюр")
    assert not names.stand_in(said)


def test_of_a_text_that_makes_names_anew_only_a_neutral_sentence_stays() -> None:
    """What stands in the place of names may stand together as a name again, longer than anybody wants to replace it."""
    names = ServiceNames(["маникюр", "приём приём"])
    assert names.neutral("маникюр " * 64) == load_texts("neutral", "ru").get("sentence")


def test_without_a_book_nothing_changes() -> None:
    """Also with names that name nothing."""
    message = OutgoingMessage(message_id="m", chat_id="c", text="!!! … маникюр")
    assert ServiceNames(["", "…", " - "]).neutral_message(message) is message


words = st.text(
    st.characters(categories=("L", "N", "P", "Zs", "Cf", "Mn"), max_codepoint=0x2FFF), min_size=1, max_size=14
)
russian = st.text("абвгдежзийклмнопрстуфхцчшщъыьэюяё АБВё-", min_size=1, max_size=24)
names = st.lists(words | russian | st.sampled_from(BOOK), min_size=1, max_size=6)


@settings(max_examples=400)
@given(names, st.lists(russian | words, max_size=4), st.randoms(use_true_random=False))
@example(["a", "b c"], ["b a c"], None)
@example(["приём", "визит", "Подробности подскажет администратор."], ["х"], None)
def test_no_outgoing_message_holds_a_service_name(book: list[str], around: list[str], random: object) -> None:
    """Text, buttons, parameters and the button for the phone; names of the book thrown in between, in any case."""
    guard = ServiceNames(book)
    pieces = [*around, *book, *(name.upper() for name in book), *(name.lower() for name in book)]
    if random is not None:
        random.shuffle(pieces)  # type: ignore[attr-defined]  # a Random of hypothesis
    text = " ".join(pieces)
    message = OutgoingMessage(
        message_id="m", chat_id="c", text=text, buttons=(text, pieces[0]), ask_contact=text, parameters=(text,)
    )
    said = guard.neutral_message(message)
    for out in (said.text, *said.buttons, said.ask_contact or "", *said.parameters):
        assert not guard.stand_in(out)
        assert [name for name in book if holds(out, name)] == []
    assert guard.neutral_message(said) == said


@pytest.mark.parametrize("locale", LOCALES)
def test_what_the_bot_says_by_itself_names_no_service(locale: str) -> None:
    """The example salon's names stand in no text of ours, so that a clinic's bot stays readable."""
    guard = ServiceNames(BOOK)
    texts = load_texts("bot", locale)
    assert [key for key in texts.keys() if guard.stand_in(texts._texts[key])] == []  # noqa: SIM118, SLF001 - `Texts` is no mapping


def test_a_long_hostile_text_is_read_in_time() -> None:
    """Names that almost match, 100 KB of them."""
    guard = ServiceNames(["а б в г д е", *BOOK])
    assert guard.neutral("а б в г д " * 10_000) != ""
