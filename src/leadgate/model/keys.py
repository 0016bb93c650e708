"""How the key encryption key stands: who keeps it, which generation wraps, when the next one is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

KINDS = ("file", "transit")
"""Custodians by the word before the colon of their keys."""

KEY_TERM = timedelta(days=90)
"""So long one generation may wrap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatus:
    """The standing of the key encryption key.

    Attributes:
        primary: id of the generation that wraps; it tells nothing of the key.
        custodian: who keeps it: `file`, `transit`, …
        data_keys: how many data keys there are.
        waiting: how many of them an older generation still wraps.
        rotated_at: since when this generation wraps.
        next_due: until when the next one has to come.
        is_overdue: it should have come already.
        is_locked: the key file is sealed under a passphrase; None when the custodian has no file.
        away_since: since when the custodian does not answer; None while it serves.
        moving_from: the key of the former custodian, while a move to this one is not confirmed.
    """

    primary: str
    custodian: str
    data_keys: int
    waiting: int
    rotated_at: datetime
    next_due: datetime
    is_overdue: bool
    is_locked: bool | None
    away_since: datetime | None = None
    moving_from: str | None = None
