"""Answers to a question of consent, and what the script has to know of consents. Pure.

Each purpose has button titles of its own, so that a press says by itself what it answers. Bare words («да», «нет») answer only the
question that was put last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from leadgate.catalogue.texts import LOCALES, Texts, load_texts
from leadgate.model.consents import ConsentPurpose, Decision, How, Shown

_SPACES = re.compile(r"[^\w]+")
_YES = frozenset(
    {
        *("да", "да да", "да конечно", "конечно", "1", "yes", "yes i do", "i do", "agree", "agreed"),
        *("согласен", "согласна", "согласны", "да согласен", "да согласна", "я согласен", "я согласна", "мы согласны"),
        *("даю", "да даю", "даю согласие", "да даю согласие", "я даю согласие", "согласие даю"),
        *("i agree", "yes i agree", "i consent", "yes i consent"),
    }
)
_NO = frozenset(
    {
        *("нет", "нет спасибо", "нет не надо", "не надо", "не хочу", "против", "я против", "2", "no", "no thanks"),
        *("не согласен", "не согласна", "нет не согласен", "нет не согласна", "я не согласен", "я не согласна"),
        *("не даю", "не даю согласия", "нет не даю", "no thank you", "i do not", "i don t", "i disagree"),
        *("i do not agree", "i don t agree", "i do not consent"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents:
    """What the salon wants asked and where the person stands.

    Attributes:
        words: the texts `consents` in the client's language.
        asks_processing: the rule: nothing of a person is asked for before their consent.
        standing: the last decision by purpose, whichever channel it was made in.
        offers: what else is asked for when a request is complete, in order.
    """

    words: Texts
    asks_processing: bool = True
    standing: Mapping[ConsentPurpose, Decision] = field(default_factory=lambda: MappingProxyType({}))
    offers: tuple[ConsentPurpose, ...] = ()

    def decision(self, purpose: ConsentPurpose) -> Decision | None:
        """The last decision, or None."""
        return self.standing.get(purpose)

    def stands(self, purpose: ConsentPurpose) -> bool:
        """True while the person agrees."""
        decision = self.decision(purpose)
        return decision is not None and decision.stands

    @property
    def may_ask_person(self) -> bool:
        """True when the script may ask for name and phone and keep the answers."""
        decision = self.decision(ConsentPurpose.PROCESSING)
        return not self.asks_processing if decision is None else decision.stands

    @property
    def is_open(self) -> bool:
        """True when processing has to be agreed to and the person has not decided."""
        return self.asks_processing and self.decision(ConsentPurpose.PROCESSING) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a turn has to add to the register; `shown` is the text that it answers, None where it answers none."""

    purpose: ConsentPurpose
    decision: Decision
    how: How
    shown: Shown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A client's answer to the text that was `shown`; `is_title`: exactly what stands on the button."""

    shown: Shown
    is_yes: bool
    is_title: bool


def find_answer(words: str, shown: Iterable[Shown], pending: ConsentPurpose | None) -> Answer | None:
    """Which text these words answer and how, or None when they are about something else.

    Args:
        shown: the texts that stood in this chat.
        pending: the purpose of the question put last; None when something else was said since.
    """
    plain = _plain(words)
    by_purpose = {one.purpose: one for one in shown}
    titled = _titles().get(plain)
    if titled is not None:
        # The title of one purpose is never an answer to another, not even when its own text was never shown here.
        if titled[0] not in by_purpose:
            return None
        return Answer(shown=by_purpose[titled[0]], is_yes=titled[1], is_title=words in _exact_titles())
    if pending is None or pending not in by_purpose or not (plain in _YES or plain in _NO):
        return None
    return Answer(shown=by_purpose[pending], is_yes=plain in _YES, is_title=False)


def buttons_of(purpose: ConsentPurpose, words: Texts) -> tuple[str, str]:
    """Yes and no, in this order; neither is chosen beforehand."""
    return words.get(f"yes.{purpose.value}"), words.get(f"no.{purpose.value}")


@cache
def _exact_titles() -> frozenset[str]:
    return frozenset(
        title
        for locale in LOCALES
        for purpose in ConsentPurpose
        for title in buttons_of(purpose, load_texts("consents", locale))
    )


@cache
def _titles() -> Mapping[str, tuple[ConsentPurpose, bool]]:
    """Purpose and answer by title, in every language: a client may switch the language of the messenger in between."""
    return {
        _plain(title): (purpose, is_yes)
        for locale in LOCALES
        for purpose in ConsentPurpose
        for title, is_yes in zip(buttons_of(purpose, load_texts("consents", locale)), (True, False), strict=True)
    }


def _plain(words: str) -> str:
    return _SPACES.sub(" ", words.casefold().replace("ё", "е")).strip()
