"""From the Cloud API's errors to our outcomes, decided by code and never by titles, as Meta's page of error codes asks for."""

from __future__ import annotations

from leadgate.model.outcomes import Refused, RetryLater, Scope
from leadgate.wire import graph
from leadgate.wire.client import Call, WireCodes
from leadgate.wire.graph import ErrorTable, Failure, GraphCodes

WIRE = WireCodes(
    unreachable="whatsapp.unreachable",
    answer_lost="whatsapp.answer_lost",
    answer_unreadable="whatsapp.answer_unreadable",
)
_CODES = GraphCodes(
    too_many_requests="whatsapp.too_many_requests",
    unexpected_answer="whatsapp.unexpected_answer",
    refused="whatsapp.refused",
    server_error="whatsapp.server_error",
)

_BUSY = RetryLater("whatsapp.too_many_requests", Scope.TARGET)
_AWAY = RetryLater("whatsapp.unavailable", Scope.TARGET)  # Meta says that it did not send
_TOKEN = RetryLater("whatsapp.token_dead", Scope.TARGET, needs_person=True)
_RIGHTS = RetryLater("whatsapp.permission_missing", Scope.TARGET, needs_person=True)
_LOCKED = RetryLater("whatsapp.account_locked", Scope.TARGET, needs_person=True)
_BAD = Refused("whatsapp.bad_request")
_TEMPLATE = Refused("whatsapp.template_refused")
_NOT_REACHED = Refused("whatsapp.undeliverable", unreachable=True)

TABLE: ErrorTable = {
    # for a while
    4: _BUSY,
    80007: _BUSY,
    130429: _BUSY,  # throughput of the number
    131056: RetryLater("whatsapp.pair_limit", Scope.ITEM),  # too many to this one person; others go on
    133016: _BUSY,
    131000: _AWAY,
    131016: _AWAY,
    131057: _AWAY,  # maintenance
    # stop the channel: nothing is wrong with the message
    0: _TOKEN,
    190: _TOKEN,
    3: _RIGHTS,
    10: _RIGHTS,
    131005: _RIGHTS,
    **dict.fromkeys(range(200, 300), _RIGHTS),
    368: _LOCKED,  # blocked for breaking the rules
    131031: _LOCKED,
    131042: RetryLater("whatsapp.payment", Scope.TARGET, needs_person=True),
    130497: RetryLater("whatsapp.country_restricted", Scope.TARGET, needs_person=True),
    131045: RetryLater("whatsapp.number_not_registered", Scope.TARGET, needs_person=True),
    # for good
    131047: Refused("whatsapp.window_closed"),
    131026: _NOT_REACHED,  # also what a client who blocked the salon looks like: Meta does not tell
    131050: Refused("whatsapp.opted_out"),
    131049: Refused("whatsapp.ecosystem_limit"),  # at best another day
    131048: Refused("whatsapp.spam_limit"),
    131064: Refused("whatsapp.spam_limit"),
    130472: Refused("whatsapp.experiment"),  # Meta does not show marketing to this person
    131021: Refused("whatsapp.to_ourselves"),
    131030: Refused("whatsapp.not_on_test_list"),
    131062: Refused("whatsapp.phone_needed"),
    100: _BAD,
    131008: _BAD,
    131009: _BAD,
    131051: _BAD,
    135000: _BAD,
    **dict.fromkeys(range(132000, 133000), _TEMPLATE),
}
"""Outcomes by the code of the error object; 5xx without a known code may have been carried out."""


def is_unreachable(code: str) -> bool:
    """The code of a failed status says that nothing reaches this person; mostly Meta tells it so, after it took the message."""
    found = TABLE.get(int(code)) if code.isascii() and code.isdecimal() else None
    return isinstance(found, Refused) and found.unreachable


def to_failure(answer: Call) -> Failure:
    """What a call that failed means for the delivery; see `graph.to_failure`."""
    return graph.to_failure(answer, TABLE, _CODES)
