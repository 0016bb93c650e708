"""A secret that does not print itself."""

from __future__ import annotations

from collections.abc import Mapping


class Secret:
    """A token, password or signing key; shows stars wherever it is printed."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Keep the value; it leaves only through `reveal`."""
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        """Stars, so that logs, exceptions and debuggers stay clean."""
        return "Secret('********')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        """Equal values are equal secrets (not in constant time: verify signatures with hmac.compare_digest)."""
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        """Hash of the value."""
        return hash(self._value)


LiveSecrets = Mapping[str, tuple[Secret, ...]]
"""Secrets of a connection by name; newest first, more than one while a rotation overlaps."""
