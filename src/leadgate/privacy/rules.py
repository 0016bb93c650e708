"""What the owner decided about policies and health, read from the rules; the product's default while nothing was decided.

A rule that is damaged, or that somebody edited by hand to say what nobody may decide, is not obeyed: it is read as if it were not
there, and a line in the log says so. For health the stricter of both modes holds then, so that damage never opens a way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

import msgspec

from leadgate.observability import get_logger
from leadgate.ports.stores import Transaction
from leadgate.ports.stores.rules import StoredRule
from leadgate.privacy.allow_list import FIXED, POSSIBLE, AllowList, CrmField, CrmObject
from leadgate.privacy.detect.spans import Label
from leadgate.privacy.neutral import ServiceNames
from leadgate.privacy.policies import (
    CRM_PURPOSES,
    DEFAULT_POLICIES,
    DEFAULT_WISH,
    NEVER,
    Policies,
    Purpose,
    Wish,
    effective,
)

POLICIES, HEALTH = "policies", "health"
"""Names of the rules."""

KEPT_CHANGES = 50
MAX_REASON_LENGTH = 300
MAX_DOCUMENT_LENGTH = 80

T = TypeVar("T", bound=msgspec.Struct)
_log = get_logger("privacy")


class HealthMode(StrEnum):
    """What the house is."""

    NONE = "none"
    """«Без вопросов о здоровье»: a salon; what clients say of health is held back everywhere."""
    CLINIC = "clinic"
    """Messages are neutral: no service is named in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the house treats health.

    Attributes:
        document: where the written consents are kept, for instance `приказ 12 от 3 ноября`; None: there are none on file.
    """

    mode: HealthMode = HealthMode.NONE
    document: str | None = None

    @property
    def has_paper(self) -> bool:
        """A clinic with written consents on file."""
        return self.mode is HealthMode.CLINIC and self.document is not None


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One decision, as the rule remembers it; the journal has it under the same version.

    Attributes:
        opened, closed: cells, for instance `crm_comment:ADDRESS` or `lead.email`; of health, the mode and `document`.
    """

    version: int
    at: datetime
    by: str
    reason: str
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


class PoliciesDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rule `policies` as it is stored."""

    passes: dict[str, tuple[str, ...]]
    fields: dict[str, tuple[str, ...]]
    changes: tuple[Change, ...] = ()


class HealthDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rule `health` as it is stored."""

    mode: HealthMode
    document: str | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which decision holds.

    Attributes:
        version: 0 while nobody decided.
        is_refused: what is stored cannot be obeyed.
    """

    version: int = 0
    changed_at: datetime | None = None
    changed_by: str | None = None
    changes: tuple[Change, ...] = ()
    is_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyRules:
    """Everything that holds now."""

    wish: Wish = field(default_factory=lambda: DEFAULT_WISH)
    policies: Policies = field(default_factory=lambda: DEFAULT_POLICIES)
    fields: AllowList = field(default_factory=AllowList)
    health: Health = field(default_factory=Health)
    policies_standing: Standing = field(default_factory=Standing)
    health_standing: Standing = field(default_factory=Standing)


PRODUCT_RULES = PrivacyRules()
_STRICTEST_HEALTH = Health(mode=HealthMode.CLINIC)


class LiveRules:
    """What holds now, for everything that lets data out. `App.follow` keeps it up to date."""

    def __init__(self, now: PrivacyRules = PRODUCT_RULES) -> None:
        """Begin with these."""
        self.now = now
        self._names = ServiceNames()
        self._named: tuple[str, ...] = ()
        self._told: tuple[tuple[int, bool], ...] = ()

    @property
    def services(self) -> ServiceNames:
        """The names that no message may hold now; none in a salon."""
        return self._names if self.now.health.mode is HealthMode.CLINIC else _NO_NAMES

    def follow(self, rules: PrivacyRules, services: Iterable[str]) -> None:
        """Take what was just read; of a rule that is not obeyed the log hears once."""
        self.now, named = rules, tuple(services)
        if named != self._named:
            self._names, self._named = ServiceNames(named), named
        standings = {POLICIES: rules.policies_standing, HEALTH: rules.health_standing}
        told = tuple((standing.version, standing.is_refused) for standing in standings.values())
        if told == self._told:
            return
        self._told = told
        for name, standing in standings.items():
            if standing.is_refused:
                _log.error("policy.rule_refused", kind=name, version=standing.version)


_NO_NAMES = ServiceNames()


def read_rules(tx: Transaction) -> PrivacyRules:
    """What holds now."""
    return rules_of(tx.rules.find(POLICIES), tx.rules.find(HEALTH))


def rules_of(policies: StoredRule | None, health: StoredRule | None) -> PrivacyRules:
    """What two stored rules say; None: the product's default."""
    treated, health_standing = _health(health)
    (wish, fields), policies_standing = _wish(policies)
    return PrivacyRules(
        wish=wish,
        policies=effective(wish, has_paper=treated.has_paper),
        fields=fields,
        health=treated,
        policies_standing=policies_standing,
        health_standing=health_standing,
    )


