"""Who may read which kinds of personal data in free text. What has a field of its own is decided where the field is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from leadgate.privacy.detect.spans import Label


class Purpose(StrEnum):
    """Where a text goes."""

    CRM = "crm"
    MODEL = "model"
    LOG = "log"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Policy:
    """What may pass; everything else is masked."""

    passes: frozenset[Label]


_TO_SERVE_A_CLIENT = frozenset(
    {Label.PERSON, Label.PHONE, Label.EMAIL, Label.USERNAME, Label.ADDRESS, Label.BIRTHDATE, Label.PLATE}
)
"""Whom to expect, how to reach them, where to go, whom to let into the car park. No document, no card, and nothing about health."""

POLICIES: Mapping[Purpose, Policy] = {
    Purpose.CRM: Policy(_TO_SERVE_A_CLIENT),
    Purpose.MODEL: Policy(frozenset()),
    Purpose.LOG: Policy(frozenset()),
    Purpose.ALERT: Policy(frozenset()),
}
