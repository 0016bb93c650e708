"""What others' parts give without our work: plain patterns with check digits, Presidio, and natasha's news model for persons."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import IO, Any, Protocol, cast

import phonenumbers
from stdnum.luhn import is_valid as passes_luhn

from pii_score.score import Found

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,24}){1,4}")
_HANDLE = re.compile(r"(?<![\w.])@\w{3,32}")
_LINK = re.compile(r"https?://(?:t\.me|vk\.com|wa\.me|instagram\.com)/\S{1,64}")
_IP = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_PLATE = re.compile(r"(?<!\w)[АВЕКМНОРСТУХавекмнорстух]\s?\d{3}\s?[АВЕКМНОРСТУХавекмнорстух]{2}\s?\d{2,3}(?!\d)")
_SNILS = re.compile(r"(?<!\d)\d{3}-\d{3}-\d{3}[ -]\d{2}(?!\d)")
_ACCOUNT = re.compile(r"(?<!\d)\d{20}(?!\d)")
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_PASSPORT = re.compile(r"(?<!\d)\d{2} ?\d{2} \d{6}(?!\d)")
_INN = re.compile(r"(?i)инн\D{0,5}(\d{12}|\d{10})(?!\d)")
_BIRTH = re.compile(r"(?i)рожд\w*\D{0,12}(\d{1,2}\.\d{1,2}\.\d{2,4})|(\d{1,2}\.\d{1,2}\.\d{4})\s?г\.?\s?р")


def patterns(text: str) -> Found:
    """Regular expressions, phonenumbers and Luhn."""
    found: list[tuple[int, int, str]] = []
    for label, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            group = next((number for number in range(1, (match.lastindex or 0) + 1) if match[number]), 0)
            _add(found, match.start(group), match.end(group), label)
    for match in _CARD.finditer(text):
        if passes_luhn(re.sub(r"\D", "", match[0])):
            _add(found, match.start(), match.end(), "CARD")
    for number in phonenumbers.PhoneNumberMatcher(text, "RU"):
        _add(found, number.start, number.end, "PHONE")
    return found


def patterns_and_natasha(text: str) -> Found:
    """The same, and persons by natasha's model for news."""
    found = list(patterns(text))
    for span in _model()(text).spans:
        if span.type == "PER":
            _add(found, span.start, span.stop, "PERSON")
    return found


def presidio_and_natasha(text: str) -> Found:
    """Presidio with its Russian add-ons, and persons by natasha's model.

    Raises:
        RuntimeError: Presidio ended; `scripts/set-up dev presidio` installs it.
    """
    child = _presidio()
    child.stdin.write(json.dumps(text) + "\n")
    child.stdin.flush()
    answer = child.stdout.readline()
    if not answer:
        raise RuntimeError("Presidio ended; install it with: scripts/set-up dev presidio")
    found: list[tuple[int, int, str]] = []
    for start, end, kind, _ in sorted(json.loads(answer), key=lambda one: -one[3]):
        if kind in _PRESIDIO_LABELS:
            _add(found, start, end, _PRESIDIO_LABELS[kind])
    for span in _model()(text).spans:
        if span.type == "PER":
            _add(found, span.start, span.stop, "PERSON")
    return found


def _add(found: list[tuple[int, int, str]], start: int, end: int, label: str) -> None:
    if all(end <= other[0] or other[1] <= start for other in found):
        found.append((start, end, label))


class _Child(Protocol):
    """A program that answers a line with a line."""

    stdin: IO[str]
    stdout: IO[str]


@cache
def _presidio() -> _Child:
    program = [str(_ROOT / "build" / "presidio" / "bin" / "python"), str(_ROOT / "pii_score" / "presidio_child.py")]
    child = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - both parts are our own files
    return cast("_Child", child)


@cache
def _model() -> Any:  # noqa: ANN401 - slovnet brings no types
    from navec import Navec  # noqa: PLC0415 - only this baseline needs it
    from slovnet import NER  # noqa: PLC0415 - as above

    data = Path(str(distribution("natasha").locate_file("natasha/data")))
    model = NER.load(str(data / "model" / "slovnet_ner_news_v1.tar"))
    model.navec(Navec.load(str(data / "emb" / "navec_news_v1_1B_250K_300d_100q.tar")))
    return model


_ROOT = Path(__file__).parents[1]
_PRESIDIO_LABELS = {
    "EMAIL_ADDRESS": "EMAIL",
    "IP_ADDRESS": "IP",
    "CREDIT_CARD": "CARD",
    "PHONE_NUMBER": "PHONE",
    "PHONE_RF": "PHONE",
    "INN_RU": "INN",
    "SNILS": "SNILS",
    "PASSPORT_RF": "PASSPORT",
    "BANK_ACCOUNT_RF": "ACCOUNT",
}
_PATTERNS = (
    ("EMAIL", _EMAIL),
    ("USERNAME", _LINK),
    ("USERNAME", _HANDLE),
    ("ACCOUNT", _ACCOUNT),
    ("SNILS", _SNILS),
    ("INN", _INN),
    ("PLATE", _PLATE),
    ("IP", _IP),
    ("BIRTHDATE", _BIRTH),
    ("PASSPORT", _PASSPORT),
)
