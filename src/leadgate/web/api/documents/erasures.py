"""Erasures: what was destroyed, and what became of the order to the CRM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadgate.model.erasures import Erasure, ErasureReason, OrderState
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyedKeyDocument:
    """A data key that is no more; the fingerprint is of its wrapped form and tells nothing of it."""

    scope: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDocument:
    """The order to the CRM.

    Attributes:
        state: `none` when nothing was brought there; `refused` needs a person.
        delivery: the first order; null when there was none. `deliveries` are all of them, one for each lead.
        answer: what the CRM did, by its own ids, for instance `lead:101=blank contact:30001=kept`.
        error_code: why it does not go on by itself.
    """

    state: OrderState
    delivery: str | None
    deliveries: Sequence[str]
    answer: str | None
    error_code: str | None
    answered_at: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureDocument:
    """One erasure.

    Attributes:
        number: of the act.
        subjects: everybody who was this person; `subject` stood for them.
        destroyed_key: the key of `subject`; `destroyed_keys` are all of them.
        rows: how many of what.
    """

    erasure: str
    number: int
    subject: str
    subjects: Sequence[str]
    reason: ErasureReason
    by: str
    at: Moment
    destroyed_key: str | None
    destroyed_keys: Sequence[DestroyedKeyDocument]
    rows: Mapping[str, int]
    crm: OrderDocument


def erasure_document(erasure: Erasure) -> ErasureDocument:
    """One erasure for programs."""
    return ErasureDocument(
        erasure=erasure.erasure_id,
        number=erasure.number,
        subject=erasure.subject_id,
        subjects=list(erasure.subject_ids),
        reason=erasure.reason,
        by=erasure.by,
        at=erasure.at,
        destroyed_key=erasure.keys[0].scope if erasure.keys else None,
        destroyed_keys=[DestroyedKeyDocument(scope=key.scope, fingerprint=key.fingerprint) for key in erasure.keys],
        rows=dict(erasure.rows),
        crm=OrderDocument(
            state=erasure.order,
            delivery=erasure.delivery_ids[0] if erasure.delivery_ids else None,
            deliveries=list(erasure.delivery_ids),
            answer=erasure.answer,
            error_code=erasure.error_code,
            answered_at=erasure.answered_at,
        ),
    )
