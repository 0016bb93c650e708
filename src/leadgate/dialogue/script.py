"""The script: consent, name, phone, wish. Pure: a state and an event in, a new state, replies and what was learned out.

Every message of the client is passed on at once; the script only asks for what is missing and never holds a request back.
Name and phone are asked for, and an answer is taken for a name, only with the person's consent where the salon asks for it. A phone
that a client writes unasked is learned all the same: it stands there to be called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

from leadgate.catalogue.texts import Texts
from leadgate.dialogue.consent import Answer, Consents, Decided, buttons_of, find_answer
from leadgate.dialogue.withdrawal import Withdrawal, find_withdrawal
from leadgate.intake.phones import find_e164
from leadgate.model.consents import ConsentPurpose, Decision, How, Shown
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.leads import Person
from leadgate.privacy.detect.fold import fold
from leadgate.privacy.detect.spans import Label, without_overlaps
from leadgate.privacy.detect.structured import find_structured
from leadgate.privacy.health import mentions_health

MAX_NAME_LENGTH = 60
_PHONE_IN_TEXT = re.compile(r"\+?\d[\d\s()\-.\u2010-\u2015]{8,22}\d")
_NAME_PREFIX = re.compile(r"^(?:меня\s+зовут|это|я|my\s+name\s+is|i\s+am)\s+", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.\-])*(?: [^\W\d_](?:[^\W\d_]|['’.\-])*){0,3}")
_NOT_A_NAME = re.compile(
    r"(?:\?|\b(?:здравствуйте|привет|добрый|хочу|можно|запишите|записаться|сколько|когда|цена|hello|hi|want|price)\b)",
    re.IGNORECASE,
)


class Step(StrEnum):
    """What the bot waits for."""

    START = "start"
    CONSENT = "consent"
    NAME = "name"
    PHONE = "phone"
    WISH = "wish"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueState:
    """Where a conversation stands.

    Attributes:
        asked: how often the question of this step was put, from 1.
        name: as the client gave it; phone: E.164; each None until known.
        has_request: the client wrote more than a greeting already.
        is_greeted: the client has seen our greeting, for instance in the widget.
        is_off_health: we have said that health is better talked about in person.
        shown: the texts of consent that stood in this chat, the last of each purpose.
        pending: the consent that was asked for last, as long as nothing else was said.
    """

    step: Step = Step.START
    asked: int = 0
    name: str | None = None
    phone: str | None = None
    has_request: bool = False
    is_greeted: bool = False
    is_off_health: bool = False
    shown: tuple[Shown, ...] = ()
    pending: ConsentPurpose | None = None

    def has_shown(self, purpose: ConsentPurpose) -> bool:
        """True when this text stood in the chat."""
        return any(one.purpose is purpose for one in self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the bot says; `asks_contact` offers the button that shares the client's own number.

    Attributes:
        consent: this message is the text of a consent: the house fills in the version that stands, and nothing else is in it.
    """

    text: str
    buttons: tuple[str, ...] = ()
    asks_contact: bool = False
    consent: ConsentPurpose | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one event of a client leads to.

    Attributes:
        entry: the client's words as the CRM's history shall show them; None when there is nothing to pass on.
        learned: what is new about the person.
        decided: what the client agreed to, refused or withdrew.
        opts_out: no more advertising, in any chat of theirs.
        makes_lead: False for words that are no request: they are an entry of the lead that is open, and make none.
    """

    state: DialogueState
    replies: tuple[Reply, ...]
    entry: str | None
    learned: Person = field(default_factory=Person)
    decided: tuple[Decided, ...] = ()
    opts_out: bool = False
    makes_lead: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the script knows beside the state: the texts in the client's language, the salon's name, the consents."""

    texts: Texts
    salon: str
    consents: Consents


def take_turn(state: DialogueState, event: NormalisedEvent, texts: Texts, *, salon: str, consents: Consents) -> Turn:
    """Answer one event of a client.

    Args:
        state: where the conversation stands.
        event: of kind text, button, contact, media, location or unsupported.
        texts: the bot's texts in the client's language.
        salon: the salon's name for the greeting.
        consents: what has to be agreed to, and what was.
    """
    scene = Scene(texts=texts, salon=salon, consents=consents)
    match event.kind:
        case EventKind.CONTACT:
            return _on_contact(_moved_on(state), event, scene)
        case EventKind.MEDIA | EventKind.LOCATION:
            return _on_media(_moved_on(state), event, scene)
        case EventKind.UNSUPPORTED:
            return Turn(state=state, replies=(Reply(text=texts.get("cannot_read")),), entry=None)
        case _:
            return _on_text(state, (event.text or event.payload or "").strip(), scene)


