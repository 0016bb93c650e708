"""The connections of the workspace as the hot path needs them: opened, in memory, followed within seconds of a change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from leadgate.connections.own_network import RULE as OWN_NETWORK
from leadgate.connections.own_network import read_own_hosts
from leadgate.model.connections import Connection, ConnectionState, OpenConnection
from leadgate.model.secret import LiveSecrets, Secret
from leadgate.ports.clock import Clock
from leadgate.ports.integration import Integration
from leadgate.ports.stores import Storage, StoredSecret, Transaction
from leadgate.vault.envelope import SECRETS, Vault


def secret_place(connection_id: str, name: str, version: int) -> str:
    """Where a secret is sealed for."""
    return f"secrets.value:{connection_id}:{name}:{version}"


class ConnectionBook:
    """Every live connection with its live secrets. `refresh` follows changes made by commands, pages and other nodes."""

    def __init__(
        self, storage: Storage, vault: Vault, clock: Clock, find_integration: Callable[[str], Integration]
    ) -> None:
        """Open nothing yet; call `refresh`."""
        self._storage = storage
        self._vault = vault
        self._clock = clock
        self._find_integration = find_integration
        self._version: object = None
        self._until: datetime | None = None
        self._opened: Mapping[str, OpenConnection] = MappingProxyType({})
        self._own_hosts: frozenset[str] = frozenset()

    async def refresh(self, *, force: bool = False) -> bool:
        """Read everything again when anything changed, or a secret ran out; True when it did.

        Raises:
            StorageUnavailableError: the old state stands.
        """
        now = self._clock.now()
        has_run_out = self._until is not None and self._until <= now
        version, until, opened = await self._storage.read(lambda tx: self._read(tx, now, force=force or has_run_out))
        if opened is None:
            return False
        self._version, self._until, self._opened = version, until, opened
        return True

    def all(self) -> list[OpenConnection]:
        """Every connection that is not removed, oldest first."""
        return list(self._opened.values())

    def find(self, connection_id: str) -> OpenConnection | None:
        """One connection, paused ones too."""
        return self._opened.get(connection_id)

    def integration(self, kind: str) -> Integration:
        """The integration of a kind. Raises ConfigurationError when there is none."""
        return self._find_integration(kind)

    @property
    def own_hosts(self) -> frozenset[str]:
        """Hosts of the own network that may be called."""
        return self._own_hosts

    def crm_connection_id(self) -> str | None:
        """The CRM that leads go to: the oldest connection of a kind that is one; None when none is connected."""
        for opened in self._opened.values():
            if self._find_integration(opened.connection.kind).open_crm is not None:
                return opened.connection.connection_id
        return None

    def _read(
        self, tx: Transaction, now: datetime, *, force: bool
    ) -> tuple[object, datetime | None, Mapping[str, OpenConnection] | None]:
        rule = tx.rules.find(OWN_NETWORK)
        version = (tx.connections.version(), 0 if rule is None else rule.version)
        if version == self._version and not force:
            return version, self._until, None
        live = tx.connections.live_secrets(now=now)
        until = min((stored.live_until for stored in live if stored.live_until is not None), default=None)
        secrets = self._opened_secrets(tx, live)
        self._own_hosts = own_hosts = frozenset(read_own_hosts(tx) or ())
        opened = {
            connection.connection_id: OpenConnection(connection, secrets.get(connection.connection_id, {}), own_hosts)
            for connection in tx.connections.all()
        }
        return version, until, MappingProxyType(opened)

    def _opened_secrets(self, tx: Transaction, live: Sequence[StoredSecret]) -> dict[str, LiveSecrets]:
        by_connection: dict[str, dict[str, tuple[Secret, ...]]] = {}
        for stored in live:
            names = by_connection.setdefault(stored.connection_id, {})
            names[stored.name] = (*names.get(stored.name, ()), self.open(tx, stored))
        return {connection_id: MappingProxyType(names) for connection_id, names in by_connection.items()}

    def open(self, tx: Transaction, stored: StoredSecret) -> Secret:
        """The value of a version."""
        place = secret_place(stored.connection_id, stored.name, stored.version)
        return Secret(self._vault.open(tx, SECRETS, place, stored.sealed_value).decode())


def is_active(connection: Connection) -> bool:
    """True when the connection is worked for."""
    return connection.state is ConnectionState.ACTIVE
