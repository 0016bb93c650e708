"""From the refusals of MAX to our outcomes, decided by status, `code` and fixed words of `message`."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx

from leadgate.intake.untrusted import text_at
from leadgate.model.outcomes import OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.wire.client import Answered, Call

Failure = Refused | RetryLater | OutcomeUnknown

_SUSPENDED = "dialog.suspended"
"""In the message of a refusal when the client has stopped the bot or removed the dialogue."""

_FIRST_WAIT = timedelta(seconds=2)
"""Where MAX names no time: at two messages a second into a dialogue the next second is another one."""

_NOT_PLAIN = re.compile(r"[^A-Za-z ,.:_'()-]+")
_DETAIL_LIMIT = 200


def to_failure(answer: Call) -> Failure:
    """What a call that failed means for the delivery.

    MAX has no idempotency key, so a 5xx but 503 may have been carried out.
    """
    if not isinstance(answer, Answered):
        return answer
    code, message = text_at(answer.body, "code") or "", text_at(answer.body, "message", limit=_DETAIL_LIMIT) or ""
    if answer.status == httpx.codes.TOO_MANY_REQUESTS or code == "too.many.requests":
        return RetryLater("max.too_many_requests", Scope.TARGET, after=answer.retry_after or _FIRST_WAIT)
    if answer.status == httpx.codes.SERVICE_UNAVAILABLE:
        return RetryLater("max.unavailable", Scope.TARGET, after=answer.retry_after)
    if httpx.codes.is_redirect(answer.status):
        # The Bot API never redirects: a wrong api_base, or a network that answers in its place.
        return RetryLater("max.unexpected_redirect", Scope.TARGET, needs_person=True)
    if httpx.codes.is_client_error(answer.status):
        return _refusal(answer.status, code, message)
    return OutcomeUnknown("max.server_error")


def plain_detail(message: str) -> str:
    """MAX's own words without digits and foreign letters, so that no id, name or phone is in them."""
    return _NOT_PLAIN.sub("*", message)[:_DETAIL_LIMIT]


def _refusal(status: int, code: str, message: str) -> Failure:
    detail = plain_detail(message)
    if _SUSPENDED in message or code == "chat.denied":
        return Refused("max.dialog_suspended", detail, unreachable=True)
    needs_person = _needs_person(status, code)
    if needs_person is not None:
        return RetryLater(needs_person, Scope.TARGET, needs_person=True, detail=detail)
    if code == "attachment.not.ready":
        return RetryLater("max.attachment_not_ready", Scope.ITEM, after=_FIRST_WAIT)
    if status == httpx.codes.NOT_FOUND:
        return Refused("max.chat_not_found", detail, unreachable=True)
    return Refused("max.bad_request" if status == httpx.codes.BAD_REQUEST else "max.refused", detail)


def _needs_person(status: int, code: str) -> str | None:
    """What time alone does not cure, although nothing is wrong with the message."""
    if code == "verify.token" or status == httpx.codes.UNAUTHORIZED:
        return "max.token_refused"
    if status == httpx.codes.FORBIDDEN:
        return "max.forbidden"
    # Every refusal of the Bot API has a code: without one somebody else answers at this address.
    return None if code else "max.not_the_api"