def _on_text(state: DialogueState, words: str, scene: Scene) -> Turn:
    withdrawal = find_withdrawal(words)
    if withdrawal is not None:
        return _withdraw(state, withdrawal, words, scene)
    answer = find_answer(words, state.shown, state.pending)
    if answer is not None:
        return _on_answer(state, answer, scene)
    if words == "/start" or words.startswith("/start "):
        return _greet(state, scene, entry=None)
    if not words:  # somebody else's words, passed on: they are not the client's and are not read
        return Turn(state=state, replies=(Reply(text=scene.texts.get("cannot_read")),), entry=None)
    return _on_words(_moved_on(state), words, scene)


def _on_words(state: DialogueState, words: str, scene: Scene) -> Turn:
    match state.step:
        case Step.START:
            return _on_first_words(state, words, scene)
        case Step.CONSENT:
            return _on_words_before_consent(state, words, scene)
        case Step.NAME | Step.PHONE if not scene.consents.may_ask_person:
            return _on_words_without_consent(state, words, scene)
        case Step.NAME:
            return _on_name(state, words, scene)
        case Step.PHONE:
            return _on_phone(state, words, scene)
        case _:
            return _on_wish(state, words, scene)


def _moved_on(state: DialogueState) -> DialogueState:
    """Something else was said: «да» is no answer to an old offer any more. The question before name and phone stays open."""
    return state if state.step is Step.CONSENT or state.pending is None else replace(state, pending=None)


def _on_first_words(state: DialogueState, words: str, scene: Scene) -> Turn:
    phone = find_phone(words)
    new = replace(state, phone=phone or state.phone, has_request=len(words.split()) > 2)  # noqa: PLR2004 - more than "good day"
    turn = _greet(new, scene, entry=words)
    return replace(turn, learned=Person(phone=phone))


def _greet(state: DialogueState, scene: Scene, *, entry: str | None) -> Turn:
    if state.name is not None and state.phone is not None:
        reply = Reply(text=scene.texts.get("greet_again"))
        return Turn(state=replace(state, step=Step.WISH, asked=1), replies=(reply,), entry=entry)
    if scene.consents.is_open:
        return _greet_with_consent(state, scene, entry=entry)
    if not scene.consents.may_ask_person:
        return _greet_unnamed(state, scene, entry=entry)
    if state.name is None:
        new = replace(state, step=Step.NAME, asked=1, is_greeted=True)
        return Turn(state=new, replies=(Reply(text=_greeting(state, scene)),), entry=entry)
    new, reply = _ask_phone(state, scene.texts)
    return Turn(state=new, replies=(reply,), entry=entry)


def _greeting(state: DialogueState, scene: Scene) -> str:
    """With the question for the name; who is not asked for consent is told what name and phone are for."""
    if scene.consents.stands(ConsentPurpose.PROCESSING):
        return scene.texts.get("greet_briefly") if state.is_greeted else scene.texts.get("greet", salon=scene.salon)
    words = scene.consents.words
    return words.get("greet_informed_briefly") if state.is_greeted else words.get("greet_informed", salon=scene.salon)


def _greet_with_consent(state: DialogueState, scene: Scene, *, entry: str | None) -> Turn:
    """The answer to what they wrote, and the consent as a message of its own behind it."""
    words = scene.consents.words
    text = words.get("greet_briefly") if state.is_greeted else words.get("greet", salon=scene.salon)
    new = replace(state, step=Step.CONSENT, asked=1, is_greeted=True, pending=ConsentPurpose.PROCESSING)
    return Turn(state=new, replies=(Reply(text=text), _ask_consent(ConsentPurpose.PROCESSING, scene)), entry=entry)


def _greet_unnamed(state: DialogueState, scene: Scene, *, entry: str | None) -> Turn:
    """They said no before, and are not asked again."""
    key = "greet_unnamed_passed_on" if state.has_request else "greet_unnamed"
    step = Step.DONE if state.has_request else Step.WISH
    reply = Reply(text=scene.consents.words.get(key, salon=scene.salon))
    return Turn(state=replace(state, step=step, asked=1, is_greeted=True), replies=(reply,), entry=entry)


