"""The letter that answers a request: which sentences by kind and state. Pure but for the printing; the form is a template."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from leadgate.catalogue.texts import Texts, load_texts
from leadgate.model.requests import RequestKind, RequestOutcome, RequestState
from leadgate.reports.paper import print_paper
from leadgate.rights.request_words import tell_day

_TEMPLATE = "request_answer"
_LINES_TO_WRITE_ON = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a letter is made from.

    Attributes:
        person: the name, or None.
        reason: of a refusal or an extension, as it was written down for the person; else not used.
    """

    request_id: str
    kind: RequestKind
    state: RequestState
    outcome: RequestOutcome | None
    received_on: date
    due_on: date
    person: str | None
    reason: str
    salon: str


def print_answer(letter: Letter, *, locale: str, today: date, at: datetime) -> bytes:
    """The letter as PDF: the answer, or while a term is extended the notice of that. Raises ConfigurationError."""
    return print_paper(_TEMPLATE, compose(letter, locale=locale, today=today), at=at)


def compose(letter: Letter, *, locale: str, today: date) -> dict[str, object]:
    """What the template shows."""
    texts = load_texts("requests", locale)
    is_notice = letter.state is RequestState.EXTENDED
    day = tell_day(today, locale, today=date.min)
    name = letter.person
    return {
        "title": texts.get("letter.title.notice" if is_notice else "letter.title"),
        "salon": letter.salon,
        "language": locale,
        "made": texts.get("letter.made", day=day),
        "facts": [
            [texts.get("letter.to"), name or texts.get("letter.to.unknown")],
            [texts.get("letter.number"), letter.request_id],
            [texts.get("letter.received"), tell_day(letter.received_on, locale, today=date.min)],
            [texts.get("letter.about"), texts.get(f"alarm.what.{letter.kind.value}")],
            [texts.get("letter.date"), day],
        ],
        "hello": texts.get("letter.hello", name=name) if name else texts.get("letter.hello.unknown"),
        "paragraphs": _paragraphs(letter, texts, locale),
        "lines": _LINES_TO_WRITE_ON if _is_left_to_write(letter) else 0,
        "thanks": texts.get("letter.thanks"),
        "signature": texts.get("letter.signature"),
    }


def _is_left_to_write(letter: Letter) -> bool:
    if letter.state is RequestState.EXTENDED or letter.outcome is RequestOutcome.REFUSED:
        return not letter.reason
    return letter.kind is RequestKind.OTHER and letter.outcome is not RequestOutcome.MISTAKEN


def _paragraphs(letter: Letter, texts: Texts, locale: str) -> list[str]:
    if letter.state is RequestState.EXTENDED:
        until = tell_day(letter.due_on, locale, today=date.min)
        told = [texts.get("letter.notice"), letter.reason, texts.get("letter.notice.until", day=until)]
    elif letter.outcome is RequestOutcome.REFUSED:
        told = [texts.get("letter.refused"), letter.reason, texts.get("letter.refused.appeal")]
    elif letter.outcome is RequestOutcome.MISTAKEN:
        told = [texts.get("letter.mistaken")]
    else:
        told = [texts.get(f"letter.{letter.kind.value}")]
    return [paragraph for paragraph in told if paragraph]
