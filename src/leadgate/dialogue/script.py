"""The script: name, phone, wish. Pure: a state and an event in, a new state, replies and what was learned out.

Every message of the client is passed on at once; the script only asks for what is missing and never holds a request back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

from leadgate.catalogue.texts import Texts
from leadgate.intake.phones import find_e164
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
    """

    step: Step = Step.START
    asked: int = 0
    name: str | None = None
    phone: str | None = None
    has_request: bool = False
    is_greeted: bool = False
    is_off_health: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the bot says; `asks_contact` offers the button that shares the client's own number."""

    text: str
    buttons: tuple[str, ...] = ()
    asks_contact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one event of a client leads to.

    Attributes:
        entry: the client's words as the CRM's history shall show them; None when there is nothing to pass on.
        learned: what is new about the person.
    """

    state: DialogueState
    replies: tuple[Reply, ...]
    entry: str | None
    learned: Person = field(default_factory=Person)


def take_turn(state: DialogueState, event: NormalisedEvent, texts: Texts, *, salon: str) -> Turn:
    """Answer one event of a client.

    Args:
        state: where the conversation stands.
        event: of kind text, button, contact, media, location or unsupported.
        texts: the bot's texts in the client's language.
        salon: the salon's name for the greeting.
    """
    match event.kind:
        case EventKind.CONTACT:
            return _on_contact(state, event, texts)
        case EventKind.MEDIA | EventKind.LOCATION:
            return _on_media(state, event, texts, salon=salon)
        case EventKind.UNSUPPORTED:
            return Turn(state=state, replies=(Reply(text=texts.get("cannot_read")),), entry=None)
        case _:
            return _on_text(state, (event.text or event.payload or "").strip(), texts, salon=salon)


def _on_text(state: DialogueState, words: str, texts: Texts, *, salon: str) -> Turn:
    if words == "/start" or words.startswith("/start "):
        return _greet(state, texts, salon=salon, entry=None)
    if not words:  # somebody else's words, passed on: they are not the client's and are not read
        return Turn(state=state, replies=(Reply(text=texts.get("cannot_read")),), entry=None)
    match state.step:
        case Step.START:
            return _on_first_words(state, words, texts, salon=salon)
        case Step.NAME:
            return _on_name(state, words, texts)
        case Step.PHONE:
            return _on_phone(state, words, texts)
        case _:
            return _on_wish(state, words, texts)


def _on_first_words(state: DialogueState, words: str, texts: Texts, *, salon: str) -> Turn:
    phone = find_phone(words)
    new = replace(state, phone=phone or state.phone, has_request=len(words.split()) > 2)  # noqa: PLR2004 - more than "good day"
    turn = _greet(new, texts, salon=salon, entry=words)
    return replace(turn, learned=Person(phone=phone))


def _greet(state: DialogueState, texts: Texts, *, salon: str, entry: str | None) -> Turn:
    if state.name is None:
        text = texts.get("greet_briefly") if state.is_greeted else texts.get("greet", salon=salon)
        new = replace(state, step=Step.NAME, asked=1, is_greeted=True)
        return Turn(state=new, replies=(Reply(text=text),), entry=entry)
    if state.phone is None:
        new, reply = _ask_phone(state, texts)
        return Turn(state=new, replies=(reply,), entry=entry)
    return Turn(
        state=replace(state, step=Step.WISH, asked=1), replies=(Reply(text=texts.get("greet_again")),), entry=entry
    )


def _on_name(state: DialogueState, words: str, texts: Texts) -> Turn:
    phone = find_phone(words)
    known = replace(state, phone=phone or state.phone)
    # A name is said back to the client and stands in the CRM: what tells of health is none.
    name = None if mentions_health(words, otherwise=False) else find_name(_PHONE_IN_TEXT.sub("", words))
    if name is None and phone is None and state.asked < 2:  # noqa: PLR2004 - asked once more, then never again
        new = replace(known, asked=state.asked + 1, has_request=True)
        return Turn(state=new, replies=(Reply(text=texts.get("ask_name_again")),), entry=words)
    new, reply = _ask_next(replace(known, name=name or state.name), texts)
    return Turn(state=new, replies=(reply,), entry=words, learned=Person(name=name, phone=phone))


def _on_phone(state: DialogueState, words: str, texts: Texts) -> Turn:
    phone = find_phone(words)
    if phone is not None:
        new, reply = _ask_wish(replace(state, phone=phone), texts)
        return Turn(state=new, replies=(reply,), entry=words, learned=Person(phone=phone))
    if state.asked < 2:  # noqa: PLR2004 - asked once more, then we answer in the chat
        reply = Reply(text=texts.get("ask_phone_again"), asks_contact=True)
        return Turn(state=replace(state, asked=state.asked + 1), replies=(reply,), entry=words)
    new, reply = _ask_wish(state, texts)
    return Turn(state=new, replies=(reply,), entry=words)


def _on_wish(state: DialogueState, words: str, texts: Texts) -> Turn:
    """Words after everything was asked: the wish itself, and whatever comes later; a phone in them is learned."""
    phone = find_phone(words)
    learned = Person(phone=phone) if phone and phone != state.phone else Person()
    new = replace(state, phone=phone or state.phone)
    if state.step is Step.WISH:
        entry = None if words == texts.get("already_written") else words
        return replace(_finish(new, texts, entry=entry), learned=learned)
    return Turn(state=new, replies=(Reply(text=texts.get("passed_on")),), entry=words, learned=learned)


def _on_contact(state: DialogueState, event: NormalisedEvent, texts: Texts) -> Turn:
    if not event.phone or not event.phone_verified:
        reply = Reply(text=texts.get("foreign_phone"), asks_contact=True)
        return Turn(state=state, replies=(reply,), entry=texts.get("entry_foreign_contact"))
    entry = texts.get("entry_contact", phone=event.phone)
    known = replace(state, phone=event.phone)
    learned = Person(phone=event.phone)
    if state.step is Step.DONE:
        return Turn(state=known, replies=(Reply(text=texts.get("passed_on")),), entry=entry, learned=learned)
    new, reply = _ask_next(known, texts)
    return Turn(state=new, replies=(reply,), entry=entry, learned=learned)


def _on_media(state: DialogueState, event: NormalisedEvent, texts: Texts, *, salon: str) -> Turn:
    tag = texts.get("entry_location" if event.kind is EventKind.LOCATION else "entry_media")
    entry = f"{tag} {event.text}" if event.text else tag
    if state.step is Step.START:
        return _greet(replace(state, has_request=True), texts, salon=salon, entry=entry)
    if state.step is Step.WISH:
        return _finish(state, texts, entry=entry)
    return Turn(state=state, replies=(Reply(text=texts.get("cannot_listen")),), entry=entry)


def _ask_next(state: DialogueState, texts: Texts) -> tuple[DialogueState, Reply]:
    return _ask_phone(state, texts) if state.phone is None else _ask_wish(state, texts)


def _ask_phone(state: DialogueState, texts: Texts) -> tuple[DialogueState, Reply]:
    text = texts.get("ask_phone", name=state.name) if state.name else texts.get("ask_phone_nameless")
    return replace(state, step=Step.PHONE, asked=1), Reply(text=text, asks_contact=True)


def _ask_wish(state: DialogueState, texts: Texts) -> tuple[DialogueState, Reply]:
    key = "ask_wish" if state.phone else "ask_wish_without_phone"
    buttons = (texts.get("already_written"),) if state.has_request else ()
    return replace(state, step=Step.WISH, asked=1), Reply(text=texts.get(key), buttons=buttons)


def _finish(state: DialogueState, texts: Texts, *, entry: str | None) -> Turn:
    text = texts.get("done", phone=show_phone(state.phone)) if state.phone else texts.get("done_without_phone")
    return Turn(state=replace(state, step=Step.DONE, asked=0), replies=(Reply(text=text),), entry=entry)


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