def _on_words_before_consent(state: DialogueState, words: str, scene: Scene) -> Turn:
    """Neither yes nor no: it is passed on, they are reminded once, and then nothing more is asked for."""
    phone = find_phone(words)
    known = replace(state, phone=phone or state.phone, has_request=True)
    learned = Person(phone=phone)
    if state.asked < 2:  # noqa: PLR2004 - reminded once
        yes, no = buttons_of(ConsentPurpose.PROCESSING, scene.consents.words)
        reply = Reply(text=scene.consents.words.get("remind", yes=yes, no=no), buttons=(yes, no))
        return Turn(state=replace(known, asked=state.asked + 1), replies=(reply,), entry=words, learned=learned)
    new = replace(known, step=Step.DONE, asked=0, pending=None)
    reply = Reply(text=scene.consents.words.get("not_asked_again"))
    return Turn(state=new, replies=(reply,), entry=words, learned=learned)


def _on_words_without_consent(state: DialogueState, words: str, scene: Scene) -> Turn:
    """The question was put while they agreed, or before consents were asked for; the answer is no longer taken for a name."""
    phone = find_phone(words)
    known = replace(state, phone=phone or state.phone, has_request=True, name=None)
    if scene.consents.is_open:
        return replace(_greet_with_consent(known, scene, entry=words), learned=Person(phone=phone))
    reply = Reply(text=scene.consents.words.get("not_asked_again"))
    new = replace(known, step=Step.DONE, asked=0)
    return Turn(state=new, replies=(reply,), entry=words, learned=Person(phone=phone))


def _on_answer(state: DialogueState, answer: Answer, scene: Scene) -> Turn:
    """Yes or no to a consent; the same answer twice is written down once."""
    purpose = answer.shown.purpose
    how = How.BUTTON if answer.is_title else How.WORDS
    before = scene.consents.decision(purpose)
    if answer.is_yes:
        decision = None if before is not None and before.stands else Decision.GIVEN
    elif before is not None and before.stands:
        decision = Decision.WITHDRAWN
    else:
        decision = Decision.REFUSED if before is None else None
    decided = () if decision is None else (Decided(purpose=purpose, decision=decision, how=how, shown=answer.shown),)
    state = replace(state, pending=None)
    if purpose is ConsentPurpose.PROCESSING:
        turn = _go_on(state, scene) if answer.is_yes else _without_person(state, scene)
    else:
        text = scene.consents.words.get(f"{'given' if answer.is_yes else 'refused'}.{purpose.value}")
        turn = _with_offer(Turn(state=state, replies=(Reply(text=text),), entry=None), scene)
    opts_out = purpose is ConsentPurpose.ADVERTISING and not answer.is_yes
    return replace(turn, decided=decided, opts_out=opts_out)


def _go_on(state: DialogueState, scene: Scene) -> Turn:
    """They agreed: what is missing is asked for."""
    if state.name is None:
        reply = Reply(text=scene.consents.words.get("ask_name"))
        return Turn(state=replace(state, step=Step.NAME, asked=1), replies=(reply,), entry=None)
    if state.step is Step.DONE:
        reply = Reply(text=scene.consents.words.get("given.processing"))
        return Turn(state=state, replies=(reply,), entry=None)
    new, reply = _ask_next(state, scene.texts)
    return Turn(state=new, replies=(reply,), entry=None)


def _without_person(state: DialogueState, scene: Scene) -> Turn:
    """They said no: their request is answered without name and phone."""
    is_through = state.has_request or state.step is Step.DONE
    key = "refused.processing" if is_through else "refused.processing_wish"
    new = replace(state, step=Step.DONE if is_through else Step.WISH, asked=0 if is_through else 1, name=None)
    return Turn(state=new, replies=(Reply(text=scene.consents.words.get(key)),), entry=None)


