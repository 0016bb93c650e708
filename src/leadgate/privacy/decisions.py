"""A decision of the owner about what leaves: what it opens and closes, and what it must bring along. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from leadgate.errors import ConfigurationError
from leadgate.privacy.allow_list import FIXED, POSSIBLE, AllowList, CrmField, CrmObject
from leadgate.privacy.detect.detector import find
from leadgate.privacy.detect.spans import Label
from leadgate.privacy.policies import CRM_PURPOSES, Lock, Purpose, Wish, lock_of
from leadgate.privacy.rules import MAX_DOCUMENT_LENGTH, MAX_REASON_LENGTH, Health, HealthMode, PrivacyRules

_WHY = {
    Lock.NOBODY: "{purpose} gets no personal data at all, whatever the owner decides.",
    Lock.NEVER: "{label} leaves for nobody, whatever the owner decides.",
    Lock.PAPER: "{label} passes only in a clinic with written consents on file.",
}
_HINTS = {Lock.PAPER: "First: leadgate health set clinic --document WHERE --reason WHY"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the table: may this kind of data be read there in free text?"""

    purpose: Purpose
    label: Label

    def __str__(self) -> str:
        """For instance `crm_comment:ADDRESS`."""
        return f"{self.purpose}:{self.label}"


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of the allow-list: may this field stand in this object?"""

    thing: CrmObject
    name: CrmField

    def __str__(self) -> str:
        """For instance `lead.email`."""
        return f"{self.thing}.{self.name}"


Place = Cell | Slot


def read_place(word: str) -> Place:
    """`crm_comment:ADDRESS` or `lead.email`.

    Raises:
        ConfigurationError: it is neither (`policy.unknown`).
    """
    try:
        if ":" in word:
            purpose, _, label = word.partition(":")
            return Cell(Purpose(purpose.lower()), Label(label.upper()))
        thing, _, name = word.partition(".")
        return Slot(CrmObject(thing.lower()), CrmField(name.lower()))
    except ValueError:
        raise ConfigurationError(
            "There is no such place in the policies.",
            code="policy.unknown",
            hint="Name a cell such as crm_comment:ADDRESS or lead.email; see: leadgate policies show",
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a wish.

    Attributes:
        opened, closed: places that change, in words of the rule.
    """

    wish: Wish
    fields: AllowList
    opened: tuple[str, ...]
    closed: tuple[str, ...]


def decide(now: PrivacyRules, *, opened: Sequence[Place], closed: Sequence[Place], reason: str) -> Decision:
    """What would hold after these places are opened and those closed.

    Raises:
        ConfigurationError: nothing changes (`policy.unchanged`), a place is locked (`policy.locked`) or needed
            (`policy.needed`), or something is opened without a reason (`policy.reason_missing`); see `read_reason`.
    """
    wish = {purpose: set(now.wish[purpose]) for purpose in CRM_PURPOSES}
    fields = {thing: set(now.fields.fields[thing]) for thing in CrmObject}
    before = _places(wish, fields)
    for place in opened:
        _check_open(place, now.health)
        _put(place, wish, fields)
    for place in closed:
        _take(place, wish, fields)
    after = _places(wish, fields)
    if after == before:
        raise ConfigurationError("That is how it is already; nothing was changed.", code="policy.unchanged")
    read_reason(reason, is_needed=bool(after - before))
    return Decision(
        wish=MappingProxyType({purpose: frozenset(labels) for purpose, labels in wish.items()}),
        fields=AllowList(MappingProxyType({thing: frozenset(names) for thing, names in fields.items()})),
        opened=tuple(sorted(after - before)),
        closed=tuple(sorted(before - after)),
    )


def decide_health(now: Health, *, mode: HealthMode, document: str | None, reason: str) -> Health:
    """How the house would treat health.

    Raises:
        ConfigurationError: nothing changes (`policy.unchanged`), no reason (`policy.reason_missing`), or a document where there
            is no clinic (`health.document_without_clinic`), too long or with a person's data in it (`health.document_wrong`).
    """
    paper = (document or "").strip() or None
    if paper is not None and mode is not HealthMode.CLINIC:
        raise ConfigurationError(
            "A salon asks nothing about health, so it keeps no written consents for that.",
            code="health.document_without_clinic",
            hint="Leave --document out, or set the mode clinic.",
        )
    if paper is not None and (len(paper) > MAX_DOCUMENT_LENGTH or _is_personal(paper)):
        raise ConfigurationError(
            "Say where the consents are kept in at most 80 characters, without anybody's data.",
            code="health.document_wrong",
            hint="For instance: order 12, folder 4.",
        )
    wanted = Health(mode=mode, document=paper)
    if wanted == now:
        raise ConfigurationError("That is how it is already; nothing was changed.", code="policy.unchanged")
    read_reason(reason, is_needed=True)
    return wanted


def read_reason(reason: str, *, is_needed: bool) -> str:
    """Why, as it is kept.

    Raises:
        ConfigurationError: missing (`policy.reason_missing`), over 300 characters (`policy.reason_long`), or it holds somebody's
            personal data (`policy.reason_personal`), for it outlives every person.
    """
    said = reason.strip()
    if is_needed and not said:
        raise ConfigurationError(
            "Whoever lets more out says why: the reason stays in the history.",
            code="policy.reason_missing",
            hint="Add --reason.",
        )
    if len(said) > MAX_REASON_LENGTH:
        raise ConfigurationError("A reason has at most 300 characters.", code="policy.reason_long")
    if _is_personal(said):
        raise ConfigurationError(
            "The reason names somebody: it is kept for years, so say it without names and numbers of people.",
            code="policy.reason_personal",
        )
    return said


def _check_open(place: Place, health: Health) -> None:
    if isinstance(place, Slot):
        if place.name not in POSSIBLE[place.thing]:
            raise ConfigurationError(
                f"Nothing of ours writes {place.name} into that object of a CRM.", code="policy.unknown"
            )
        return
    lock = lock_of(place.purpose, place.label, has_paper=health.has_paper)
    if lock is not None:
        raise ConfigurationError(
            _WHY[lock].format(purpose=place.purpose, label=place.label),
            code="policy.locked",
            hint=_HINTS.get(lock, ""),
        )


def _put(place: Place, wish: dict[Purpose, set[Label]], fields: dict[CrmObject, set[CrmField]]) -> None:
    if isinstance(place, Cell):
        wish[place.purpose].add(place.label)
    else:
        fields[place.thing].add(place.name)


def _take(place: Place, wish: dict[Purpose, set[Label]], fields: dict[CrmObject, set[CrmField]]) -> None:
    if isinstance(place, Cell):
        wish.get(place.purpose, set()).discard(place.label)
        return
    if place.name in FIXED[place.thing]:
        raise ConfigurationError(
            "Without our ids, the channel and the phone leads would be made twice; they cannot be taken out.",
            code="policy.needed",
        )
    fields[place.thing].discard(place.name)


def _places(wish: dict[Purpose, set[Label]], fields: dict[CrmObject, set[CrmField]]) -> set[str]:
    cells = {str(Cell(purpose, label)) for purpose, labels in wish.items() for label in labels}
    return cells | {str(Slot(thing, field)) for thing, names in fields.items() for field in names}


def _is_personal(text: str) -> bool:
    return any(True for _ in find(text))
