"""Adding, checking, pausing and removing connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadgate.connections.book import ConnectionBook, secret_place
from leadgate.connections.settings import Checked, check_keys
from leadgate.delivery.payloads import HOMELESS_LANE, crm_lane
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.connections import CheckReport, Connection, ConnectionState, Finding, FindingState, OpenConnection
from leadgate.model.secret import Secret
from leadgate.observability import get_logger
from leadgate.ports.channel import Channel
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.crm import Crm
from leadgate.ports.integration import Integration, Manifest
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
        on_change: Callable[[], None],
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
        path = f"/webhooks/{kind}/{connection.connection_id}"
        opened = OpenConnection(connection, {key: (value,) for key, value in checked.secrets.items()})
        report = await self._introduce(integration, opened, path) if check else None
        await self._storage.write(lambda tx: self._keep(tx, integration, connection, checked, report))
        await self._book.refresh(force=True)
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
        at = self._clock.now()

        def unit(tx: Transaction) -> None:
            tx.connections.set_settings(connection_id, checked.settings, at=at)
            for name, value in fresh.items():
                version = tx.connections.retire_secret(connection_id, name, at=at) + 1
                self._keep_secret(tx, connection_id, name, value, version=version, at=at)
            tx.lanes.resume(connection_id, now=at)

        await self._storage.write(unit)
        await self._book.refresh(force=True)
        self._on_change()
        _log.info("connection.amended", connection_id=connection_id, integration=opened.connection.kind, action=by)

    async def check(self, connection_id: str) -> CheckReport:
        """See `web.house.Connections.check`; a good answer also lets waiting deliveries go at once."""
        opened = self._get(connection_id)
        integration = self._book.integration(opened.connection.kind)
        report = await self._ask(integration, opened)
        at = self._clock.now()

        def unit(tx: Transaction) -> None:
            tx.connections.set_report(connection_id, report, at=at)
            if report.state is not FindingState.FAIL:
                tx.lanes.resume(connection_id, now=at)

        await self._storage.write(unit)
        self._on_change()
        return report

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
                tx.deliveries.move_open(connection_id, to_connection_id="", to_lane=HOMELESS_LANE)

        await self._storage.write(unit)
        await self._book.refresh(force=True)
        if integration.open_channel is not None:
            await self._openers.channel(integration, opened).unregister()
        _log.info("connection.removed", connection_id=connection_id, action=by)

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

    async def _introduce(self, integration: Integration, opened: OpenConnection, path: str) -> CheckReport:
        """Ask the vendor, and tell it our address when it has to reach us."""
        report = await self._ask(integration, opened)
        if integration.open_channel is not None and integration.manifest.public_url_needed:
            if self._public_url is None:
                raise ConfigurationError(
                    f"{integration.manifest.title} must reach Leadgate from outside, and LEADGATE_PUBLIC_URL is not set.",
                    code="connection.public_url_missing",
                    hint="Set LEADGATE_PUBLIC_URL=https://…, or add --no-check to register the webhook later.",
                )
            if not _is_hopeless(report):
                report = await self._openers.channel(integration, opened).register(self._public_url + path)
        _refuse(integration.manifest, report)
        return report

    def _keep(
        self,
        tx: Transaction,
        integration: Integration,
        connection: Connection,
        checked: Checked,
        report: CheckReport | None,
    ) -> None:
        at = connection.created_at
        tx.connections.add(connection)
        for name, secret in checked.secrets.items():
            self._keep_secret(tx, connection.connection_id, name, secret, version=1, at=at)
        if report is not None:
            tx.connections.set_report(connection.connection_id, report, at=at)
        if integration.open_crm is not None:
            self._adopt_homeless(tx, connection.connection_id, at)

    def _keep_secret(
        self, tx: Transaction, connection_id: str, name: str, secret: Secret, *, version: int, at: datetime
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
            )
        )

    @staticmethod
    def _adopt_homeless(tx: Transaction, connection_id: str, at: datetime) -> None:
        """Leads that came before a CRM was connected go to this one."""
        lane = crm_lane(connection_id)
        if tx.deliveries.move_open("", to_connection_id=connection_id, to_lane=lane):
            tx.lanes.wake(lane, connection_id=connection_id, due_at=at)


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_LENGTH:
        raise ConfigurationError(
            f"A connection needs a name of 1 to {MAX_NAME_LENGTH} characters.", code="connection.name_wrong"
        )
    return name


def _is_hopeless(report: CheckReport) -> bool:
    return any(f.state is FindingState.FAIL and not f.code.endswith("wrong_address") for f in report.findings)


def _refuse(manifest: Manifest, report: CheckReport) -> None:
    failed = [finding for finding in report.findings if finding.state is FindingState.FAIL]
    if failed:
        raise ConflictError(f"{manifest.title}: {failed[0].text}", code="connection.refused", hint=failed[0].cure)
