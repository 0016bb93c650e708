"""Who may read which kinds of personal data in free text, as data: the product's defaults, and the floors that nobody can move.

What has a field of its own in the CRM is decided by the allow-list (`allow_list`); what the owner changed is read in `rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from leadgate.privacy.detect.spans import Label


class Purpose(StrEnum):
    """Where a text goes."""

    CRM_LEAD = "crm_lead"
    """The comment of a lead or deal."""
    CRM_COMMENT = "crm_comment"
    """An entry of a lead's timeline."""
    MODEL = "model"
    LOG = "log"
    ALERT = "alert"


CRM_PURPOSES = (Purpose.CRM_LEAD, Purpose.CRM_COMMENT)
"""The only ones that an owner decides on; all others pass nothing."""

NEVER = frozenset({Label.PASSPORT, Label.SNILS, Label.INN, Label.OMS, Label.CARD, Label.ACCOUNT, Label.IP})
"""What a salon needs for nothing and a thief for everything: it leaves for no reader whatever."""

_TO_SERVE_A_CLIENT = frozenset(
    {Label.PERSON, Label.PHONE, Label.EMAIL, Label.USERNAME, Label.ADDRESS, Label.BIRTHDATE, Label.PLATE}
)
"""Whom to expect, how to reach them, where to go, whom to let into the car park."""

ON_PAPER = frozenset({Label.HEALTH})
"""What may go to a CRM only in a clinic that keeps written consents (152-FZ, article 9 part 4)."""


class Lock(StrEnum):
    """Why a cell of the table cannot be opened."""

    NOBODY = "nobody"
    """This reader gets nothing at all."""
    NEVER = "never"
    """This kind goes to nobody."""
    PAPER = "paper"
    """Only in a clinic with written consents on file."""


@dataclass(frozen=True, slots=True)
class Policies:
    """What passes to whom; everything else is masked. Made by `effective` alone, so a floor is never below it."""

    _passes: Mapping[Purpose, frozenset[Label]]

    def passes(self, purpose: Purpose) -> frozenset[Label]:
        """Kinds that this reader may see."""
        return self._passes.get(purpose, frozenset())


Wish = Mapping[Purpose, frozenset[Label]]
"""What the owner would let pass, by purpose of the CRM."""

DEFAULT_WISH: Wish = MappingProxyType(dict.fromkeys(CRM_PURPOSES, _TO_SERVE_A_CLIENT))


def lock_of(purpose: Purpose, label: Label, *, has_paper: bool) -> Lock | None:
    """Why this kind cannot pass to this reader whatever the owner wishes; None when it is the owner's to decide.

    Args:
        has_paper: the salon is a clinic with written consents on file.
    """
    if purpose not in CRM_PURPOSES:
        return Lock.NOBODY
    if label in NEVER:
        return Lock.NEVER
    return Lock.PAPER if label in ON_PAPER and not has_paper else None


def effective(wish: Wish, *, has_paper: bool) -> Policies:
    """What passes in truth: the wish without what a floor forbids."""
    return Policies(
        MappingProxyType(
            {
                purpose: frozenset(
                    label for label in wish.get(purpose, ()) if lock_of(purpose, label, has_paper=has_paper) is None
                )
                for purpose in Purpose
            }
        )
    )


DEFAULT_POLICIES = effective(DEFAULT_WISH, has_paper=False)
