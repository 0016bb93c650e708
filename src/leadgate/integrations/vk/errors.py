"""From VK's numbers of errors to our outcomes. The status of HTTP is 200 even for errors, so the body decides."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx

from leadgate.intake.untrusted import text_at
from leadgate.integrations.vk.wire import error_number
from leadgate.model.outcomes import OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.wire.client import Answered, Call

Failure = Refused | RetryLater | OutcomeUnknown

_UNREACHABLE = {
    18: "vk.user_gone",  # deleted or banned by VK
    37: "vk.user_gone",
    3610: "vk.user_gone",
    900: "vk.blacklisted",  # the community itself put the person on its black list
    901: "vk.not_allowed",  # the person has not allowed messages, or forbade them
    902: "vk.privacy",
    917: "vk.chat_closed",
    936: "vk.contact_unknown",
    945: "vk.chat_closed",
    950: "vk.window_closed",  # the time for an answer is over
}
"""Nothing can be said in this dialogue until the person writes again."""

_REFUSED = {
    3: "vk.bad_request",
    8: "vk.bad_request",
    23: "vk.bad_request",
    100: "vk.bad_request",
    113: "vk.user_unknown",
    911: "vk.keyboard_refused",
    912: "vk.bot_features_off",  # the switch in the community's settings; see `send.py`
    914: "vk.text_too_long",
}

_NEEDS_PERSON = {
    5: "vk.token_refused",
    27: "vk.token_refused",
    28: "vk.token_refused",
    1117: "vk.token_refused",
    7: "vk.right_missing",
    15: "vk.right_missing",
    20: "vk.right_missing",
    42: "vk.right_missing",  # the key is bound to another address of a server
    203: "vk.right_missing",
    14: "vk.captcha",
    17: "vk.captcha",
    3300: "vk.captcha",
}
"""Nothing is wrong with the message, and time alone cures nothing."""

_LATER = {
    1: RetryLater("vk.server_error", Scope.ITEM),
    6: RetryLater("vk.too_many_requests", Scope.TARGET, after=timedelta(seconds=1)),
    9: RetryLater("vk.flood_control", Scope.ITEM, after=timedelta(minutes=1)),
    10: RetryLater("vk.server_error", Scope.ITEM),
    29: RetryLater("vk.limit_reached", Scope.TARGET, after=timedelta(minutes=1)),
    36: RetryLater("vk.server_error", Scope.ITEM),
    43: RetryLater("vk.server_error", Scope.ITEM),
}
"""May be sent again, also where VK may have carried it out after all: `random_id` drops the second one."""

_NOT_PLAIN = re.compile(r"[^A-Za-z ,.:_'()-]+")
_DETAIL_LIMIT = 200


def to_failure(answer: Call) -> Failure:
    """What a call that failed means for the delivery; a number that we do not know is a refusal."""
    if not isinstance(answer, Answered):
        return answer
    number = error_number(answer)
    return _of_status(answer) if number is None else _of_number(answer, number)


def plain_detail(message: str) -> str:
    """VK's own words without digits and foreign letters, so that no id, name or phone is in them."""
    return _NOT_PLAIN.sub("*", message)[:_DETAIL_LIMIT]


def _of_number(answer: Answered, number: int) -> Failure:
    detail = plain_detail(text_at(answer.body, "error", "error_msg") or "")
    if number in _LATER:
        return _LATER[number]
    if number in _NEEDS_PERSON:
        return RetryLater(_NEEDS_PERSON[number], Scope.TARGET, needs_person=True, detail=detail)
    if number in _UNREACHABLE:
        return Refused(_UNREACHABLE[number], detail, unreachable=True)
    return Refused(_REFUSED.get(number, "vk.refused"), detail)


def _of_status(answer: Answered) -> Failure:
    """An answer without an error of VK's is not from its methods: something stands in between, or it is ill."""
    if answer.status == httpx.codes.TOO_MANY_REQUESTS:
        return RetryLater("vk.too_many_requests", Scope.TARGET, after=answer.retry_after)
    if httpx.codes.is_redirect(answer.status):
        return RetryLater("vk.unexpected_redirect", Scope.TARGET, needs_person=True)
    if httpx.codes.is_client_error(answer.status):
        return RetryLater("vk.not_the_api", Scope.TARGET, needs_person=True)
    if answer.is_success:
        return OutcomeUnknown("vk.answer_unreadable")
    return OutcomeUnknown("vk.server_error")