def _withdraw(state: DialogueState, withdrawal: Withdrawal, words: str, scene: Scene) -> Turn:
    """In whatever state, at once. What was never agreed to is refused for good instead, so that it is not asked for."""
    purposes = (ConsentPurpose.ADVERTISING,) if withdrawal is Withdrawal.ADVERTISING else tuple(ConsentPurpose)
    decided = [
        Decided(purpose=purpose, decision=Decision.WITHDRAWN, how=How.WORDS)
        for purpose in purposes
        if scene.consents.stands(purpose)
    ]
    has_stood = bool(decided)
    decided += [
        Decided(purpose=purpose, decision=Decision.REFUSED, how=How.WORDS, shown=_find_shown(state, purpose))
        for purpose in purposes
        if scene.consents.decision(purpose) is None
        and (purpose is ConsentPurpose.ADVERTISING or state.has_shown(purpose))
    ]
    is_demand = withdrawal is Withdrawal.ERASURE
    return Turn(
        state=_after_withdrawal(state, withdrawal),
        replies=(Reply(text=scene.consents.words.get(_farewell(withdrawal, has_stood=has_stood))),),
        entry=words,
        decided=tuple(decided),
        opts_out=True,
        makes_lead=is_demand,
    )


def _after_withdrawal(state: DialogueState, withdrawal: Withdrawal) -> DialogueState:
    state = replace(state, pending=None)
    if withdrawal is Withdrawal.ADVERTISING or state.step is Step.START:
        return state
    # What the script had learned it forgets; who asks to be called says the number again.
    return replace(state, step=Step.DONE, asked=0, name=None, phone=None)


def _farewell(withdrawal: Withdrawal, *, has_stood: bool) -> str:
    match withdrawal:
        case Withdrawal.ERASURE:
            return "erasure_asked"
        case Withdrawal.ADVERTISING:
            return "withdrawn.advertising"
        case Withdrawal.EVERYTHING:
            return "withdrawn" if has_stood else "stopped"


def _find_shown(state: DialogueState, purpose: ConsentPurpose) -> Shown | None:
    return next((one for one in state.shown if one.purpose is purpose), None)


def _on_name(state: DialogueState, words: str, scene: Scene) -> Turn:
    phone = find_phone(words)
    known = replace(state, phone=phone or state.phone)
    # A name is said back to the client and stands in the CRM: what tells of health is none.
    name = None if mentions_health(words, otherwise=False) else find_name(_PHONE_IN_TEXT.sub("", words))
    if name is None and phone is None and state.asked < 2:  # noqa: PLR2004 - asked once more, then never again
        new = replace(known, asked=state.asked + 1, has_request=True)
        return Turn(state=new, replies=(Reply(text=scene.texts.get("ask_name_again")),), entry=words)
    new, reply = _ask_next(replace(known, name=name or state.name), scene.texts)
    return Turn(state=new, replies=(reply,), entry=words, learned=Person(name=name, phone=phone))


def _on_phone(state: DialogueState, words: str, scene: Scene) -> Turn:
    phone = find_phone(words)
    if phone is not None:
        new, reply = _ask_wish(replace(state, phone=phone), scene.texts)
        return Turn(state=new, replies=(reply,), entry=words, learned=Person(phone=phone))
    if state.asked < 2:  # noqa: PLR2004 - asked once more, then we answer in the chat
        reply = Reply(text=scene.texts.get("ask_phone_again"), asks_contact=True)
        return Turn(state=replace(state, asked=state.asked + 1), replies=(reply,), entry=words)
    new, reply = _ask_wish(state, scene.texts)
    return Turn(state=new, replies=(reply,), entry=words)


def _on_wish(state: DialogueState, words: str, scene: Scene) -> Turn:
    """Words after everything was asked: the wish itself, and whatever comes later; a phone in them is learned."""
    phone = find_phone(words)
    learned = Person(phone=phone) if phone and phone != state.phone else Person()
    new = replace(state, phone=phone or state.phone)
    if state.step is Step.WISH:
        entry = None if words == scene.texts.get("already_written") else words
        return replace(_finish(new, scene, entry=entry), learned=learned)
    return Turn(state=new, replies=(Reply(text=scene.texts.get("passed_on")),), entry=words, learned=learned)


def _on_contact(state: DialogueState, event: NormalisedEvent, scene: Scene) -> Turn:
    texts = scene.texts
    if not event.phone or not event.phone_verified:
        reply = Reply(text=texts.get("foreign_phone"), asks_contact=scene.consents.may_ask_person)
        return Turn(state=state, replies=(reply,), entry=texts.get("entry_foreign_contact"))
    entry = texts.get("entry_contact", phone=event.phone)
    known = replace(state, phone=event.phone)
    learned = Person(phone=event.phone)
    if state.step is Step.DONE or not scene.consents.may_ask_person:
        new = replace(known, has_request=True)
        return Turn(state=new, replies=(Reply(text=texts.get("passed_on")),), entry=entry, learned=learned)
    new, reply = _ask_next(known, texts)
    return Turn(state=new, replies=(reply,), entry=entry, learned=learned)


