"""From Avito's refusals to our outcomes, decided by the status: its words are documented nowhere."""

from __future__ import annotations

import httpx

from leadgate.model.outcomes import OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.wire.client import Answered, Call

Failure = Refused | RetryLater | OutcomeUnknown

_BY_STATUS: dict[int, Failure] = {
    400: Refused("avito.bad_request"),
    # Nothing is wrong with the message, and time alone cures nothing.
    401: RetryLater("avito.token_refused", Scope.TARGET, needs_person=True),
    402: RetryLater("avito.plan", Scope.TARGET, needs_person=True),
    403: Refused(
        "avito.chat_forbidden", unreachable=True
    ),  # rights of the keys show before: `api.account_id` needs them
    404: Refused("avito.chat_not_found", unreachable=True),
}
"""Avito's statuses and our outcomes."""

_CLIENT_REFUSED = (400, 401, 403)
"""How the token's address says that it does not know the client (OAuth 2.0 says 400 or 401)."""


def to_failure(answer: Call) -> Failure:
    """What a call that failed means for the delivery. A 5xx may have been carried out."""
    if not isinstance(answer, Answered):
        return answer
    status = answer.status
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return RetryLater("avito.too_many_requests", Scope.TARGET, after=answer.retry_after)
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if httpx.codes.is_client_error(status):
        return Refused("avito.refused")
    if httpx.codes.is_redirect(status):
        # The API never redirects: a wrong api_base, or a network that answers in its place.
        return RetryLater("avito.unexpected_redirect", Scope.TARGET, needs_person=True)
    return OutcomeUnknown("avito.server_error")


def to_delay(answer: Call) -> RetryLater:
    """What it means that something could not be asked that a message needs first: nothing was sent, so it waits."""
    failure = to_failure(answer)
    if isinstance(failure, RetryLater):
        return failure
    if isinstance(failure, OutcomeUnknown):
        return RetryLater(failure.code, Scope.TARGET)
    is_forbidden = isinstance(answer, Answered) and answer.status == httpx.codes.FORBIDDEN
    return RetryLater("avito.no_access" if is_forbidden else "avito.refused", Scope.TARGET, needs_person=True)


def to_token_delay(answer: Call) -> RetryLater:
    """What it means that there is no token."""
    if isinstance(answer, Answered) and (answer.is_success or answer.status in _CLIENT_REFUSED):
        return RetryLater("avito.client_refused", Scope.TARGET, needs_person=True)
    return to_delay(answer)
