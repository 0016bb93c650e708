from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.catalogue.texts import load_texts
from leadgate.dialogue.consent import Consents
from leadgate.dialogue.script import DialogueState, Step, Turn, find_name, find_phone, show_phone, take_turn
from leadgate.model.consents import ConsentPurpose, Decision
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.leads import Person

RU, EN = load_texts("bot", "ru"), load_texts("bot", "en")
TEXTS = {"ru": RU, "en": EN}
AGREED = {
    locale: Consents(words=load_texts("consents", locale), standing={ConsentPurpose.PROCESSING: Decision.GIVEN})
    for locale in TEXTS
}
"""Of a person who has agreed to name and phone; what comes before that is in test_consent.py."""
START = DialogueState()
PHONE = "+79000000101"


def said(words: str | None, kind: EventKind = EventKind.TEXT, **fields: object) -> NormalisedEvent:
    """A client writes."""
    return replace(NormalisedEvent(kind=kind, event_key="1", text=words), **fields)  # type: ignore[arg-type]  # fields of the event


def talk(*words: str, texts: str = "ru", state: DialogueState = START) -> list[Turn]:
    """A whole conversation."""
    turns: list[Turn] = []
    for text in words:
        turns.append(take_turn(state, said(text), TEXTS[texts], salon="Лимон", consents=AGREED[texts]))
        state = turns[-1].state
    return turns


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ("ru", ("/start", "Меня зовут Алсу", "8 (900) 000-01-01", "Стрижка в субботу")),
        ("en", ("/start", "my name is Alsu", "+7 900 000 01 01", "A haircut on Saturday")),
    ],
)
def test_name_phone_wish(texts: str, words: tuple[str, ...]) -> None:
    """Three questions, in the client's language, and the words of every answer are passed on."""
    turns = talk(*words, texts=texts)
    own = TEXTS[texts]
    name = {"ru": "Алсу", "en": "Alsu"}[texts]
    assert [turn.replies[0].text for turn in turns] == [
        own.get("greet", salon="Лимон"),
        own.get("ask_phone", name=name),
        own.get("ask_wish"),
        own.get("done", phone="+7 900 000-01-01"),
    ]
    assert [turn.entry for turn in turns] == [None, *words[1:]]
    assert [turn.learned for turn in turns] == [Person(), Person(name=name), Person(phone=PHONE), Person()]
    assert [turn.replies[0].asks_contact for turn in turns] == [False, True, False, False]
    assert turns[-1].state.step is Step.DONE


def test_a_request_in_the_first_words_is_not_asked_for_again() -> None:
    """It is passed on at once; at the end one press says "it is written above"."""
    turns = talk("Хочу стрижку в субботу, 8 900 000-01-01", "Алсу", RU.get("already_written"))
    assert turns[0].entry == "Хочу стрижку в субботу, 8 900 000-01-01"
    assert turns[0].learned == Person(phone=PHONE)
    assert turns[1].replies[0].text == RU.get("ask_wish"), "the phone is known"
    assert turns[1].replies[0].buttons == (RU.get("already_written"),)
    assert turns[2].entry is None
    assert turns[2].state.step is Step.DONE


@pytest.mark.parametrize("step", [Step.NAME, Step.PHONE])
def test_a_question_is_put_twice_and_never_a_third_time(step: Step) -> None:
    """A bot that insists loses the client; what was written is passed on all the same."""
    state = DialogueState(step=step, asked=1, name=None if step is Step.NAME else "Алсу")
    turns = talk("а сколько стоит?", "ну правда, сколько стоит?", state=state)
    assert turns[0].state.step is step
    assert turns[1].state.step is not step
    assert [turn.entry for turn in turns] == ["а сколько стоит?", "ну правда, сколько стоит?"]


@pytest.mark.parametrize("step", list(Step))
def test_a_phone_is_learned_wherever_it_is_written(step: Step) -> None:
    """A client who gives the number later, or in one breath with the wish, must be called back."""
    turn = take_turn(
        DialogueState(step=step, asked=1), said("мой номер 8 900 000-01-01"), RU, salon="Лимон", consents=AGREED["ru"]
    )
    assert turn.learned.phone == PHONE
    assert turn.state.phone == PHONE


def test_a_phone_that_is_known_is_no_news() -> None:
    """No second update of the CRM."""
    state = DialogueState(step=Step.DONE, phone=PHONE)
    assert take_turn(state, said("повторю: 89000000101"), RU, salon="Лимон", consents=AGREED["ru"]).learned == Person()