def _on_media(state: DialogueState, event: NormalisedEvent, scene: Scene) -> Turn:
    texts = scene.texts
    tag = texts.get("entry_location" if event.kind is EventKind.LOCATION else "entry_media")
    entry = f"{tag} {event.text}" if event.text else tag
    if state.step is Step.START:
        return _greet(replace(state, has_request=True), scene, entry=entry)
    if state.step is Step.WISH:
        return _finish(state, scene, entry=entry)
    return Turn(state=state, replies=(Reply(text=texts.get("cannot_listen")),), entry=entry)


def _ask_consent(purpose: ConsentPurpose, scene: Scene) -> Reply:
    return Reply(text="", buttons=buttons_of(purpose, scene.consents.words), consent=purpose)


def _ask_next(state: DialogueState, texts: Texts) -> tuple[DialogueState, Reply]:
    return _ask_phone(state, texts) if state.phone is None else _ask_wish(state, texts)


def _ask_phone(state: DialogueState, texts: Texts) -> tuple[DialogueState, Reply]:
    text = texts.get("ask_phone", name=state.name) if state.name else texts.get("ask_phone_nameless")
    return replace(state, step=Step.PHONE, asked=1), Reply(text=text, asks_contact=True)


def _ask_wish(state: DialogueState, texts: Texts) -> tuple[DialogueState, Reply]:
    key = "ask_wish" if state.phone else "ask_wish_without_phone"
    buttons = (texts.get("already_written"),) if state.has_request else ()
    return replace(state, step=Step.WISH, asked=1), Reply(text=texts.get(key), buttons=buttons)


def _finish(state: DialogueState, scene: Scene, *, entry: str | None) -> Turn:
    texts = scene.texts
    text = texts.get("done", phone=show_phone(state.phone)) if state.phone else texts.get("done_without_phone")
    turn = Turn(state=replace(state, step=Step.DONE, asked=0), replies=(Reply(text=text),), entry=entry)
    return _with_offer(turn, scene) if scene.consents.may_ask_person else turn


def _with_offer(turn: Turn, scene: Scene) -> Turn:
    """When a request is complete: the next consent that the salon wants and that was never asked for here, one at a time."""
    state = turn.state
    if state.step is not Step.DONE:
        return turn
    wanted = [
        purpose
        for purpose in scene.consents.offers
        if scene.consents.decision(purpose) is None and not state.has_shown(purpose)
    ]
    if not wanted:
        return turn
    return replace(
        turn, state=replace(state, pending=wanted[0]), replies=(*turn.replies, _ask_consent(wanted[0], scene))
    )


def find_phone(words: str) -> str | None:
    """The first phone in a text as E.164, or None. The digits of a passport or of an order are no phone."""
    whole = find_e164(words)
    if whole is not None:
        return whole
    folded = fold(words)
    phones = [span for span in without_overlaps(find_structured(folded)) if span.label is Label.PHONE]
    found = (find_e164(folded.digits[span.start : span.end]) for span in phones)
    return next((phone for phone in found if phone is not None), None)


def find_name(words: str) -> str | None:
    """The name in an answer to "what is your name", or None when the answer is something else.

    One to four words of letters, without a question or a wish; "меня зовут" before it is left out.
    """
    bare = _NAME_PREFIX.sub("", words.strip(" \t\n.,!:;-"))
    if not bare or len(bare) > MAX_NAME_LENGTH or _NOT_A_NAME.search(bare) or not _NAME.fullmatch(bare):
        return None
    return bare if any(letter.isupper() for letter in bare) else bare.title()


def show_phone(phone: str) -> str:
    """`+79000000101` as people read it: `+7 900 000-01-01`; foreign numbers stay as they are."""
    if phone.startswith("+7") and len(phone) == 12:  # noqa: PLR2004 - "+7" and ten digits
        return f"+7 {phone[2:5]} {phone[5:8]}-{phone[8:10]}-{phone[10:]}"
    return phone
