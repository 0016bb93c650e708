"""Consent comes before name and phone, each purpose for itself, and nobody who says no is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from leadgate.catalogue.texts import LOCALES, load_texts
from leadgate.dialogue.consent import Consents, Decided, buttons_of, find_answer
from leadgate.dialogue.script import DialogueState, Step, Turn, take_turn
from leadgate.model.consents import ConsentPurpose, Decision, How, Shown
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.leads import Person

RU = load_texts("bot", "ru")
WORDS = load_texts("consents", "ru")
PROCESSING, PASSING_ON, ADVERTISING = (
    ConsentPurpose.PROCESSING,
    ConsentPurpose.PASSING_ON,
    ConsentPurpose.ADVERTISING,
)
YES, NO = buttons_of(PROCESSING, WORDS)
WANTS_NEWS, NO_NEWS = buttons_of(ADVERTISING, WORDS)
PHONE = "+79000000101"
ASKING = Consents(words=WORDS)


class Chat:
    """A client, the script, and a register that is a dictionary."""

    def __init__(self, consents: Consents = ASKING) -> None:
        self.consents = consents
        self.state = DialogueState()

    def write(self, words: str, kind: EventKind = EventKind.TEXT, **fields: object) -> Turn:
        """One event; what was decided counts from then on."""
        event = replace(NormalisedEvent(kind=kind, event_key="1", text=words), **fields)  # type: ignore[arg-type]  # fields of the event
        turn = take_turn(self.state, event, RU, salon="Лимон", consents=self.consents)
        shown = {one.purpose: one for one in turn.state.shown}
        for reply in turn.replies:
            if reply.consent is not None:
                shown[reply.consent] = Shown(
                    purpose=reply.consent, text_id="ctext_1", text_hash="00", message_id="evt_1-2"
                )
        self.state = replace(turn.state, shown=tuple(shown.values()))
        standing = dict(self.consents.standing) | {one.purpose: one.decision for one in turn.decided}
        self.consents = replace(self.consents, standing=standing)
        return turn

    def say(self, *words: str) -> Turn:
        """Some messages; the turn of the last."""
        return [self.write(text) for text in words][-1]

    def press(self, title: str) -> Turn:
        """A button, as messengers report it."""
        return self.write("", EventKind.BUTTON, text=None, payload=title)


def decisions(turns: Sequence[Decided]) -> list[tuple[ConsentPurpose, Decision]]:
    """What was decided, briefly."""
    return [(one.purpose, one.decision) for one in turns]


def test_the_first_answer_brings_the_consent_in_a_message_of_its_own() -> None:
    """The request is passed on at once; nothing of the person is asked for yet, and nothing is chosen beforehand."""
    turn = Chat().write("Хочу стрижку в субботу")
    assert turn.entry == "Хочу стрижку в субботу"
    assert [reply.consent for reply in turn.replies] == [None, PROCESSING]
    assert turn.replies[0].buttons == ()
    assert turn.replies[1].buttons == (YES, NO)
    assert not any(RU.get("ask_phone_nameless") in reply.text or "обращаться" in reply.text for reply in turn.replies)
    assert turn.state.step is Step.CONSENT


@pytest.mark.parametrize("way", ["button", "typed", "word"])
def test_a_yes_leads_to_the_name_the_phone_and_the_wish(way: str) -> None:
    """By button (some messengers' buttons write their title) or in words; the register is told which."""
    chat = Chat()
    chat.write("/start")
    turn = chat.press(YES) if way == "button" else chat.say("даю согласие!" if way == "typed" else "Да")
    (decided,) = turn.decided
    assert (decided.purpose, decided.decision) == (PROCESSING, Decision.GIVEN)
    assert decided.how is (How.BUTTON if way == "button" else How.WORDS)
    assert decided.shown is not None
    assert turn.entry is None
    assert "обращаться" in turn.replies[0].text
    assert chat.say("Алсу").learned == Person(name="Алсу")
    assert chat.say("8 900 000-01-01").learned == Person(phone=PHONE)
    assert chat.say("Стрижка в субботу").state.step is Step.DONE


def test_a_no_loses_nobody() -> None:
    """The request stands with the manager, and the chat goes on without name and phone."""
    chat = Chat()
    chat.write("Хочу стрижку в субботу")
    turn = chat.press(NO)
    assert decisions(turn.decided) == [(PROCESSING, Decision.REFUSED)]
    assert (turn.state.step, turn.replies[0].text) == (Step.DONE, WORDS.get("refused.processing"))
    later = chat.write("Алсу")
    assert (later.entry, later.learned) == ("Алсу", Person())
    assert later.replies[0].text == RU.get("passed_on")


def test_a_no_before_any_request_still_asks_for_the_wish() -> None:
    """Answering does not need a name."""
    chat = Chat()
    chat.write("/start")
    assert chat.press(NO).replies[0].text == WORDS.get("refused.processing_wish")
    turn = chat.write("Стрижка в субботу")
    assert (turn.entry, turn.state.step) == ("Стрижка в субботу", Step.DONE)


def test_who_does_not_answer_is_reminded_once_and_then_left_in_peace() -> None:
    """A bot that insists loses the client; every word is passed on."""
    chat = Chat()
    turns = [chat.write(words) for words in ("Здравствуйте", "Алсу", "а сколько стоит?", "ну?")]
    assert [turn.entry for turn in turns] == ["Здравствуйте", "Алсу", "а сколько стоит?", "ну?"]
    assert "Даю согласие" in turns[1].replies[0].text
    assert turns[1].replies[0].buttons == (YES, NO), "some messengers take a keyboard away with the next message"
    assert turns[2].replies[0].text == WORDS.get("not_asked_again")
    assert all(turn.learned == Person() and not turn.decided for turn in turns)
    assert turns[3].state.step is Step.DONE
    assert chat.press(YES).state.step is Step.NAME, "the button above still counts"


@pytest.mark.parametrize("before", [(), (NO,), ("Алсу", "а сколько стоит?")])
def test_a_phone_that_was_not_asked_for_is_learned(before: tuple[str, ...]) -> None:
    """Who writes a number into the request wants to be called: the basis is their own request."""
    chat = Chat()
    chat.say("Хочу стрижку", *before)
    assert chat.write("перезвоните на 8 900 000-01-01").learned == Person(phone=PHONE)


def test_an_own_contact_before_the_consent_is_learned_and_asks_for_nothing() -> None:
    """Sharing the own card is such a request too."""
    chat = Chat()
    chat.write("Хочу стрижку")
    turn = chat.write("", EventKind.CONTACT, text=None, phone=PHONE, phone_verified=True)
    assert (turn.learned, turn.state.step) == (Person(phone=PHONE), Step.CONSENT)
    assert not any(reply.asks_contact for reply in turn.replies)


@pytest.mark.parametrize("decision", [Decision.GIVEN, Decision.TOLD])
def test_who_has_agreed_is_not_asked_again(decision: Decision) -> None:
    """In this chat or another, with us or with the salon's other bot."""
    turn = Chat(Consents(words=WORDS, standing={PROCESSING: decision})).write("Хочу стрижку")
    assert [reply.consent for reply in turn.replies] == [None]
    assert turn.state.step is Step.NAME


@pytest.mark.parametrize("decision", [Decision.REFUSED, Decision.WITHDRAWN])
def test_who_has_said_no_is_not_asked_again(decision: Decision) -> None:
    """Neither for the consent nor for the name; the words go on."""
    turn = Chat(Consents(words=WORDS, standing={PROCESSING: decision})).write("Хочу стрижку завтра")
    assert ([reply.consent for reply in turn.replies], turn.entry) == ([None], "Хочу стрижку завтра")
    assert "обращаться" not in turn.replies[0].text


def test_a_salon_that_only_informs_says_what_the_data_are_for() -> None:
    """No button, no record; the question comes in the same message."""
    turn = Chat(Consents(words=WORDS, asks_processing=False)).write("Хочу стрижку")
    (reply,) = turn.replies
    assert "только для ответа и записи" in reply.text
    assert (reply.buttons, reply.consent, turn.state.step) == ((), None, Step.NAME)


@pytest.mark.parametrize("step", [Step.NAME, Step.PHONE])
def test_a_question_put_before_the_upgrade_is_not_answered_into_the_card(step: Step) -> None:
    """A chat that stands at the name without a consent is asked for the consent first; the words are passed on."""
    chat = Chat()
    chat.state = DialogueState(step=step, asked=1)
    turn = chat.write("Алсу")
    assert (turn.entry, turn.learned) == ("Алсу", Person())
    assert turn.replies[-1].consent is PROCESSING


def test_a_second_press_is_no_second_consent_and_no_name() -> None:
    """«Даю согласие» is nobody's name."""
    chat = Chat()
    chat.write("/start")
    chat.press(YES)
    again = chat.press(YES)
    assert (again.decided, again.learned, again.state.step) == ((), Person(), Step.NAME)


def test_advertising_is_asked_for_once_when_all_is_done_and_only_if_the_salon_advertises() -> None:
    """With a text and buttons of its own; bare words answer only the question put last."""
    quiet, loud = Chat(), Chat(Consents(words=WORDS, offers=(ADVERTISING,)))
    for chat in (quiet, loud):
        chat.write("/start")
        chat.press(YES)
        chat.say("Алсу", "8 900 000-01-01")
    assert [reply.consent for reply in quiet.write("Стрижка в субботу").replies] == [None]
    offered = loud.write("Стрижка в субботу")
    assert [reply.consent for reply in offered.replies] == [None, ADVERTISING]
    assert offered.replies[1].buttons == (WANTS_NEWS, NO_NEWS)
    assert decisions(loud.press(WANTS_NEWS).decided) == [(ADVERTISING, Decision.GIVEN)]
    assert [reply.consent for reply in loud.write("и укладку").replies] == [None], "once"


def test_yes_to_something_else_is_no_consent_to_advertising() -> None:
    """After other words «да» is an answer to a person."""
    chat = Chat(Consents(words=WORDS, offers=(ADVERTISING,), standing={PROCESSING: Decision.GIVEN}))
    chat.say("/start", "Алсу", "8 900 000-01-01", "Стрижка в субботу", "а можно к Марине?")
    turn = chat.write("да")
    assert (turn.decided, turn.entry) == ((), "да")


@pytest.mark.parametrize("title", [YES, "I consent"])
def test_the_title_of_one_purpose_never_answers_another(title: str) -> None:
    """«Даю согласие» belongs to name and phone; said to the offer of news it agrees to nothing."""
    chat = Chat(Consents(words=WORDS, offers=(ADVERTISING,), asks_processing=False))
    chat.say("/start", "Алсу", "8 900 000-01-01")
    assert chat.write("Стрижка в субботу").replies[-1].consent is ADVERTISING
    assert chat.write(title).decided == ()


def test_passing_on_and_advertising_are_two_questions() -> None:
    """Never one button for two purposes."""
    chat = Chat(Consents(words=WORDS, offers=(PASSING_ON, ADVERTISING), standing={PROCESSING: Decision.GIVEN}))
    first = chat.say("/start", "Алсу", "8 900 000-01-01", "Стрижка в субботу")
    assert [reply.consent for reply in first.replies] == [None, PASSING_ON]
    second = chat.press(buttons_of(PASSING_ON, WORDS)[1])
    assert decisions(second.decided) == [(PASSING_ON, Decision.REFUSED)]
    assert [reply.consent for reply in second.replies] == [None, ADVERTISING]


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("words", ["стоп", "Отзываю согласие", "не пишите мне", "unsubscribe"])
def test_a_withdrawal_acts_in_any_state(step: Step, words: str) -> None:
    """At once, without a question, and the script forgets what it had learned."""
    agreed = {PROCESSING: Decision.GIVEN, ADVERTISING: Decision.GIVEN}
    chat = Chat(Consents(words=WORDS, standing=agreed, offers=(ADVERTISING,)))
    chat.state = DialogueState(step=step, asked=1, name="Алсу", phone=PHONE)
    turn = chat.write(words)
    assert decisions(turn.decided) == [(PROCESSING, Decision.WITHDRAWN), (ADVERTISING, Decision.WITHDRAWN)]
    assert turn.opts_out
    assert (turn.makes_lead, turn.learned) == (False, Person())
    assert len(turn.replies) == 1
    assert "удалите мои данные" in turn.replies[0].text
    assert step is Step.START or (turn.state.name, turn.state.phone) == (None, None)
    assert chat.write("Алсу").learned == Person()


def test_a_withdrawal_of_advertising_leaves_the_rest() -> None:
    """«Не присылайте рекламу» is about advertising."""
    agreed = {PROCESSING: Decision.GIVEN, ADVERTISING: Decision.GIVEN}
    turn = Chat(Consents(words=WORDS, standing=agreed)).write("не присылайте мне рекламу")
    assert decisions(turn.decided) == [(ADVERTISING, Decision.WITHDRAWN)]
    assert turn.opts_out


def test_a_stop_without_a_consent_is_an_objection_for_good() -> None:
    """There is nothing to withdraw; advertising is never asked for."""
    chat = Chat(Consents(words=WORDS, offers=(ADVERTISING,)))
    turn = chat.write("стоп")
    assert (decisions(turn.decided), turn.opts_out) == ([(ADVERTISING, Decision.REFUSED)], True)


def test_a_demand_to_erase_withdraws_and_reaches_a_person() -> None:
    """Nobody who asks for that may be overlooked, so it makes a lead when there is none."""
    turn = Chat(Consents(words=WORDS, standing={PROCESSING: Decision.GIVEN})).write("Удалите мои данные")
    assert (decisions(turn.decided), turn.makes_lead) == (
        [(PROCESSING, Decision.WITHDRAWN), (ADVERTISING, Decision.REFUSED)],
        True,
    )


def test_consent_can_be_given_anew_after_it_was_withdrawn() -> None:
    """By the button that still stands in the chat."""
    chat = Chat()
    chat.write("/start")
    chat.press(YES)
    chat.write("стоп")
    turn = chat.press(YES)
    assert decisions(turn.decided) == [(PROCESSING, Decision.GIVEN)]


def test_a_title_that_was_never_shown_is_an_ordinary_word() -> None:
    """Nobody consents to a text that they have not seen."""
    turn = Chat(Consents(words=WORDS, asks_processing=False)).write("Даю согласие")
    assert (turn.decided, turn.entry) == ((), "Даю согласие")


def test_every_purpose_has_titles_of_its_own() -> None:
    """Short enough for every messenger's buttons, and none says two things."""
    titles = [
        title
        for locale in LOCALES
        for purpose in ConsentPurpose
        for title in buttons_of(purpose, load_texts("consents", locale))
    ]
    assert len({title.casefold() for title in titles}) == len(titles)
    assert max(map(len, titles)) <= 20


def test_an_answer_is_found_in_whatever_language_it_was_shown() -> None:
    """A client may switch the messenger's language in between."""
    shown = [Shown(purpose=PROCESSING, text_id="t", text_hash="00", message_id="m")]
    for locale in LOCALES:
        for title, is_yes in zip(buttons_of(PROCESSING, load_texts("consents", locale)), (True, False), strict=True):
            answer = find_answer(title, shown, None)
            assert answer is not None
            assert answer.is_yes is is_yes
    assert find_answer("да", shown, None) is None
    assert find_answer("да", shown, ADVERTISING) is None
