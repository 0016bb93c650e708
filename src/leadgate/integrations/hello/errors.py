"""The vendor's refusals and our outcomes, side by side."""

from __future__ import annotations

import httpx

from leadgate.model.outcomes import OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.wire.client import Answered, Call

Failure = Refused | RetryLater | OutcomeUnknown

_FAILURES: dict[int, Failure] = {
    401: RetryLater("hello.token_revoked", Scope.TARGET, needs_person=True),  # the message is good and waits
    403: Refused("hello.blocked", unreachable=True),  # the client blocked us: nothing more until they write
}


def to_failure(answer: Call) -> Failure:
    """What a call that failed means for the delivery. A 5xx may have been carried out."""
    if not isinstance(answer, Answered):
        return answer
    if answer.status in _FAILURES:
        return _FAILURES[answer.status]
    if answer.status == httpx.codes.TOO_MANY_REQUESTS:
        return RetryLater("hello.too_many_requests", Scope.TARGET, after=answer.retry_after)
    if httpx.codes.is_client_error(answer.status):
        return Refused("hello.refused")
    if httpx.codes.is_redirect(answer.status):
        return RetryLater("hello.unexpected_redirect", Scope.TARGET, needs_person=True)
    return OutcomeUnknown("hello.server_error")
