"""A custodian of the key encryption key."""

from __future__ import annotations

from typing import Protocol


class KeyWrapper(Protocol):
    """Wraps and unwraps data keys; the key encryption key never leaves it."""

    def key_id(self) -> str:
        """Which key wraps now; stands beside what it wrapped."""
        ...

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """Seal a data key; `context` must be given again to open it."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Open a data key.

        Raises:
            UnknownKeyError: sealed by a key that this custodian does not hold.
            TamperedError: changed, or another context.
        """
        ...
