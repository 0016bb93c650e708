"""Hosts of the salon's own network that we may call: off by default, allowed one by one with a reason, journaled first.

An address that a person or a CRM gives could lead us to a router, a printer or a database behind the salon's wall (SSRF). A
Bitrix24 of one's own in that network is honest, so the owner may allow its host. `wire.guard` refuses all others at every call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from leadgate.audit.trail import all_recorded, recorded
from leadgate.connections.recipients import hosts_of
from leadgate.errors import ConfigurationError, JournalUnavailableError, NotFoundError
from leadgate.model.addresses import AddressKind, kind_of, kind_of_host
from leadgate.model.connections import OpenConnection
from leadgate.model.journal import JournalEntry, Result, Tag
from leadgate.model.recipients import Place
from leadgate.model.secret import Secret
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.integration import Integration
from leadgate.ports.journal import Trail
from leadgate.ports.stores import Storage, Transaction
from leadgate.privacy.recipients import facts_of, host_of

RULE = "own_network"
"""Name of the owner's rule that holds the hosts."""

SYSTEM = "system"
MAX_REASON_LENGTH = 1000
_LONGEST_HOST = 253
_ADOPTED = "It was connected before such hosts had to be allowed."

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The IP addresses of a host; raises OSError when there are none. As in `wire.guard`."""

_log = get_logger("connections")


class OwnHost(msgspec.Struct, frozen=True, kw_only=True):
    """One host that may be called although it stands in the own network."""

    reason: str
    allowed_by: str
    allowed_at: datetime


class _Rule(msgspec.Struct, frozen=True, kw_only=True):
    hosts: dict[str, OwnHost] = {}


def read_own_hosts(tx: Transaction) -> Mapping[str, OwnHost] | None:
    """What the owner allowed, by host; None while nothing was ever decided."""
    rule = tx.rules.find(RULE)
    return None if rule is None else msgspec.json.decode(rule.body, type=_Rule).hosts


def is_own(host: str) -> bool:
    """True for what is of the own network by its own word: private addresses, and names that no public server can have."""
    kind = kind_of_host(host)
    return kind is AddressKind.OWN_NETWORK or (kind is None and facts_of(host).place is Place.HOUSE)


class OwnNetworkGate:
    """Asks for the owner's word before anything calls into the own network."""

    def __init__(self, storage: Storage, journal: Trail, clock: Clock) -> None:
        """Keep what is allowed here, and journal each change first."""
        self._storage = storage
        self._journal = journal
        self._clock = clock

    async def hosts(self) -> Mapping[str, OwnHost]:
        """What is allowed now, by host."""
        return await self._storage.read(read_own_hosts) or {}

    async def admit(
        self,
        integration: Integration,
        settings: Mapping[str, str],
        secrets: Mapping[str, Secret],
        *,
        reason: str | None,
        by: str,
    ) -> None:
        """Let pass public hosts, this machine and what is allowed; a reason given now allows the hosts of this connection.

        Names are not resolved here: `wire.guard` judges the answer at every call.

        Raises:
            ConfigurationError: no API can be there (`connection.address_forbidden`), it is of the own network and nobody gave a
                reason (`connection.own_network`), or the reason cannot be taken.
            JournalUnavailableError: the permission could not be journaled; nothing was kept.
        """
        allowed = await self.hosts()
        for host in hosts_of(integration, settings, secrets):
            kind = kind_of_host(host)
            if kind is AddressKind.FORBIDDEN:
                raise _forbidden()
            if host in allowed or kind in {AddressKind.PUBLIC, AddressKind.LOOPBACK}:
                continue
            if reason is not None and reason.strip():
                await self.allow(host, reason=reason, by=by)
            elif is_own(host):
                refused = JournalEntry(
                    tag=Tag.OWN_NETWORK_REFUSED, by=by, on=RULE, result=Result.REFUSED, details={"host": host}
                )
                await self._journal.record(refused)
                raise ConfigurationError(
                    f"{host} is of your own network, so {integration.manifest.title} is not connected.",
                    code="connection.own_network",
                    hint='Say why it may be called: --own-network-reason "…"',
                )

    async def allow(self, host: str, *, reason: str, by: str) -> None:
        """Allow calls to a host of the own network, under whatever private address it has.

        Raises:
            ConfigurationError: it is no host, no private one can be there, or the reason is missing or too long.
            JournalUnavailableError: nothing was changed.
        """
        host, reason = _checked_host(host), " ".join(reason.split())
        if not reason or len(reason) > MAX_REASON_LENGTH:
            raise ConfigurationError(
                f"Allowing a host of the own network needs a reason of 1 to {MAX_REASON_LENGTH} characters.",
                code="connection.own_network_reason",
            )
        await self._keep({host: reason}, by=by)

    async def forbid(self, host: str, *, by: str) -> None:
        """Take a permission back; connections that need it wait until it is given again.

        Raises:
            NotFoundError: it is not allowed.
            JournalUnavailableError: nothing was changed.
        """
        host = host_of(host)
        if host not in await self.hosts():
            raise NotFoundError("This host is not allowed.", hint="See: leadgate own-network")
        async with recorded(
            self._journal, JournalEntry(tag=Tag.OWN_NETWORK_REFUSED, by=by, on=RULE, details={"host": host})
        ):
            await self._storage.write(lambda tx: _put(tx, {}, without=host, by=by, at=self._clock.now()))

    async def adopt(self, connections: Iterable[tuple[Integration, OpenConnection]], resolve: Resolve) -> None:
        """Allow once what was connected before there was such a rule; afterwards this does nothing.

        An update must not stop a salon. Names are resolved, because a Bitrix24 of one's own often has a public one.
        """
        if await self._storage.read(read_own_hosts) is not None:
            return
        found: dict[str, str] = {}
        for integration, opened in connections:
            secrets = {name: values[0] for name, values in opened.secrets.items() if values}
            for host in hosts_of(integration, opened.settings, secrets):
                if is_own(host) or await _leads_home(host, resolve):
                    found[host] = _ADOPTED
        try:
            await self._keep(found, by=SYSTEM)
        except JournalUnavailableError as error:
            _log.warning("own_network.not_adopted", error_code=error.code)

    async def _keep(self, reasons: Mapping[str, str], *, by: str) -> None:
        at = self._clock.now()
        fresh = {host: OwnHost(reason=reason, allowed_by=by, allowed_at=at) for host, reason in reasons.items()}
        entries = [JournalEntry(tag=Tag.OWN_NETWORK_ALLOWED, by=by, on=RULE, details={"host": host}) for host in fresh]
        async with all_recorded(self._journal, entries):
            await self._storage.write(lambda tx: _put(tx, fresh, without="", by=by, at=at))


