"""Versions of secrets as a rotation sees them; what is good now is read by `ConnectionStore.live_secrets`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from leadgate.ports.stores.records import StoredSecret


class SecretStore(Protocol):
    """Versions of secrets."""

    def all(self) -> Sequence[StoredSecret]:
        """Every version of every connection that is not removed, by connection and key, newest first."""
        ...

    def hold(self, connection_id: str) -> None:
        """Until this transaction ends nobody else changes the secrets of the connection."""
        ...

    def of(self, connection_id: str, name: str) -> Sequence[StoredSecret]:
        """Every version of one secret, newest first."""
        ...

    def set_until(self, secret: StoredSecret, until: datetime) -> None:
        """A version is good until then."""
        ...

    def promote(self, secret: StoredSecret, *, at: datetime) -> None:
        """A candidate is what we use from now on; its age begins here."""
        ...

    def drop(self, secret: StoredSecret) -> None:
        """Destroy a version with its value."""
        ...

    def drop_ended(self, *, now: datetime) -> int:
        """Destroy every version that is not good any more; returns how many."""
        ...
