"""Erasing a person: what was destroyed, why and by whom, and what became of the order to the CRM. Identifiers, codes and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from leadgate.model.leads import LeadRef


class ErasureReason(StrEnum):
    """Why a person is erased; a closed set, because no text that somebody wrote may stay."""

    REQUEST = "request"
    """The person asked for it."""
    CONSENT_WITHDRAWN = "consent_withdrawn"
    PURPOSE_REACHED = "purpose_reached"
    UNLAWFUL = "unlawful"
    """The data should not have been kept."""


class OrderState(StrEnum):
    """What became of the order to the CRM."""

    NONE = "none"
    """Nothing of the person was brought to a CRM."""
    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"
    """The CRM says no, or nobody can ask it any more: a person has to see to it there."""
    GIVEN_UP = "given_up"
    """A person gave the order up, with a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyedKey:
    """A data key that is no more; `fingerprint` of its wrapped form tells which it was, and nothing of it."""

    scope: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadToErase:
    """A lead of an erased person, as the order to the CRM needs it.

    Attributes:
        event_ids: what its entries and its contact are found by.
        was_tried: something of it was sent, so it may stand in the CRM though nobody knows where.
    """

    lead_id: str
    origin_id: str
    ref: LeadRef | None
    crm_connection_id: str | None
    event_ids: tuple[str, ...]
    was_tried: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedRows:
    """What `rights.erasure.erase_rows` did.

    Attributes:
        subject_ids: everybody who is this person, the one that stood for them first; nobody when none is known.
        keys: destroyed now; none when it was done before.
        counts: rows by what they were: see `ports.stores.ErasureStore.wipe`.
        leads: where something of the person may stand in a CRM.
    """

    subject_ids: Sequence[str]
    keys: Sequence[DestroyedKey]
    counts: Mapping[str, int]
    leads: Sequence[LeadToErase]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One erasure.

    Attributes:
        number: of the act, from 1 without a gap.
        subject_ids: as in `ErasedRows`.
        by: staff id, token id, `command` or `system`.
        delivery_ids: the orders to the CRM, one for each lead.
        order: the state of all of them together; `answer` what the CRM said was done, by its own ids, `error_code` why it refused.
        answered_at: when the last order came to its end; None while one is open, or when there was none.
    """

    erasure_id: str
    number: int
    subject_ids: Sequence[str]
    reason: ErasureReason
    by: str
    at: datetime
    keys: Sequence[DestroyedKey]
    rows: Mapping[str, int]
    delivery_ids: Sequence[str] = field(default_factory=tuple)
    order: OrderState = OrderState.NONE
    answer: str | None = None
    error_code: str | None = None
    answered_at: datetime | None = None

    @property
    def subject_id(self) -> str:
        """The subject that stood for the person."""
        return self.subject_ids[0]
