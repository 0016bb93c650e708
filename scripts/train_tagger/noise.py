"""The same message as other hands would have typed it: small letters, capitals, no punctuation, slips."""
# ruff: noqa: PLR2004 - shares of draws and lengths of endings are read in place

from __future__ import annotations

import random
from collections.abc import Callable

from pii_score.marks import Message

_NEAR = {"а": "ав", "о": "щл", "е": "нк", "и": "ми", "н": "нг", "т": "ть", "л": "дл", "с": "см", "р": "пр", "в": "ва"}


def with_noise(message: Message, rng: random.Random) -> Message:
    """One of the ways, drawn by chance; marks move along."""
    chance = rng.random()
    if chance < 0.38:
        return message
    if chance < 0.66:
        return _same_places(message, message.text.lower())
    if chance < 0.74:
        return _same_places(message, message.text.upper())
    if chance < 0.88:
        return _edited(
            _same_places(message, message.text.lower()), lambda letter: "" if letter in ',.!?;«»"()' else letter
        )
    return _edited(message, lambda letter: _slip(letter, rng))


def without_case(message: Message) -> Message:
    """In small letters."""
    return _same_places(message, message.text.lower())


def _same_places(message: Message, text: str) -> Message:
    return Message(message.message_id, text, message.spans) if len(text) == len(message.text) else message


def _slip(letter: str, rng: random.Random) -> str:
    if not letter.isalpha() or rng.random() > 0.035:
        return letter
    return rng.choice(("", letter * 2, rng.choice(_NEAR.get(letter, letter)), letter * 2))


def _edited(message: Message, edit: Callable[[str], str]) -> Message:
    starts = {start: label for start, _, label in message.spans}
    ends = {end for _, end, _ in message.spans}
    text, spans = "", []
    begin, label = 0, ""
    for place, letter in enumerate(message.text):
        if place in ends and label:
            spans.append((begin, len(text), label))
            label = ""
        if place in starts:
            begin, label = len(text), starts[place]
        keeps = label not in {"", "PERSON", "ADDRESS", "HEALTH"}
        text += letter if keeps else edit(letter)
    if label:
        spans.append((begin, len(text), label))
    return Message(message.message_id, text, tuple(span for span in spans if span[0] < span[1]))
