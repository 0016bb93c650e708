"""Secrets without their values, and what came of replacing one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadgate.catalogue.renewals import steps_of
from leadgate.model.renewals import Renewal, Renewed, SecretLight, SecretView
from leadgate.web.api.documents.connections import FindingDocument
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretDocument:
    """One token or webhook secret; its value is never shown.

    Attributes:
        name: id of the connection, a dot, the key.
        owner: who set or made it: a staff id, `command`, `token:tok_…` or `system`; null when nobody noted it.
        scopes: what the token needs, in the vendor's own words.
        renewal: how it is replaced: by itself (`ours`, `registered`), handed over by a person (`handed`), issued by the vendor
            (`by_hand`), never (`stays`).
        next_due: null for what is never due.
        overlap_until: until when the version before is good as well, and can be put back.
        unfinished: a rotation was begun and goes on by itself.
    """

    name: str
    connection: str
    key: str
    kind: str
    renewal: Renewal
    state: SecretLight
    owner: str | None
    scopes: Sequence[str]
    created_at: Moment
    age_days: int
    next_due: Moment | None
    overlap_until: Moment | None
    unfinished: bool
    last_used_at: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewedDocument:
    """What came of replacing a secret.

    Attributes:
        done: false when a person must act first, by the steps.
        secret: the new value when we made it; shown this once.
        steps: what a person has to do, in the salon's language.
    """

    name: str
    done: bool
    secret: str | None
    overlap_until: Moment | None
    steps: Sequence[str]
    findings: Sequence[FindingDocument]


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDocument:
    """After how many days secrets are due."""

    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedDocument:
    """How many versions before were destroyed."""

    name: str
    destroyed: int


def secret_document(view: SecretView) -> SecretDocument:
    """One secret of the list."""
    return SecretDocument(
        name=str(view.name),
        connection=view.name.connection_id,
        key=view.name.key,
        kind=view.kind,
        renewal=view.renewal,
        state=view.light,
        owner=view.owner,
        scopes=list(view.scopes),
        created_at=view.created_at,
        age_days=view.age.days,
        next_due=view.next_due,
        overlap_until=view.overlap_until,
        unfinished=view.is_unfinished,
        last_used_at=view.last_used_at,
    )


def renewed_document(renewed: Renewed, *, locale: str) -> RenewedDocument:
    """What came of it, with the steps in this language."""
    return RenewedDocument(
        name=str(renewed.name),
        done=renewed.is_done,
        secret=None if renewed.made is None else renewed.made.reveal(),
        overlap_until=renewed.overlap_until,
        steps=steps_of(renewed.kind, renewed.name.key, locale) if renewed.needs_steps else [],
        findings=[FindingDocument(code=f.code, state=f.state, text=f.text, cure=f.cure) for f in renewed.findings],
    )
