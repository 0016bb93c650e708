"""Adding, checking, pausing and removing connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from leadgate.connections.book import ConnectionBook, secret_place
from leadgate.connections.own_network import OwnNetworkGate, Resolve
from leadgate.connections.recipients import RecipientGate
from leadgate.connections.settings import Checked, check_keys
from leadgate.delivery.payloads import HOMELESS_LANE, crm_lane
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError, ServiceUnavailableError
from leadgate.model.connections import CheckReport, Connection, ConnectionState, Finding, FindingState, OpenConnection
from leadgate.model.secret import Secret
from leadgate.observability import get_logger
from leadgate.ports.channel import Channel
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.crm import Crm
from leadgate.ports.integration import Integration, Manifest
from leadgate.ports.journal import Trail
from leadgate.ports.stores import Storage, StoredSecret, Transaction
from leadgate.vault.envelope import SECRETS, Vault

MAX_NAME_LENGTH = 80
_log = get_logger("connections")


@dataclass(frozen=True, slots=True)
class Connected:
    """A fresh connection; `webhook_secret` is shown this once."""

    connection_id: str
    webhook_path: str
    webhook_secret: Secret | None
    report: CheckReport | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Openers:
    """How the two ports of a connection are opened."""

    channel: Callable[[Integration, OpenConnection], Channel]
    crm: Callable[[Integration, OpenConnection], Crm]


class ConnectionDesk:
    """See `web.house.Connections`."""

    def __init__(
        self,
        storage: Storage,
        vault: Vault,
        book: ConnectionBook,
        openers: Openers,
        *,
        workspace_id: str,
        kinds: Sequence[str],
        clock: Clock,
        ids: IdSource,
        public_url: str | None,
        journal: Trail,
        on_change: Callable[[], None],
        resolve: Resolve | None = None,
    ) -> None:
        """Call `on_change` when something may be worked on that could not before."""
        self._storage = storage
        self._vault = vault
        self._book = book
        self._openers = openers
        self._workspace_id = workspace_id
        self._kinds = kinds
        self._clock = clock
        self._ids = ids
        self._public_url = public_url
        self._on_change = on_change
        self._resolve = resolve
        self.gate = RecipientGate(storage, journal, clock)
        self.own_network = OwnNetworkGate(storage, journal, clock)

    def kinds(self) -> Sequence[Manifest]:
        """Every kind that can be connected."""
        return [self._book.integration(kind).manifest for kind in self._kinds]

    async def connect(
        self,
        kind: str,
        *,
        name: str,
        settings: Mapping[str, str],
        secrets: Mapping[str, Secret],
        check: bool,
        by: str,
        foreign_reason: str | None = None,
        host_country: str | None = None,
        own_network_reason: str | None = None,
    ) -> Connected:
        """See `web.house.Connections.connect`."""
        integration = self._book.integration(kind)
        checked = check_keys(integration.manifest, settings, secrets, self._ids)
        connection = Connection(
            workspace_id=self._workspace_id,
            connection_id=self._ids.new("conn"),
            kind=kind,
            name=_checked_name(name),
            settings=checked.settings,
            state=ConnectionState.ACTIVE,
            created_at=self._clock.now(),
        )
        # Asked before the vendor is told our address; the database asks again when it is kept.
        await self._storage.read(lambda tx: tx.connections.refuse_taken(connection.name))
        await self.gate.admit(
            integration, checked.settings, checked.secrets, reason=foreign_reason, country=host_country, by=by
        )
        await self.adopt_own_network()
        await self.own_network.admit(integration, checked.settings, checked.secrets, reason=own_network_reason, by=by)
        path = f"/webhooks/{kind}/{connection.connection_id}"
        own_hosts = frozenset(await self.own_network.hosts())
        opened = OpenConnection(connection, {key: (value,) for key, value in checked.secrets.items()}, own_hosts)
        asked = await self._ask(integration, opened) if check else None
        _refuse(integration.manifest, asked)
        learned = _learned(integration.manifest, connection.settings, asked)
        connection = replace(connection, settings=learned or connection.settings)
        await self._storage.write(lambda tx: self._keep(tx, integration, connection, checked, asked, by=by))
        await self._book.refresh(force=True)
        report = None if asked is None else await self._introduce(integration, opened, path, asked)
        self._on_change()
        _log.info("connection.added", connection_id=connection.connection_id, integration=kind, action=by)
        shown = integration.manifest.webhook_secret
        made = checked.secrets[shown] if shown is not None and shown in checked.made else None
        return Connected(connection.connection_id, path, made, report)

    async def amend(
        self, connection_id: str, *, settings: Mapping[str, str], secrets: Mapping[str, Secret], by: str
    ) -> None:
        """Replace some settings or secrets of a connection; the others stay. Unchanged values change nothing.

        Raises:
            NotFoundError: there is no such connection.
            ConfigurationError: a key is unknown or wrong.
        """
        opened = self._get(connection_id)
        integration = self._book.integration(opened.connection.kind)
        merged = {name: values[0] for name, values in opened.secrets.items()} | dict(secrets)
        checked = check_keys(integration.manifest, {**opened.settings, **settings}, merged, self._ids)
        fresh = {name: value for name, value in checked.secrets.items() if value != opened.secret(name)}
        if not fresh and checked.settings == opened.settings:
            return
        await self.gate.admit(integration, checked.settings, checked.secrets, reason=None, country=None, by=by)
        await self.own_network.admit(integration, checked.settings, checked.secrets, reason=None, by=by)
        at = self._clock.now()

        def unit(tx: Transaction) -> None:
            tx.connections.set_settings(connection_id, checked.settings, at=at)
            for name, value in fresh.items():
                version = tx.connections.retire_secret(connection_id, name, at=at) + 1
                self._keep_secret(tx, connection_id, name, value, version=version, at=at, by=by)
            tx.lanes.resume(connection_id, now=at)

        await self._storage.write(unit)
        await self._book.refresh(force=True)
        self._on_change()
        _log.info("connection.amended", connection_id=connection_id, integration=opened.connection.kind, action=by)

    async def check(self, connection_id: str) -> CheckReport:
        """See `web.house.Connections.check`; a good answer also lets waiting deliveries go at once."""
        opened = self._get(connection_id)
        integration = self._book.integration(opened.connection.kind)
        path = f"/webhooks/{opened.connection.kind}/{connection_id}"
        report = await self._ask_and_register(integration, opened, path)
        report = _with(report, await self.gate.findings(integration, opened))
        at = self._clock.now()

        def unit(tx: Transaction) -> None:
            tx.connections.set_report(connection_id, report, at=at)
            if report.state is not FindingState.FAIL:
                tx.lanes.resume(connection_id, now=at)

        await self._storage.write(unit)
        await self._keep_learned(connection_id, report, at=at)
        self._on_change()
        return report

    async def look_after(self, connection_id: str, *further: Finding) -> CheckReport | None:
        """Ask the vendor as `check` does, mend what registering anew mends, and keep the findings; lanes stay as they are.

        Args:
            connection_id: of a channel.
            further: findings that the vendor does not know of, for instance about our certificate.

        Returns:
            What was found, or None when the connection is gone meanwhile.
        """
        opened = self._book.find(connection_id)
        if opened is None:
            return None
        kind = opened.connection.kind
        integration = self._book.integration(kind)
        asked = await self._ask(integration, opened)
        report = await self._registered(integration, opened, f"/webhooks/{kind}/{connection_id}", asked)
        if report is not asked and self._public_url is not None:
            _log.warning("connection.registered_anew", connection_id=connection_id, integration=kind)
        report = _with(report, (*further, *await self.gate.findings(integration, opened)))
        at = self._clock.now()
        await self._storage.write(lambda tx: tx.connections.set_report(connection_id, report, at=at))
        await self._keep_learned(connection_id, report, at=at)
        return report

    async def _keep_learned(self, connection_id: str, report: CheckReport, *, at: datetime) -> None:
        """What the vendor told of itself goes to the settings as they stand now."""
        opened = self._book.find(connection_id)
        if opened is None:
            return
        manifest = self._book.integration(opened.connection.kind).manifest
        settings = _learned(manifest, opened.settings, report)
        if settings is not None:
            await self._storage.write(lambda tx: tx.connections.set_settings(connection_id, settings, at=at))
            await self._book.refresh(force=True)

    async def adopt_own_network(self) -> None:
        """Once after an update: what was connected in the own network stays allowed. Otherwise this does nothing."""
        if self._resolve is not None:
            opened = self._book.all()
            await self.own_network.adopt(
                [(self._book.integration(one.connection.kind), one) for one in opened], self._resolve
            )

    async def pause(self, connection_id: str, *, by: str) -> None:
        """See `web.house.Connections.pause`."""
        await self._set_state(connection_id, ConnectionState.PAUSED, by=by)

    async def resume(self, connection_id: str, *, by: str) -> None:
        """See `web.house.Connections.resume`."""
        await self._set_state(connection_id, ConnectionState.ACTIVE, by=by)

    async def remove(self, connection_id: str, *, by: str) -> None:
        """See `web.house.Connections.remove`; commands for a removed CRM wait for the next one."""
        opened = self._get(connection_id)
        integration = self._book.integration(opened.connection.kind)
        at = self._clock.now()

        def unit(tx: Transaction) -> None:
            tx.connections.set_state(connection_id, ConnectionState.REMOVED, at=at)
            tx.events.give_up_pending(connection_id, reason="connection.removed", at=at)
            if integration.open_crm is not None:
                _move(tx, connection_id, None, at)

        await self._storage.write(unit)
        await self._book.refresh(force=True)
        if integration.open_channel is not None:
            await self._openers.channel(integration, opened).unregister()
        _log.info("connection.removed", connection_id=connection_id, action=by)

    async def adopt_strays(self) -> int:
        """Commands for no CRM, or for a removed one, go to the CRM of now; returns how many. Called every few seconds.

        Connecting and removing move what is there; this finds what was decided on by somebody who did not know of it yet.
        """
        crm = self._book.crm_connection_id()
        lanes = {"": HOMELESS_LANE}

        def find(tx: Transaction) -> list[str]:
            gone = {c.connection_id: crm_lane(c.connection_id) for c in tx.connections.all(removed=True) if _is_gone(c)}
            places = (lanes | gone).items()
            return [place for place, lane in places if tx.deliveries.open_in_lane(lane, limit=1)]

        strays = [place for place in await self._storage.read(find) if place or crm is not None]
        if not strays:
            return 0
        at = self._clock.now()
        return await self._storage.write(lambda tx: sum(_move(tx, place, crm, at) for place in strays))

    def _get(self, connection_id: str) -> OpenConnection:
        opened = self._book.find(connection_id)
        if opened is None:
            raise NotFoundError(f"There is no connection {connection_id}.", hint="See: leadgate connections list")
        return opened

    async def _set_state(self, connection_id: str, state: ConnectionState, *, by: str) -> None:
        self._get(connection_id)
        at = self._clock.now()

        def unit(tx: Transaction) -> None:
            tx.connections.set_state(connection_id, state, at=at)
            if state is ConnectionState.ACTIVE:
                tx.lanes.resume(connection_id, now=at)

        await self._storage.write(unit)
        await self._book.refresh(force=True)
        self._on_change()
        _log.info("connection.changed", connection_id=connection_id, outcome=state.value, action=by)

    async def _ask(self, integration: Integration, opened: OpenConnection) -> CheckReport:
        if integration.open_crm is not None:
            return await self._openers.crm(integration, opened).check()
        if integration.open_channel is not None:
            return await self._openers.channel(integration, opened).check()
        return CheckReport(
            (Finding("connection.ready", FindingState.OK, "The connection is ready; nobody has to be asked."),)
        )

    async def _introduce(
        self, integration: Integration, opened: OpenConnection, path: str, asked: CheckReport
    ) -> CheckReport:
        """Tell the vendor our address when it has to reach us; a connection that it refuses is taken back.

        The connection is kept by then, because some vendors ask back at the address while they are told of it. Without a
        public address it stays, with a finding that says what is missing.
        """
        connection_id = opened.connection.connection_id
        try:
            report = await self._registered(integration, opened, path, asked)
            _refuse(integration.manifest, report)
        except BaseException:
            at = self._clock.now()
            await self._storage.write(
                lambda tx: tx.connections.set_state(connection_id, ConnectionState.REMOVED, at=at)
            )
            await self._book.refresh(force=True)
            raise
        if report is not asked:
            at = self._clock.now()
            await self._storage.write(lambda tx: tx.connections.set_report(connection_id, report, at=at))
            await self._keep_learned(connection_id, report, at=at)
        return report

    async def _ask_and_register(self, integration: Integration, opened: OpenConnection, path: str) -> CheckReport:
        return await self._registered(integration, opened, path, await self._ask(integration, opened))

    async def _registered(
        self, integration: Integration, opened: OpenConnection, path: str, report: CheckReport
    ) -> CheckReport:
        """The report after registering our address where that is needed and possible; the same report where it is not."""
        if not any(finding.needs_registration for finding in report.findings):
            return report
        others = tuple(finding for finding in report.findings if not finding.needs_registration)
        if self._public_url is None:
            return CheckReport((_unregistered(integration.manifest), *others), report.learned)
        registered = await self._openers.channel(integration, opened).register(self._public_url + path)
        return CheckReport((*registered.findings, *others), {**report.learned, **registered.learned})

    def _keep(
        self,
        tx: Transaction,
        integration: Integration,
        connection: Connection,
        checked: Checked,
        report: CheckReport | None,
        *,
        by: str,
    ) -> None:
        at = connection.created_at
        tx.connections.add(connection)
        for name, secret in checked.secrets.items():
            self._keep_secret(tx, connection.connection_id, name, secret, version=1, at=at, by=by)
        if report is not None:
            tx.connections.set_report(connection.connection_id, report, at=at)
        if integration.open_crm is not None:
            _move(tx, "", connection.connection_id, at)  # leads that came before a CRM was connected

    def _keep_secret(
        self, tx: Transaction, connection_id: str, name: str, secret: Secret, *, version: int, at: datetime, by: str
    ) -> None:
        place = secret_place(connection_id, name, version)
        tx.connections.add_secret(
            StoredSecret(
                connection_id=connection_id,
                name=name,
                version=version,
                sealed_value=self._vault.seal(tx, SECRETS, place, secret.reveal().encode()),
                created_at=at,
                live_until=None,
                made_by=by,
            )
        )


def _learned(manifest: Manifest, settings: Mapping[str, str], report: CheckReport | None) -> Mapping[str, str] | None:
    """The settings with what a check found out; None when it is nothing new, or nothing that the form has."""
    public = {field.name: field for field in manifest.fields if not field.secret}
    told = {} if report is None else report.learned
    fitting = {
        name: value
        for name, value in told.items()
        if value and (field := public.get(name)) is not None and (field.problem is None or field.problem(value) is None)
    }
    merged = {**settings, **fitting}
    return None if merged == settings else merged


def _move(tx: Transaction, from_connection_id: str, crm: str | None, at: datetime) -> int:
    """Open commands go to the CRM, or wait for one when there is none."""
    lane = HOMELESS_LANE if crm is None else crm_lane(crm)
    moved = tx.deliveries.move_open(from_connection_id, to_connection_id=crm or "", to_lane=lane)
    if moved and crm is not None:
        tx.lanes.wake(lane, connection_id=crm, due_at=at)
    return moved


def _is_gone(connection: Connection) -> bool:
    return connection.state is ConnectionState.REMOVED


def _with(report: CheckReport, further: Sequence[Finding]) -> CheckReport:
    """The report with more findings, the gravest first."""
    order = (FindingState.FAIL, FindingState.WARN, FindingState.OK)
    found = sorted((*further, *report.findings), key=lambda finding: order.index(finding.state))
    return CheckReport(tuple(found), report.learned)


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_LENGTH:
        raise ConfigurationError(
            f"A connection needs a name of 1 to {MAX_NAME_LENGTH} characters.", code="connection.name_wrong"
        )
    return name


def _unregistered(manifest: Manifest) -> Finding:
    return Finding(
        "connection.public_url_missing",
        FindingState.WARN,
        f"{manifest.title} cannot reach us yet: LEADGATE_PUBLIC_URL is not set.",
        "Set LEADGATE_PUBLIC_URL=https://… and run: leadgate connections check",
    )


def _refuse(manifest: Manifest, report: CheckReport | None) -> None:
    """Raise for what cannot work; an address that is not registered yet is no reason."""
    findings = () if report is None else report.findings
    failed = [finding for finding in findings if finding.state is FindingState.FAIL and not finding.needs_registration]
    if not failed:
        return
    message = f"{manifest.title}: {failed[0].text}"
    if failed[0].code.endswith(".unreachable"):
        raise ServiceUnavailableError(message, code="connection.unreachable", hint=failed[0].cure)
    raise ConflictError(message, code="connection.refused", hint=failed[0].cure)
