"""The key encryption key."""

from __future__ import annotations

from dataclasses import dataclass

from leadgate.model.keys import KeyStatus
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysDocument:
    """How it stands; nothing here tells anything of the key.

    Attributes:
        primary: id of the key that wraps.
        custodian: who keeps it.
        data_keys: how many there are; `waiting` of them an older key still wraps.
        locked: the key file is sealed under a passphrase; null when the custodian has no file.
        away_since: since when the custodian does not answer; null while it serves.
        moving_from: the key of the former custodian, while a move to this one is not confirmed.
    """

    primary: str
    custodian: str
    data_keys: int
    waiting: int
    rotated_at: Moment
    next_due: Moment
    overdue: bool
    locked: bool | None
    away_since: Moment | None
    moving_from: str | None


def keys_document(status: KeyStatus) -> KeysDocument:
    """As of now."""
    return KeysDocument(
        primary=status.primary,
        custodian=status.custodian,
        data_keys=status.data_keys,
        waiting=status.waiting,
        rotated_at=status.rotated_at,
        next_due=status.next_due,
        overdue=status.is_overdue,
        locked=status.is_locked,
        away_since=status.away_since,
        moving_from=status.moving_from,
    )
