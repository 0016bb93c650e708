"""What Bitrix24's error codes mean for us, the table first.

The code decides, the HTTP status only where the code is unknown: 503, 401 and 403 stand for several different
things. Source of the rows: `_includes/system-errors.md`, `limits.md` and the method pages of the REST
documentation. No input or output here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus

from leadgate.model.outcomes import Outcome, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.wire.guard import ADDRESS_REFUSED


class Meaning(StrEnum):
    """What a failed call says about the call itself."""

    RETRY = "retry"
    """Nothing was executed."""
    REFUSED = "refused"
    """A repeat unchanged would be refused again."""
    UNKNOWN = "unknown"
    """A write may have happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table; `scope`, `after` and `needs_person` matter for RETRY only."""

    meaning: Meaning
    scope: Scope = Scope.TARGET
    after: timedelta | None = None
    needs_person: bool = False


_STOP = Rule(meaning=Meaning.RETRY, needs_person=True)  # nothing is lost: the lane waits until a person has cured it
_STOP_ITEM = Rule(meaning=Meaning.RETRY, scope=Scope.ITEM, needs_person=True)
_REFUSED = Rule(meaning=Meaning.REFUSED)
_UNKNOWN = Rule(meaning=Meaning.UNKNOWN)

RULES: dict[str, Rule] = {
    # limits
    "QUERY_LIMIT_EXCEEDED": Rule(meaning=Meaning.RETRY, after=timedelta(seconds=5)),
    "OPERATION_TIME_LIMIT": Rule(meaning=Meaning.RETRY, scope=Scope.ITEM, after=timedelta(minutes=10)),
    "OVERLOAD_LIMIT": Rule(meaning=Meaning.RETRY, after=timedelta(hours=1), needs_person=True),
    # the server failed; the write may stand
    "INTERNAL_SERVER_ERROR": _UNKNOWN,
    "ERROR_UNEXPECTED_ANSWER": _UNKNOWN,
    # who calls
    "EXPIRED_TOKEN": _STOP,
    "INVALID_TOKEN": _STOP,
    "NO_AUTH_FOUND": _STOP,
    "INVALID_CREDENTIALS": _STOP,
    "INSUFFICIENT_SCOPE": _STOP,
    "ACCESS_DENIED": _STOP,  # 403: the plan has no REST; 400 and inside a batch: a right is missing here
    "USER_ACCESS_ERROR": _STOP,
    "WRONG_AUTH_TYPE": _STOP,
    "ALLOWED_ONLY_INTRANET_USER": _STOP,
    "METHOD_CONFIRM_WAITING": _STOP,
    "METHOD_CONFIRM_DENIED": _STOP,
    "AUTHORIZATION_ERROR": _STOP,
    "APPLICATION_NOT_FOUND": _STOP,
    "ERROR_OAUTH": _STOP,
    "PAYMENT_REQUIRED": _STOP,
    "PORTAL_DELETED": _STOP,
    # we call wrongly: every item is hit alike, so none is blamed
    "ERROR_METHOD_NOT_FOUND": _STOP,
    "ERROR_BATCH_METHOD_NOT_ALLOWED": _STOP,
    "ERROR_BATCH_LENGTH_EXCEEDED": _STOP,
    "INVALID_REQUEST": _STOP,
    "ERROR_MANIFEST_IS_NOT_AVAILABLE": _STOP,
    # this item is wrong
    "ERROR_ARGUMENT": _REFUSED,
    "INVALID_ARG_VALUE": _REFUSED,
    "NOT_FOUND": _REFUSED,
    "OWNER_NOT_FOUND": _REFUSED,
    "CRM_FIELD_ERROR_VALUE_NOT_VALID": _REFUSED,
    "CRM_FIELD_ERROR_REQUIRED": _REFUSED,
    "ERROR_CORE": _REFUSED,
    "100": _REFUSED,
    "0": _REFUSED,
}

_STATUS_RULES: dict[int | None, Rule] = {
    # these speak of the caller or of the load, never of the item
    HTTPStatus.UNAUTHORIZED: _STOP,
    HTTPStatus.PAYMENT_REQUIRED: _STOP,
    HTTPStatus.FORBIDDEN: _STOP,
    HTTPStatus.TOO_MANY_REQUESTS: Rule(meaning=Meaning.RETRY, after=timedelta(minutes=1)),
}

REVOKED_CODES = frozenset(
    {
        "bitrix24.NO_AUTH_FOUND",
        "bitrix24.INVALID_CREDENTIALS",
        "bitrix24.INVALID_TOKEN",
        "bitrix24.EXPIRED_TOKEN",
        "bitrix24.AUTHORIZATION_ERROR",
        "bitrix24.APPLICATION_NOT_FOUND",
        "bitrix24.ERROR_OAUTH",
    },
)
"""Codes after which only a new webhook (or a new consent) helps."""

GONE_CODES = frozenset({"bitrix24.NOT_FOUND", "bitrix24.OWNER_NOT_FOUND"})
"""A write to a lead that was deleted between our look and our write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A call that did not succeed, in our words.

    Attributes:
        code: stable, `bitrix24.` and the portal's code or a word of ours.
        detail: the portal's own words without personal data and secrets.
        status: HTTP status, or None when there was no answer or inside a batch.
    """

    meaning: Meaning
    code: str
    scope: Scope = Scope.TARGET
    after: timedelta | None = None
    needs_person: bool = False
    detail: str = ""
    status: int | None = None

    def outcome(self, *, wrote: bool) -> Outcome:
        """The outcome of a command whose call failed so.

        A read without a clear answer may be repeated; a read that is refused is our fault or a missing right,
        never the command's.
        """
        if wrote and self.meaning is Meaning.REFUSED:
            return Refused(self.code, self.detail)
        if wrote and self.meaning is Meaning.UNKNOWN:
            return OutcomeUnknown(self.code)
        return self._later(self.scope)

    def not_tried(self) -> RetryLater:
        """The outcome of a command that was not sent because the portal failed so a moment before."""
        return self._later(Scope.TARGET)

    def _later(self, scope: Scope) -> RetryLater:
        needs_person = self.needs_person or self.meaning is Meaning.REFUSED
        return RetryLater(self.code, scope, self.after, needs_person, self.detail)

    def of_target(self) -> Failure:
        """The same failure, blamed on the portal as a whole."""
        return replace(self, scope=Scope.TARGET)


def not_sent(code: str, *, needs_person: bool = False) -> Failure:
    """Nothing left the house."""
    return Failure(meaning=Meaning.RETRY, code=f"bitrix24.{code}", needs_person=needs_person)


def address_refused() -> Failure:
    """Nothing left the house: the guard does not let us call this address."""
    return Failure(meaning=Meaning.RETRY, code=ADDRESS_REFUSED, needs_person=True)


def unclear(code: str, *, status: int | None = None) -> Failure:
    """Sent, but the answer is missing or unreadable."""
    return Failure(meaning=Meaning.UNKNOWN, code=f"bitrix24.{code}", status=status)


def classify(*, error: object, description: object, status: int | None) -> Failure:
    """Map an error envelope to a failure.

    Args:
        error: value of `error`, also a number or empty (old CRM methods).
        status: HTTP status, or None for a command inside a batch.
    """
    word = _code_word(error, description)
    rule = _rule(word, status, str(description or ""))
    return Failure(
        meaning=rule.meaning,
        code=f"bitrix24.{word or (f'http_{status}' if status else 'empty')}",
        scope=rule.scope,
        after=rule.after,
        needs_person=rule.needs_person,
        detail=clean_detail(str(description or "")),
        status=status,
    )


_CODE_SHAPE = re.compile(r"[A-Z0-9_]{1,60}")


def _code_word(error: object, description: object) -> str:
    """The code in upper case, "" when there is none; some methods put a sentence where the code belongs."""
    text = "" if error is None else str(error).strip().upper()
    told = f"{text} {description or ''}".upper()
    if text not in RULES and "ACCESS DENIED" in told:
        return "ACCESS_DENIED"
    return text if _CODE_SHAPE.fullmatch(text) else ""


def _rule(word: str, status: int | None, description: str) -> Rule:
    if word == "ACCESS_DENIED" and status != HTTPStatus.FORBIDDEN and "commercial" not in description.lower():
        return _STOP_ITEM
    return RULES.get(word) or _rule_of_status(status)


def _rule_of_status(status: int | None) -> Rule:
    """An unknown code: 4xx is for good, everything else unclear; inside a batch there is no status."""
    if status in _STATUS_RULES:
        return _STATUS_RULES[status]
    is_refusal = status is None or HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return _REFUSED if is_refusal else _UNKNOWN


_PERSONAL = re.compile(
    r"""https?://\S+ | \S+@\S+ | "[^"]*" | «[^»]*» | '[^']*' | \[[^\]]*\] | \+?\d[\d\s()-]{4,}\d""",
    re.VERBOSE,
)


def clean_detail(text: str) -> str:
    """The portal's words without quoted values, addresses and numbers, at most 200 characters."""
    return _PERSONAL.sub("…", " ".join(text.split()))[:200]
