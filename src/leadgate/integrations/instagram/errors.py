"""From Instagram's errors to our outcomes, decided by code and subcode and never by titles."""

from __future__ import annotations

from leadgate.model.outcomes import Refused, RetryLater, Scope
from leadgate.wire import graph
from leadgate.wire.client import Call, WireCodes
from leadgate.wire.graph import ErrorTable, Failure, GraphCodes

WIRE = WireCodes(
    unreachable="instagram.unreachable",
    answer_lost="instagram.answer_lost",
    answer_unreadable="instagram.answer_unreadable",
)
_CODES = GraphCodes(
    too_many_requests="instagram.too_many_requests",
    unexpected_answer="instagram.unexpected_answer",
    refused="instagram.refused",
    server_error="instagram.server_error",
)

_BUSY = RetryLater("instagram.too_many_requests", Scope.TARGET)
_AWAY = RetryLater("instagram.unavailable", Scope.TARGET)  # Meta says that it did not send
_TOKEN = RetryLater("instagram.token_dead", Scope.TARGET, needs_person=True)
_RIGHTS = RetryLater("instagram.permission_missing", Scope.TARGET, needs_person=True)
_WINDOW = Refused("instagram.window_closed")
_GONE = Refused("instagram.person_unavailable", unreachable=True)  # blocked the salon, left, or takes no messages

TABLE: ErrorTable = {
    # for a while
    1: _AWAY,
    2: _AWAY,
    4: _BUSY,
    17: _BUSY,
    32: _BUSY,
    613: _BUSY,
    80006: _BUSY,
    # stop the channel: nothing is wrong with the message
    0: _TOKEN,
    190: _TOKEN,
    3: _RIGHTS,
    10: _RIGHTS,
    **dict.fromkeys(range(201, 300), _RIGHTS),
    368: RetryLater("instagram.account_locked", Scope.TARGET, needs_person=True),
    # for good
    (10, 2534022): _WINDOW,
    (10, 2018278): _WINDOW,  # as Messenger writes it
    (10, 2018300): Refused("instagram.thread_elsewhere"),  # another app leads the thread; unconfirmed for Instagram
    100: Refused("instagram.bad_request"),
    200: Refused("instagram.not_permitted"),  # mostly a person without a role, while the app is not published
    (200, 1545041): _GONE,
    551: _GONE,
}
"""Outcomes by the code of the error object; 5xx without a known code may have been carried out."""


def to_failure(answer: Call) -> Failure:
    """What a call that failed means for the delivery; see `graph.to_failure`."""
    return graph.to_failure(answer, TABLE, _CODES)
