"""How a target answered an attempt. A closed set: every answer of every vendor is mapped to one of these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Scope(StrEnum):
    """Whose fault a passing failure is."""

    ITEM = "item"
    """This delivery alone; others of the lane go on."""
    TARGET = "target"
    """The target as a whole (down, over its limit, token dead); the lane pauses and no delivery is blamed."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """Done. `external_id` is the target's id of the result (for a lead `lead:48211`), if it gives one."""

    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The target said no to this delivery for good; a repeat unchanged would be refused again.

    Attributes:
        code: stable, for instance `bitrix24.CRM_FIELD_ERROR_REQUIRED`.
        detail: the target's own words, cleaned of personal data and secrets; may be empty.
        unreachable: the client cannot be written to in this chat until they write again (blocked us, left, forbade it).
    """

    code: str
    detail: str = ""
    unreachable: bool = False


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Nothing was executed; may be sent again.

    Attributes:
        after: wait at least this long, or None for our own schedule.
        needs_person: True when time alone will not cure it (token revoked, plan expired).
    """

    code: str
    scope: Scope
    after: timedelta | None = None
    needs_person: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """Sent, but no clear answer: it may or may not have been executed. Never repeated before a look-up."""

    code: str


@dataclass(frozen=True, slots=True)
class NotExecuted:
    """Answer of a look-up: it is not there, so it may be sent again."""


@dataclass(frozen=True, slots=True)
class LeadClosed:
    """The lead of this command was closed, converted or deleted in the CRM; nothing was written."""

    code: str = "crm.lead_closed"


Outcome = Delivered | Refused | RetryLater | OutcomeUnknown | NotExecuted | LeadClosed
