"""The data map as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadgate.model.recipients import DataKind, DataMap, Place, Recipient, Role, Standing
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionDocument:
    """What the owner decided; `rkn_notice` is the reference of the notice of cross-border transfer, or null."""

    allowed: bool
    country: str | None
    reason: str
    rkn_notice: str | None
    by: str
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientDocument:
    """Who receives personal data.

    Attributes:
        connection: id of its connection; null for what is no connection.
        country: ISO 3166 code; null when it is abroad in an unnamed country, at home in the house, or not known.
        goes: kinds of data that go there; `comes` those that come from there.
        free_text: labels of personal data that pass the filter in free text.
        source: where the place is known from; null when the product does not know the host.
    """

    role: Role
    kind: str
    name: str | None
    connection: str | None
    host: str | None
    place: Place
    country: str | None
    standing: Standing
    goes: Sequence[DataKind]
    comes: Sequence[DataKind]
    free_text: Sequence[str]
    since: Moment | None
    paused: bool
    source: str | None
    decision: DecisionDocument | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataMapDocument:
    """Every recipient as the configuration stands; those that want a decision first."""

    made_at: Moment
    undecided: int
    recipients: Sequence[RecipientDocument]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedDocument:
    """The recipients of a host after a decision about it."""

    host: str
    recipients: Sequence[RecipientDocument]


def data_map_document(drawn: DataMap) -> DataMapDocument:
    """The whole map."""
    return DataMapDocument(
        made_at=drawn.made_at,
        undecided=len(drawn.undecided),
        recipients=[recipient_document(row) for row in drawn.recipients],
    )


def recipient_document(row: Recipient) -> RecipientDocument:
    """One row."""
    decision = row.decision
    return RecipientDocument(
        role=row.role,
        kind=row.kind,
        name=row.title or None,
        connection=row.key if row.key.startswith("conn_") else None,
        host=row.host or None,
        place=row.place,
        country=row.country or None,
        standing=row.standing,
        goes=list(row.goes),
        comes=list(row.comes),
        free_text=list(row.labels),
        since=row.since,
        paused=row.is_paused,
        source=row.facts.source or None,
        decision=None
        if decision is None
        else DecisionDocument(
            allowed=decision.is_allowed,
            country=decision.country or None,
            reason=decision.reason,
            rkn_notice=decision.rkn_notice or None,
            by=decision.decided_by,
            at=decision.decided_at,
        ),
    )
