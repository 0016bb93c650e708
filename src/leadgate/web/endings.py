"""What became of an event, in the words of the page: why it waits, was ignored or refused, and what a person does about it."""

from __future__ import annotations

from dataclasses import dataclass

from leadgate.catalogue.texts import load_texts
from leadgate.model.views import EndState, EventEnd
from leadgate.web.catalogue import Catalogue
from leadgate.web.explain import explain

_CRM = "CRM"


@dataclass(frozen=True, slots=True)
class ToldEnding:
    """An ending in words; "" where there is nothing to say."""

    why: str
    cure: str


def tell_ending(ending: EventEnd, words: Catalogue) -> ToldEnding:
    """Why, and what to do when somebody has to."""
    if ending.note or ending.why is None:
        return ToldEnding(ending.note or "", "")
    texts = load_texts("ledger", words.locale)
    if texts.has(f"why.{ending.why}"):
        return ToldEnding(texts.get(f"why.{ending.why}"), "")
    if words.has(f"reason.{ending.why}"):
        return ToldEnding(words(f"reason.{ending.why}"), "")
    told = explain(ending.why)
    cure = words(told.cure, who=_CRM) if ending.state is EndState.REFUSED else ""
    return ToldEnding(words(told.headline, who=_CRM), cure)
