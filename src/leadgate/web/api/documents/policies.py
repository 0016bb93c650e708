"""What goes to whom, and how the house treats health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from leadgate.model.views import HeldBack
from leadgate.privacy.allow_list import FIXED, POSSIBLE, CrmField, CrmObject
from leadgate.privacy.decisions import Cell, Slot
from leadgate.privacy.detect.spans import Label
from leadgate.privacy.held_back import by_day
from leadgate.privacy.policies import Lock, Purpose, lock_of
from leadgate.privacy.rules import Change, HealthMode, PrivacyRules, Standing
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDocument:
    """May this kind of data be read there in free text?

    Attributes:
        place: what `open` and `close` take.
        lock: why it cannot be opened: nobody may (`never`, `nobody`), or a clinic needs written consents first (`paper`).
    """

    place: str
    purpose: Purpose
    label: Label
    passes: bool
    lock: Lock | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotDocument:
    """May this field stand in this object of a CRM? A `needed` one cannot be taken out."""

    place: str
    object: CrmObject
    field: CrmField
    passes: bool
    needed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDocument:
    """One decision, the newest of which holds."""

    version: int
    at: Moment
    by: str
    reason: str
    opened: Sequence[str]
    closed: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBackDocument:
    """How much was masked on one day of the salon's; a number without a word of content."""

    day: str
    place: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliciesDocument:
    """Who may read what.

    Attributes:
        version: 0 while the product's default holds.
        refused: what is stored cannot be obeyed, so the default holds.
        changes: the last decisions, newest first.
    """

    version: int
    changed_at: Moment | None
    changed_by: str | None
    refused: bool
    cells: Sequence[CellDocument]
    fields: Sequence[SlotDocument]
    changes: Sequence[ChangeDocument]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthDocument:
    """How the house treats health.

    Attributes:
        document: where the written consents are kept; null: there are none on file.
        refused: what is stored cannot be obeyed, so the stricter of both modes holds.
        held_back: what was masked on its way out in the last thirty days, by day, place and kind.
    """

    mode: HealthMode
    document: str | None
    version: int
    changed_at: Moment | None
    changed_by: str | None
    refused: bool
    changes: Sequence[ChangeDocument]
    held_back: Sequence[HeldBackDocument]


def policies_document(rules: PrivacyRules) -> PoliciesDocument:
    """The whole table."""
    standing = rules.policies_standing
    return PoliciesDocument(
        version=standing.version,
        changed_at=standing.changed_at,
        changed_by=standing.changed_by,
        refused=standing.is_refused,
        cells=[_cell(rules, Cell(purpose, label)) for label in Label for purpose in Purpose],
        fields=[_slot(rules, Slot(thing, name)) for thing in CrmObject for name in CrmField if name in POSSIBLE[thing]],
        changes=_changes(standing),
    )


def health_document(rules: PrivacyRules, held_back: Sequence[HeldBack], zone: tzinfo) -> HealthDocument:
    """The mode and what was held back."""
    standing = rules.health_standing
    return HealthDocument(
        mode=rules.health.mode,
        document=rules.health.document,
        version=standing.version,
        changed_at=standing.changed_at,
        changed_by=standing.changed_by,
        refused=standing.is_refused,
        changes=_changes(standing),
        held_back=[
            HeldBackDocument(day=f"{day:%Y-%m-%d}", place=place, kind=kind, count=count)
            for (day, place, kind), count in by_day(held_back, zone)
        ],
    )


def _cell(rules: PrivacyRules, cell: Cell) -> CellDocument:
    return CellDocument(
        place=str(cell),
        purpose=cell.purpose,
        label=cell.label,
        passes=cell.label in rules.policies.passes(cell.purpose),
        lock=lock_of(cell.purpose, cell.label, has_paper=rules.health.has_paper),
    )


def _slot(rules: PrivacyRules, slot: Slot) -> SlotDocument:
    return SlotDocument(
        place=str(slot),
        object=slot.thing,
        field=slot.name,
        passes=rules.fields.allows(slot.thing, slot.name),
        needed=slot.name in FIXED[slot.thing],
    )


def _changes(standing: Standing) -> list[ChangeDocument]:
    return [_change(change) for change in reversed(standing.changes)]


def _change(change: Change) -> ChangeDocument:
    return ChangeDocument(
        version=change.version,
        at=change.at,
        by=change.by,
        reason=change.reason,
        opened=change.opened,
        closed=change.closed,
    )
