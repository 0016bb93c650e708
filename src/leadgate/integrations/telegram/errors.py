"""From the Bot API's refusals to our outcomes, decided by status and fixed words of the description."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx

from leadgate.intake.untrusted import integer_at, object_at, text_at
from leadgate.model.outcomes import OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.wire.client import Answered, Call

Failure = Refused | RetryLater | OutcomeUnknown

_REFUSALS: dict[int, tuple[str, tuple[tuple[str, str], ...]]] = {
    400: (
        "telegram.bad_request",
        (
            ("chat not found", "telegram.chat_not_found"),
            ("message text is empty", "telegram.text_empty"),
            ("message is too long", "telegram.text_too_long"),
            ("group chat was upgraded", "telegram.chat_migrated"),
        ),
    ),
    403: (
        "telegram.forbidden",
        (
            ("bot was blocked by the user", "telegram.blocked_by_user"),
            ("user is deactivated", "telegram.user_deactivated"),
            ("can't initiate conversation", "telegram.not_started"),
            ("bot was kicked", "telegram.kicked"),
        ),
    ),
}
"""Statuses that are for good: the code when the words are new to us, and the codes of the words we know."""

_UNREACHABLE = frozenset(
    {
        "telegram.blocked_by_user",
        "telegram.user_deactivated",
        "telegram.not_started",
        "telegram.kicked",
        "telegram.chat_not_found",
    }
)
"""Nothing can be said in this chat until the client writes again. A 403 in words that we do not know is not among them."""

_NEEDS_PERSON = {401: "telegram.token_revoked", 404: "telegram.token_unknown"}
"""The token is dead: nothing is wrong with the message, and time alone cures nothing."""

_LONGEST_WAIT_S = 3600
_NOT_PLAIN = re.compile(r"[^A-Za-z ,.:_'()-]+")
_DETAIL_LIMIT = 200


def to_failure(answer: Call) -> Failure:
    """What a call that failed means for the delivery.

    429 stops the lane: the limit is the bot's or the chat's. A 5xx may have been carried out.
    """
    if not isinstance(answer, Answered):
        return answer
    detail = plain_detail(text_at(answer.body, "description") or "")
    status = answer.status
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return RetryLater("telegram.too_many_requests", Scope.TARGET, after=_retry_after(answer))
    if status in _NEEDS_PERSON:
        return RetryLater(_NEEDS_PERSON[status], Scope.TARGET, needs_person=True, detail=detail)
    if httpx.codes.is_client_error(status):
        code = _refusal_code(status, detail)
        return Refused(code, detail, unreachable=code in _UNREACHABLE)
    if httpx.codes.is_redirect(status):
        # The Bot API never redirects: a wrong api_base, or a network that answers in its place.
        return RetryLater("telegram.unexpected_redirect", Scope.TARGET, needs_person=True)
    return OutcomeUnknown("telegram.server_error")


def plain_detail(description: str) -> str:
    """Telegram's own words without digits and foreign letters, so that no id, name or phone is in them."""
    return _NOT_PLAIN.sub("*", description)[:_DETAIL_LIMIT]


def _refusal_code(status: int, detail: str) -> str:
    default, table = _REFUSALS.get(status, ("telegram.refused", ()))
    return next((code for words, code in table if words in detail), default)


def _retry_after(answer: Answered) -> timedelta | None:
    wait_s = integer_at(object_at(answer.body, "parameters"), "retry_after")
    return None if wait_s is None else timedelta(seconds=min(max(wait_s, 1), _LONGEST_WAIT_S))