def _put(tx: Transaction, fresh: Mapping[str, OwnHost], *, without: str, by: str, at: datetime) -> None:
    hosts = {**(read_own_hosts(tx) or {}), **fresh}
    hosts.pop(without, None)
    tx.rules.set(RULE, msgspec.json.encode(_Rule(hosts=hosts)), by=by, at=at)


def _checked_host(text: str) -> str:
    host = host_of(text)
    if not host or len(host) > _LONGEST_HOST:
        raise ConfigurationError("This is no host, for instance 192.168.1.10 or crm.lan.", code="connection.host_wrong")
    kind = kind_of_host(host)
    if kind is AddressKind.FORBIDDEN:
        raise _forbidden()
    if kind in {AddressKind.PUBLIC, AddressKind.LOOPBACK}:
        raise ConfigurationError(
            "This host is not of the own network and needs no permission.", code="connection.host_wrong"
        )
    return host


def _forbidden() -> ConfigurationError:
    return ConfigurationError(
        "No API can be at this address: it is link-local, multicast, reserved or disguised.",
        code="connection.address_forbidden",
        hint="Write the host's own address or name.",
    )


async def _leads_home(host: str, resolve: Resolve) -> bool:
    if kind_of_host(host) is not None:
        return False
    try:
        found = await resolve(host, 443)
    except OSError:
        return False
    return any(kind_of(address) is AddressKind.OWN_NETWORK for address in found)