def test_an_own_contact_counts_and_a_strangers_does_not() -> None:
    """The messenger vouches for the first only."""
    state = DialogueState(step=Step.PHONE, asked=1, name="Алсу")
    own = take_turn(
        state, said(None, EventKind.CONTACT, phone=PHONE, phone_verified=True), RU, salon="Лимон", consents=AGREED["ru"]
    )
    assert (own.learned, own.state.step) == (Person(phone=PHONE), Step.WISH)
    foreign = take_turn(
        state,
        said(None, EventKind.CONTACT, phone=PHONE, phone_verified=False),
        RU,
        salon="Лимон",
        consents=AGREED["ru"],
    )
    assert (foreign.learned, foreign.state) == (Person(), state)
    assert foreign.entry == RU.get("entry_foreign_contact")
    assert PHONE not in str(foreign)


def test_a_voice_message_is_passed_on_and_answered() -> None:
    """With its caption, and with an honest word that it was not heard."""
    turn = take_turn(
        DialogueState(step=Step.NAME, asked=1),
        said("послушайте", EventKind.MEDIA),
        RU,
        salon="Лимон",
        consents=AGREED["ru"],
    )
    assert turn.entry == f"{RU.get('entry_media')} послушайте"
    assert turn.replies[0].text == RU.get("cannot_listen")


def test_words_of_others_that_are_passed_on_make_no_empty_request() -> None:
    """A forwarded post has no words of the client's own."""
    for step in Step:
        turn = take_turn(DialogueState(step=step), said(None), RU, salon="Лимон", consents=AGREED["ru"])
        assert (turn.entry, turn.state.step, turn.learned) == (None, step, Person())


def test_a_new_start_of_somebody_known_asks_for_the_wish_alone() -> None:
    """A client who comes back is not asked for the name again."""
    state = DialogueState(step=Step.DONE, name="Алсу", phone=PHONE)
    (turn,) = talk("/start promo-7", state=state)
    assert (turn.state.step, turn.entry, turn.replies[0].text) == (Step.WISH, None, RU.get("greet_again"))


def test_what_was_greeted_in_the_widget_is_not_greeted_again() -> None:
    """The welcome stood there before the first word."""
    (turn,) = talk("Хочу стрижку", state=DialogueState(is_greeted=True))
    assert turn.replies[0].text == RU.get("greet_briefly")


@given(
    st.sampled_from(list(Step)),
    st.text(max_size=200),
    st.sampled_from([EventKind.TEXT, EventKind.BUTTON, EventKind.MEDIA, EventKind.LOCATION, EventKind.UNSUPPORTED]),
    st.sampled_from(["ru", "en"]),
)
def test_any_words_get_one_answer_and_are_not_lost(step: Step, words: str, kind: EventKind, texts: str) -> None:
    """Whatever a client sends."""
    turn = take_turn(
        DialogueState(step=step, asked=1), said(words, kind), TEXTS[texts], salon="Лимон", consents=AGREED[texts]
    )
    assert len(turn.replies) == 1
    assert turn.replies[0].text
    is_command = words.strip() == "/start" or words.strip().startswith("/start ")
    is_press = words.strip() == TEXTS[texts].get("already_written")
    if kind is not EventKind.UNSUPPORTED and words.strip() and not is_command and not is_press:
        assert turn.entry is not None
        assert words.strip() in turn.entry or kind is not EventKind.TEXT


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Алсу", "Алсу"),
        ("алсу", "Алсу"),
        ("меня зовут Алсу Гарипова.", "Алсу Гарипова"),
        ("Это Жан-Поль", "Жан-Поль"),
        ("I am O'Neil", "O'Neil"),
        ("Айгөл", "Айгөл"),
        ("здравствуйте", None),
        ("сколько стоит?", None),
        ("запишите на завтра", None),
        ("12", None),
        ("", None),
        ("😀", None),
        ("а" * 61, None),
    ],
)
def test_a_name_is_known_from_what_is_none(words: str, name: str | None) -> None:
    """A bot that thanks "How Much" for the name has lost the client."""
    assert find_name(words) == name


@pytest.mark.parametrize(
    ("words", "phone"),
    [
        ("89000000101", PHONE),
        ("звоните на 8 (900) 000-01-01 после 18", PHONE),
        ("+79000000101, Алсу", PHONE),
        ("код 123456", None),
        ("карта 4111 1111 1111 1111", None),
        ("паспорт 9208 134677, тел 8 900 000-01-01", PHONE),
        ("паспорт 9208 134677", None),
        ("заказ 9208134677 не приходит", None),
        ("8 9OO 000 O1 01, это Алсу", PHONE),
        ("", None),
    ],
)
def test_a_phone_is_found_among_words(words: str, phone: str | None) -> None:
    """As people write it."""
    assert find_phone(words) == phone


def test_a_phone_is_shown_as_people_read_it() -> None:
    """Russian ones in groups, others as they are."""
    assert show_phone(PHONE) == "+7 900 000-01-01"
    assert show_phone("+447700900123") == "+447700900123"
