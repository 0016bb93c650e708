"""Consents around a turn of the script: what it has to know, the words it shows, what was decided; all in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from leadgate.catalogue.texts import load_texts
from leadgate.crm.consent.register import Circumstance, Register
from leadgate.crm.consent.rule import read_rule
from leadgate.crm.consent.texts import TextBook
from leadgate.crm.one_person import everyone
from leadgate.dialogue.consent import Consents, Decided
from leadgate.dialogue.script import Reply
from leadgate.dialogue.script import Turn as ScriptTurn
from leadgate.model.consents import ConsentPurpose, Decision, How, Shown
from leadgate.ports.stores import Transaction
from leadgate.processing.reach import Reach

_OFFERS = (ConsentPurpose.PASSING_ON, ConsentPurpose.ADVERTISING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Whose answer it is and where it came from.

    Attributes:
        event_id: the client's own; our answers to it are named after it.
        said_at: when they said it.
    """

    subject_id: str
    event_id: str
    channel: str
    words: str | None
    said_at: datetime
    at: datetime


class Asking:
    """Stands between the script and the register."""

    def __init__(self, register: Register, texts: TextBook, reach: Reach) -> None:
        """Join these."""
        self._register = register
        self._texts = texts
        self._reach = reach

    def consents(self, tx: Transaction, subject_id: str, locale: str) -> Consents:
        """What the script has to know."""
        rule = read_rule(tx)
        return Consents(
            words=load_texts("consents", locale),
            asks_processing=rule.asks_processing,
            standing=self._register.standing(tx, subject_id),
            offers=tuple(purpose for purpose in _OFFERS if rule.wants(purpose)),
        )

    def fill_in(self, tx: Transaction, turn: ScriptTurn, *, event_id: str, locale: str, at: datetime) -> ScriptTurn:
        """The turn with the words of the version that stands now; the state remembers which message showed it."""
        replies: list[Reply] = []
        shown = {one.purpose: one for one in turn.state.shown}
        for number, reply in enumerate(turn.replies):
            if reply.consent is None:
                replies.append(reply)
                continue
            text = self._texts.show(tx, reply.consent, locale, at=at)
            replies.append(replace(reply, text=text.text))
            shown[reply.consent] = Shown(
                purpose=reply.consent,
                text_id=text.text_id,
                text_hash=text.text_hash,
                message_id=message_id_of(event_id, number),
            )
        return replace(turn, replies=tuple(replies), state=replace(turn.state, shown=tuple(shown.values())))

    def keep(self, tx: Transaction, turn: ScriptTurn, answered: Answered) -> None:
        """Write down what was decided; a withdrawal takes effect here and now."""
        self._decide(tx, turn.decided, answered)
        if turn.opts_out:
            self.stop_advertising(tx, answered.subject_id, at=answered.at)
        elif any(d.purpose is ConsentPurpose.ADVERTISING and d.decision is Decision.GIVEN for d in turn.decided):
            self._set_opted_out(tx, answered.subject_id, at=None)

    def note_opted_out(self, tx: Transaction, answered: Answered) -> None:
        """The client used the messenger's own switch against advertising: the same as a word."""
        standing = self._register.standing(tx, answered.subject_id).get(ConsentPurpose.ADVERTISING)
        decision = Decision.WITHDRAWN if standing is not None and standing.stands else Decision.REFUSED
        decided = Decided(purpose=ConsentPurpose.ADVERTISING, decision=decision, how=How.MESSENGER)
        self._decide(tx, (decided,), answered)
        self.stop_advertising(tx, answered.subject_id, at=answered.at)

    def stop_advertising(self, tx: Transaction, subject_id: str, *, at: datetime) -> None:
        """In every chat of the person, and of what waits to be sent."""
        self._set_opted_out(tx, subject_id, at=at)
        self._reach.drop_advertising(tx, subject_id, at=at)

    def _decide(self, tx: Transaction, decided: Iterable[Decided], answered: Answered) -> None:
        for one in decided:
            case = Circumstance(
                event_id=answered.event_id,
                channel=answered.channel,
                how=one.how,
                words=answered.words,
                decided_at=answered.said_at,
                at=answered.at,
            )
            self._register.decide(tx, answered.subject_id, one.purpose, one.decision, case, shown=one.shown)

    @staticmethod
    def _set_opted_out(tx: Transaction, subject_id: str, *, at: datetime | None) -> None:
        for chat in tx.conversations.of_subjects(everyone(tx, subject_id)):
            if (chat.opted_out_at is None) is not (at is None):
                tx.conversations.set_opted_out(chat.conversation_id, at=at)


def message_id_of(event_id: str, number: int) -> str:
    """Our id of the answer to an event that stands at this place, from 0."""
    return f"{event_id}-{number + 1}"
