"""How states look: every state is a shape, a word and a colour. Tables only; the words stand in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from leadgate.model.connections import FindingState
from leadgate.model.consents import Decision
from leadgate.model.deliveries import Attempt, AttemptKind, AttemptOutcome, DeliveryState
from leadgate.model.events import EventState
from leadgate.model.requests import RequestOutcome, RequestStep
from leadgate.model.views import DeliveryRow, EndState, Light


@dataclass(frozen=True, slots=True)
class Mark:
    """A state's look.

    Attributes:
        tone: class of the colour, or "" for grey.
        icon: name in the sprite.
        word: key of the catalogue.
    """

    tone: str
    icon: str
    word: str


EVENTS = {
    EventState.RECEIVED: Mark("is-warn", "wait", "state.event.received"),
    EventState.LEAD: Mark("is-ok", "ok", "state.event.lead"),
    EventState.ANSWERED: Mark("is-info", "bot", "state.event.answered"),
    EventState.IGNORED: Mark("", "x", "state.event.ignored"),
    EventState.FAILED: Mark("is-bad", "bad", "state.event.failed"),
}

ENDINGS = {
    EndState.DELIVERED: Mark("is-ok", "ok", "state.ending.delivered"),
    EndState.WAITING: Mark("is-warn", "wait", "state.ending.waiting"),
    EndState.ANSWERED: Mark("is-info", "bot", "state.ending.answered"),
    EndState.IGNORED: Mark("", "x", "state.ending.ignored"),
    EndState.REFUSED: Mark("is-bad", "bad", "state.ending.refused"),
    EndState.ERASED: Mark("", "lock", "state.ending.erased"),
}

DELIVERIES = {
    DeliveryState.WAITING: Mark("is-warn", "wait", "state.delivery.waiting"),
    DeliveryState.SENDING: Mark("is-warn", "send", "state.delivery.sending"),
    DeliveryState.UNKNOWN: Mark("is-unknown", "unknown", "state.delivery.unknown"),
    DeliveryState.DONE: Mark("is-ok", "ok", "state.delivery.done"),
    DeliveryState.DEAD: Mark("is-bad", "bad", "state.delivery.dead"),
    DeliveryState.UNCERTAIN: Mark("is-unknown", "unknown", "state.delivery.uncertain"),
    DeliveryState.DISCARDED: Mark("", "x", "state.delivery.discarded"),
}
PAUSED = Mark("", "pause", "state.delivery.paused")

CONSENTS = {
    Decision.GIVEN: Mark("is-ok", "ok", "state.consent.given"),
    Decision.TOLD: Mark("is-ok", "note", "state.consent.told"),
    Decision.REFUSED: Mark("", "x", "state.consent.refused"),
    Decision.WITHDRAWN: Mark("is-warn", "left", "state.consent.withdrawn"),
}

ADDRESS_WELL = Mark("is-ok", "ok", "alerts.well")
ADDRESS_FAILS = Mark("is-bad", "bad", "alerts.failing")
ADDRESS_UNTRIED = Mark("is-unknown", "unknown", "alerts.untried")

LIGHTS = {
    Light.OK: Mark("is-ok", "ok", "state.light.ok"),
    Light.WARN: Mark("is-warn", "wait", "state.light.warn"),
    Light.BAD: Mark("is-bad", "bad", "state.light.bad"),
    Light.PAUSED: Mark("", "pause", "state.light.paused"),
    Light.UNKNOWN: Mark("is-unknown", "unknown", "state.light.unknown"),
}

FINDINGS = {
    FindingState.OK: Mark("is-ok", "ok", "state.finding.ok"),
    FindingState.WARN: Mark("is-warn", "alert", "state.finding.warn"),
    FindingState.FAIL: Mark("is-bad", "bad", "state.finding.fail"),
}

_SENDS = {
    AttemptOutcome.STARTED: Mark("is-unknown", "unknown", "state.attempt.started"),
    AttemptOutcome.DELIVERED: Mark("is-ok", "ok", "state.attempt.delivered"),
    AttemptOutcome.REFUSED: Mark("is-bad", "bad", "state.attempt.refused"),
    AttemptOutcome.RETRY_LATER: Mark("is-warn", "wait", "state.attempt.retry_later"),
    AttemptOutcome.UNKNOWN: Mark("is-unknown", "unknown", "state.attempt.unknown"),
    AttemptOutcome.NOT_EXECUTED: Mark("", "search", "state.attempt.not_executed"),
    AttemptOutcome.LEAD_CLOSED: Mark("", "flag", "state.attempt.lead_closed"),
}
_LOOK_UPS = {
    AttemptOutcome.DELIVERED: Mark("is-ok", "search", "state.look_up.found"),
    AttemptOutcome.NOT_EXECUTED: Mark("", "search", "state.look_up.not_found"),
}

FATES = {
    "delivered": Mark("is-ok", "ok", "state.fate.delivered"),
    "read": Mark("is-ok", "check", "state.fate.read"),
    "failed": Mark("is-bad", "bad", "state.fate.failed"),
}
"""What became of a message; that it was sent is told by the attempt already."""


def mark_of_delivery(row: DeliveryRow) -> Mark:
    """How a delivery looks; one that waits for a paused connection is on pause."""
    return PAUSED if row.connection_paused and row.state is DeliveryState.WAITING else DELIVERIES[row.state]


def mark_of_attempt(attempt: Attempt) -> Mark:
    """How an attempt looks; a look-up that found or missed has words of its own."""
    if attempt.kind is AttemptKind.LOOK_UP and attempt.outcome in _LOOK_UPS:
        return _LOOK_UPS[attempt.outcome]
    return _SENDS[attempt.outcome]


REQUESTS = {
    RequestOutcome.DONE: Mark("is-ok", "ok", "state.request.done"),
    RequestOutcome.REFUSED: Mark("is-info", "note", "state.request.refused"),
    RequestOutcome.MISTAKEN: Mark("", "x", "state.request.mistaken"),
}
"""How requests ended."""

REQUEST_STEPS = {
    RequestStep.OPENED: Mark("", "ok", "log.request.opened"),
    RequestStep.REPEATED: Mark("", "chat", "log.request.repeated"),
    RequestStep.ASSIGNED: Mark("", "user", "log.request.assigned"),
    RequestStep.EXTENDED: Mark("is-warn", "wait", "log.request.extended"),
    RequestStep.CLOSED: Mark("is-ok", "check", "log.request.closed"),
}

DELIVERY_TABS = {
    "waiting": (DeliveryState.WAITING, DeliveryState.SENDING),
    "unknown": (DeliveryState.UNKNOWN, DeliveryState.UNCERTAIN),
    "dead": (DeliveryState.DEAD,),
    "done": (DeliveryState.DONE, DeliveryState.DISCARDED),
}
"""Filter tabs of the deliveries and the states behind each; `DeliveryCounts` has a field of each name."""
