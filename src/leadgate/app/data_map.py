"""The data map: who receives what, in which country, as the configuration stands at this moment. Asks nobody on the net."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from leadgate import registry
from leadgate.app.data_map_words import MapWords, ToldRecipient
from leadgate.connections.book import ConnectionBook, is_active
from leadgate.connections.recipients import RecipientGate, hosts_of, role_of
from leadgate.errors import NotFoundError
from leadgate.model.alerts import AlertTarget
from leadgate.model.connections import OpenConnection
from leadgate.model.recipients import DataKind, DataMap, Decision, HostFacts, Place, Recipient, Role, Standing
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.stores import Transaction, Workspace
from leadgate.privacy.policies import CRM_PURPOSES
from leadgate.privacy.recipients import facts_of, facts_of_service, host_of, place_of, read_decisions, stand
from leadgate.privacy.rules import LiveRules
from leadgate.reports.paper import print_paper
from leadgate.settings import Settings
from leadgate.storage.sql_storage import SqlStorage

_ORDER = (
    Standing.REFUSED,
    Standing.UNDECIDED,
    Standing.ALLOWED,
    Standing.CHANNEL_ABROAD,
    Standing.FINE,
    Standing.NOTHING_PERSONAL,
)
_log = get_logger("recipients")


class DataMapDesk:
    """See `web.house.DataMaps`."""

    def __init__(
        self,
        storage: SqlStorage,
        book: ConnectionBook,
        gate: RecipientGate,
        rules: LiveRules,
        *,
        settings: Settings,
        workspace: Workspace,
        clock: Clock,
    ) -> None:
        """Draw from these."""
        self._storage = storage
        self._book = book
        self._gate = gate
        self._rules = rules
        self._settings = settings
        self._workspace = workspace
        self._clock = clock

    async def draw(self) -> DataMap:
        """Every recipient, those that want a decision first."""

        def read(tx: Transaction) -> tuple[Mapping[str, Decision], Sequence[AlertTarget]]:
            return read_decisions(tx), tx.alerts.targets()

        decisions, targets = await self._storage.read(read)
        rows = [
            *(row for opened in self._book.all() for row in self._of_connection(opened, decisions)),
            *self._of_house(decisions),
            *(_of_target(target) for target in targets),
        ]
        rows.sort(key=lambda row: (_ORDER.index(row.standing), row.role, row.title))
        return DataMap(made_at=self._clock.now(), recipients=rows)

    async def decide(
        self, host: str, *, is_allowed: bool, country: str, reason: str, rkn_notice: str, by: str
    ) -> Sequence[Recipient]:
        """Decide about a host; its rows of the map afterwards.

        Raises:
            NotFoundError: no recipient of the map has this host.
            ConfigurationError: no reason, or the country cannot be.
            JournalUnavailableError: nothing was changed.
        """
        host = host_of(host)
        if not host or all(row.host != host for row in (await self.draw()).recipients):
            raise NotFoundError(
                "No recipient has this host.", code="recipient.not_found", hint="See: leadgate data-map"
            )
        await self._gate.decide(
            host, is_allowed=is_allowed, country=country, reason=reason, rkn_notice=rkn_notice, by=by
        )
        return [row for row in (await self.draw()).recipients if row.host == host]

    def tell(self, drawn: DataMap, *, locale: str) -> Sequence[ToldRecipient]:
        """The rows in words of a language."""
        words = MapWords(self._workspace, locale)
        return [words.tell(row) for row in drawn.recipients]

    async def warn(self) -> None:
        """Say in the log, once at the start, which recipients nobody has decided on."""
        for row in (await self.draw()).undecided:
            _log.warning(
                "recipient.undecided",
                kind=row.role.value,
                connection_id=row.key if row.key.startswith("conn_") else None,
            )

    async def paper(self) -> bytes:
        """The map as PDF."""
        drawn = await self.draw()
        words = MapWords(self._workspace)
        return await asyncio.to_thread(print_paper, "data_map", words.paper(drawn), at=drawn.made_at)

    def _of_connection(self, opened: OpenConnection, decisions: Mapping[str, Decision]) -> list[Recipient]:
        connection, integration = opened.connection, registry.get(opened.connection.kind)
        flow = integration.manifest.flow
        secrets = {name: values[0] for name, values in opened.secrets.items() if values}
        hosts = hosts_of(integration, opened.settings, secrets)
        if flow is None:
            return []
        rows = []
        for host in hosts or ("",):
            role = role_of(integration, host)
            rows.append(
                _row(
                    connection.connection_id,
                    role,
                    facts_of(host) if host else HostFacts(host="", place=_homeless(role)),
                    decisions.get(host),
                    kind=connection.kind,
                    title=connection.name,
                    goes=flow.goes,
                    comes=flow.comes,
                    labels=self._passing() if role is Role.CRM else (),
                    since=connection.created_at,
                    is_paused=not is_active(connection),
                )
            )
        return rows

    def _passing(self) -> tuple[str, ...]:
        """Kinds of personal data that may stand in free text for the CRM, as the owner decided."""
        policies = self._rules.now.policies
        return tuple(sorted({label.value for purpose in CRM_PURPOSES for label in policies.passes(purpose)}))

    def _of_house(self, decisions: Mapping[str, Decision]) -> list[Recipient]:
        rows = [
            self._of_place(Role.DATABASE, database_host(self._settings.database_url), decisions),
            self._of_place(Role.KEYS, "localhost", decisions),
        ]
        if self._settings.public_url is not None:
            rows.append(self._of_place(Role.ENTRANCE, host_of(self._settings.public_url), decisions))
        return rows

    def _of_place(self, role: Role, host: str, decisions: Mapping[str, Decision]) -> Recipient:
        goes = () if role is Role.KEYS else tuple(DataKind)
        return _row(role.value, role, facts_of(host), decisions.get(host), goes=goes, since=self._workspace.created_at)


def database_host(url: str) -> str:
    """The database's host; the house itself for SQLite."""
    return "localhost" if url.startswith("sqlite") else (urlsplit(url).hostname or "localhost").lower()


def _homeless(role: Role) -> Place:
    return Place.HOUSE if role is Role.SITE else Place.UNKNOWN


def _of_target(target: AlertTarget) -> Recipient:
    facts = facts_of_service(target.service)
    title = f"{target.name} ({target.service})"
    return _row(target.target_id, Role.ALERTS, facts, None, kind="alerts", title=title, since=target.created_at)


def _row(
    key: str,
    role: Role,
    facts: HostFacts,
    decision: Decision | None,
    *,
    kind: str = "",
    title: str = "",
    goes: Sequence[DataKind] = (),
    comes: Sequence[DataKind] = (),
    labels: Sequence[str] = (),
    since: datetime | None = None,
    is_paused: bool = False,
) -> Recipient:
    place, country = place_of(facts, decision)
    return Recipient(
        key=key,
        role=role,
        kind=kind or role.value,
        title=title,
        host=facts.host,
        place=place,
        country=country,
        standing=stand(role, facts, decision),
        goes=goes,
        comes=comes,
        labels=sorted(labels),
        since=since,
        is_paused=is_paused,
        facts=facts,
        decision=decision,
    )
