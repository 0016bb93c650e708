"""The one named state of a received event: what became of it, why, and until when it waits. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from leadgate.catalogue.texts import load_texts
from leadgate.model.deliveries import OPEN_STATES, DeliveryKind, DeliveryState
from leadgate.model.events import EventState
from leadgate.model.views import EndState, EventEnd

NOT_WORKED_ON = "not_worked_on"
PAUSED = "paused"
NO_CRM = "no_crm"
LOOK_UP = "look_up"
IN_TURN = "in_turn"
GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmDuty:
    """A delivery to the CRM that came of an event, as far as its ending needs it.

    Attributes:
        has_crm: False while it waits for a CRM to be connected.
        lane_due_at: when its lane looks again.
        lane_problem: code of what holds up the lane as a whole.
    """

    kind: DeliveryKind
    state: DeliveryState
    error_code: str | None
    due_at: datetime | None
    discard_reason: str | None
    has_crm: bool
    is_paused: bool
    lane_due_at: datetime | None
    lane_problem: str | None


def tell_ending(ending: EventEnd, locale: str) -> str:
    """The ending in one line of words for a terminal; a code that the catalogue of the ledger does not know stays a code."""
    words = load_texts("ledger", locale)
    why = f"why.{ending.why}"
    said = [words.get(f"state.{ending.state.value}"), words.get(why) if words.has(why) else ending.why or ""]
    if ending.until is not None:
        said.append(words.get("until", at=f"{ending.until:%Y-%m-%d %H:%M:%S} UTC"))
    return ", ".join(part for part in (*said, ending.note) if part)


_NO_LEAD = {EventState.ANSWERED: EndState.ANSWERED, EventState.IGNORED: EndState.IGNORED}
_GIVEN_UP_KINDS = (DeliveryKind.CREATE_LEAD, DeliveryKind.TIMELINE_ENTRY)


def name_ending(state: EventState, reason: str | None, duties: Sequence[CrmDuty], *, is_erased: bool) -> EventEnd:
    """The state an event stands in: erased before all, then refused before waiting, given up before delivered.

    The ledger counts by the same order (`storage.queries`); an update that was dropped with its closed lead is no loss.
    """
    if is_erased:
        return EventEnd(state=EndState.ERASED)
    if state in _NO_LEAD:
        return EventEnd(state=_NO_LEAD[state], why=reason)
    if state is EventState.FAILED:
        return EventEnd(state=EndState.REFUSED, why=reason)
    if state is EventState.RECEIVED:
        return EventEnd(state=EndState.WAITING, why=NOT_WORKED_ON)
    return _of_duties(duties)


def _of_duties(duties: Sequence[CrmDuty]) -> EventEnd:
    for duty in duties:
        if duty.state is DeliveryState.DEAD:
            return EventEnd(state=EndState.REFUSED, why=duty.error_code)
    for duty in duties:
        if duty.state in OPEN_STATES:
            return _waiting(duty)
    for duty in duties:
        if duty.state is DeliveryState.DISCARDED and duty.kind in _GIVEN_UP_KINDS:
            return EventEnd(state=EndState.IGNORED, why=GIVEN_UP, note=duty.discard_reason)
    return EventEnd(state=EndState.DELIVERED)


def _waiting(duty: CrmDuty) -> EventEnd:
    """Why the first of them waits: what a person has to do comes first, then what holds up the whole lane."""
    if not duty.has_crm:
        return EventEnd(state=EndState.WAITING, why=NO_CRM)
    if duty.is_paused:
        return EventEnd(state=EndState.WAITING, why=PAUSED)
    times = [at for at in (duty.due_at, duty.lane_due_at if duty.lane_problem else None) if at is not None]
    until = max(times, default=duty.lane_due_at)
    if duty.state is DeliveryState.UNKNOWN:
        return EventEnd(state=EndState.WAITING, why=LOOK_UP, until=until)
    return EventEnd(state=EndState.WAITING, why=duty.lane_problem or duty.error_code or IN_TURN, until=until)
