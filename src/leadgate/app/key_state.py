"""What the salon's database says of the key encryption key, so that all processes wrap with the same generation.

A rule named `keys`. It holds ids and times, and while a generation is new on a database that many nodes share, that generation
sealed under the one before it: each node has a key file of its own and takes it over from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from leadgate.ports.stores import Transaction

RULE = "keys"
ADOPTION_TIME = timedelta(seconds=10)
"""On a shared database nobody wraps with a new generation before every node has had this long to take it over."""


class SealedGeneration(msgspec.Struct, frozen=True, kw_only=True):
    """A generation for the other nodes.

    Attributes:
        sealed: the keyset, or the settings of a custodian that is no file, wrapped by `by`.
    """

    sealed: bytes
    by: str


class KeyState(msgspec.Struct, frozen=True, kw_only=True):
    """Which generation wraps, and what becomes of the older ones.

    Attributes:
        primary: id of the generation that wraps.
        rotated_at: since when.
        rewrapped_at: when the last data key was wrapped by it; None while older generations still wrap some.
        retired: older generations by id, with the time since which they wrap nothing.
        announced: generations for the other nodes, by id.
        moving_from: the key of the former custodian, while a move is not confirmed.
    """

    primary: str
    rotated_at: datetime
    rewrapped_at: datetime | None = None
    retired: Mapping[str, datetime] = {}
    announced: Mapping[str, SealedGeneration] = {}
    moving_from: str | None = None


def read_key_state(tx: Transaction) -> KeyState | None:
    """What was decided; None while the first generation wraps."""
    rule = tx.rules.find(RULE)
    return None if rule is None else msgspec.json.decode(rule.body, type=KeyState)


def write_key_state(tx: Transaction, state: KeyState, *, by: str, at: datetime) -> None:
    """Decide it."""
    tx.rules.set(RULE, msgspec.json.encode(state), by=by, at=at)


def generation_context(workspace_id: str, key_id: str) -> bytes:
    """What a generation for other nodes is bound to."""
    return f"leadgate\0{workspace_id}\0generation\0{key_id}".encode()