def policies_body(wish: Wish, fields: AllowList, changes: tuple[Change, ...]) -> bytes:
    """The rule `policies` as it is stored."""
    return msgspec.json.encode(
        PoliciesDocument(
            passes={purpose.value: _sorted(wish[purpose]) for purpose in CRM_PURPOSES},
            fields={thing.value: _sorted(fields.fields[thing]) for thing in CrmObject},
            changes=changes[-KEPT_CHANGES:],
        )
    )


def health_body(health: Health, changes: tuple[Change, ...]) -> bytes:
    """The rule `health` as it is stored."""
    return msgspec.json.encode(HealthDocument(health.mode, health.document, changes[-KEPT_CHANGES:]))


def _wish(stored: StoredRule | None) -> tuple[tuple[Wish, AllowList], Standing]:
    default = (DEFAULT_WISH, AllowList())
    if stored is None:
        return default, Standing()
    document = _decode(stored.body, PoliciesDocument)
    try:
        said = None if document is None else (_read_passes(document.passes), _read_fields(document.fields))
    except ValueError:
        said = None
    return said or default, _standing(stored, document.changes if document and said else (), is_refused=said is None)


def _health(stored: StoredRule | None) -> tuple[Health, Standing]:
    if stored is None:
        return Health(), Standing()
    document = _decode(stored.body, HealthDocument)
    if document is None or (document.document is not None and not document.document.strip()):
        return _STRICTEST_HEALTH, _standing(stored, (), is_refused=True)
    said = Health(mode=document.mode, document=document.document)
    return said, _standing(stored, document.changes, is_refused=False)


def _read_passes(passes: Mapping[str, Iterable[str]]) -> Wish:
    """Raises ValueError for a reader that nobody decides on, and for a kind that goes to nobody."""
    read = {Purpose(purpose): frozenset(map(Label, labels)) for purpose, labels in passes.items()}
    if set(read) != set(CRM_PURPOSES) or any(labels & NEVER for labels in read.values()):
        raise ValueError
    return MappingProxyType(read)


def _read_fields(fields: Mapping[str, Iterable[str]]) -> AllowList:
    """Raises ValueError for a field that goes nowhere, and for one left out that cannot be."""
    read = {CrmObject(thing): frozenset(map(CrmField, names)) for thing, names in fields.items()}
    if set(read) != set(CrmObject) or not all(FIXED[thing] <= read[thing] <= POSSIBLE[thing] for thing in CrmObject):
        raise ValueError
    return AllowList(MappingProxyType(read))


def _decode(body: bytes, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _standing(stored: StoredRule, changes: tuple[Change, ...], *, is_refused: bool) -> Standing:
    return Standing(
        version=stored.version,
        changed_at=stored.changed_at,
        changed_by=stored.changed_by,
        changes=changes,
        is_refused=is_refused,
    )


def _sorted(values: Iterable[StrEnum]) -> tuple[str, ...]:
    return tuple(sorted(value.value for value in values))
