"""A custodian of the key encryption key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key as it is stored: sealed, and by which key."""

    content: bytes
    key_id: str


class KeyWrapper(Protocol):
    """Wraps and unwraps data keys; the key encryption key never leaves whoever does it."""

    def key_id(self) -> str:
        """Which key wraps now: the custodian, a colon, and what tells its keys apart, nothing of the key itself."""
        ...

    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        """Seal a data key; `context` must be given again to open it.

        Raises:
            CustodianUnavailableError: the custodian cannot be asked now.
        """
        ...

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """Open a data key.

        Raises:
            UnknownKeyError: sealed by a key that this custodian does not hold, changed, or another context.
            CustodianUnavailableError: the custodian cannot be asked now.
        """
        ...


class Custodian(KeyWrapper, Protocol):
    """Keeps the key encryption key in generations: one wraps, the older ones still open what they wrapped.

    Attributes:
        kind: the word before the colon of its keys.
    """

    kind: str

    def rotate(self) -> str:
        """Make a further generation and return its id; it wraps only after `use`. What was made and never used harms nobody.

        Raises:
            CustodianUnavailableError: the custodian cannot be asked now.
            ConfigurationError: it does not let us.
        """
        ...

    def use(self, key_id: str) -> None:
        """Wrap with this generation from now on; also what another process made. A second call is harmless.

        Raises:
            UnknownKeyError: the custodian has no such key.
            CustodianUnavailableError: the custodian cannot be asked now.
        """
        ...

    def key_ids(self) -> frozenset[str]:
        """The generations that it still holds, as far as it can tell."""
        ...

    def drop(self, key_ids: frozenset[str]) -> None:
        """Destroy these generations where that is ours to do; never the one that wraps. What is gone already harms nobody."""
        ...

    def check(self) -> None:
        """Ask the custodian whether it would serve now.

        Raises:
            CustodianUnavailableError: it would not.
        """
        ...
