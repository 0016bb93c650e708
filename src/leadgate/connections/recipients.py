"""Foreign recipients are off by default: asked before a connection is made, and told by every check while nobody has decided."""

from __future__ import annotations

from collections.abc import Mapping

from leadgate.audit.trail import recorded
from leadgate.errors import ConfigurationError
from leadgate.model.connections import Finding, FindingState, OpenConnection
from leadgate.model.journal import JournalEntry, Result, Tag
from leadgate.model.recipients import Decision, Place, Role, Standing
from leadgate.model.secret import Secret
from leadgate.ports.clock import Clock
from leadgate.ports.integration import Integration
from leadgate.ports.journal import Trail
from leadgate.ports.stores import Storage
from leadgate.privacy.recipients import (
    RULE,
    facts_of,
    host_of,
    keep_decision,
    make_decision,
    read_decisions,
    stand,
)

_UNWELCOME = frozenset({Standing.UNDECIDED, Standing.REFUSED})


def hosts_of(integration: Integration, settings: Mapping[str, str], secrets: Mapping[str, Secret]) -> tuple[str, ...]:
    """The hosts that a connection speaks to: those of its keys, else the vendor's own; none when it speaks to nobody."""
    flow = integration.manifest.flow
    if flow is None:
        return ()
    given = (settings.get(key) or (secrets[key].reveal() if key in secrets else "") for key in flow.host_keys)
    named = dict.fromkeys(host for address in given if (host := host_of(address)))
    return tuple(named) or flow.hosts[:1]


def role_of(integration: Integration, host: str) -> Role:
    """What a host is to the salon. A messenger's own servers were chosen by the client; any other server in between was not."""
    if integration.open_crm is not None:
        return Role.CRM
    if integration.open_channel is None:
        return Role.SITE if integration.manifest.client_pulls else Role.SOURCE
    flow = integration.manifest.flow
    own = () if flow is None else flow.hosts
    return Role.CHANNEL if any(host == name or host.endswith(f".{name}") for name in own) else Role.RELAY


class RecipientGate:
    """Asks for the owner's decision before anything can go to a new foreign recipient."""

    def __init__(self, storage: Storage, journal: Trail, clock: Clock) -> None:
        """Keep decisions here and journal each of them first."""
        self._storage = storage
        self._journal = journal
        self._clock = clock

    async def admit(
        self,
        integration: Integration,
        settings: Mapping[str, str],
        secrets: Mapping[str, Secret],
        *,
        reason: str | None,
        country: str | None,
        by: str,
    ) -> None:
        """Let pass what is at home or decided; a reason given now is a decision.

        Raises:
            ConfigurationError: it is foreign or unknown and nobody gave a reason (`recipient.undecided`), the owner refused it
                (`recipient.refused`), or the reason cannot be taken.
            JournalUnavailableError: a decision could not be journaled; nothing was kept.
        """
        decisions = await self._storage.read(read_decisions)
        for host in hosts_of(integration, settings, secrets):
            standing = stand(role_of(integration, host), facts_of(host), decisions.get(host))
            if standing not in _UNWELCOME:
                continue
            if standing is Standing.REFUSED or reason is None or not reason.strip():
                await self._journal.record(
                    JournalEntry(
                        tag=Tag.RECIPIENT_REFUSED, by=by, on=RULE, result=Result.REFUSED, details={"host": host}
                    )
                )
                raise _refusal(integration, host, standing)
            await self.decide(host, is_allowed=True, country=country or "", reason=reason, rkn_notice="", by=by)

    async def decide(
        self, host: str, *, is_allowed: bool, country: str, reason: str, rkn_notice: str, by: str
    ) -> Decision:
        """Trail a decision, then put it in force.

        Raises:
            ConfigurationError: no reason, or the country cannot be.
            JournalUnavailableError: nothing was changed.
        """
        decision = make_decision(
            host,
            is_allowed=is_allowed,
            country=country,
            reason=reason,
            rkn_notice=rkn_notice,
            by=by,
            at=self._clock.now(),
        )
        tag = Tag.RECIPIENT_ALLOWED if is_allowed else Tag.RECIPIENT_REFUSED
        details: dict[str, str | int] = {
            "host": host,
            "country": decision.country or facts_of(host).country or "unknown",
            "rkn_notice": int(bool(decision.rkn_notice)),
        }
        async with recorded(self._journal, JournalEntry(tag=tag, by=by, on=RULE, details=details)):
            await self._storage.write(lambda tx: keep_decision(tx, host, decision))
        return decision

    async def findings(self, integration: Integration, opened: OpenConnection) -> tuple[Finding, ...]:
        """What a check adds while a foreign recipient waits for a decision; it raises no alarm and stops nothing."""
        decisions = await self._storage.read(read_decisions)
        secrets = {name: values[0] for name, values in opened.secrets.items() if values}
        for host in hosts_of(integration, opened.settings, secrets):
            standing = stand(role_of(integration, host), facts_of(host), decisions.get(host))
            if standing in _UNWELCOME:
                return (finding_of(standing),)
        return ()


def finding_of(standing: Standing) -> Finding:
    """A recipient that nobody allowed, as a finding."""
    if standing is Standing.REFUSED:
        return Finding(
            "recipient.refused",
            FindingState.WARN,
            "The owner refused this recipient, and personal data still goes there.",
            "Pause or remove the connection, or decide anew: leadgate data-map decide --help",
        )
    return Finding(
        "recipient.undecided",
        FindingState.WARN,
        "Personal data goes to a server outside Russia, or to one whose country is not known, and nobody has decided on it.",
        "Decide on the page Data map, or run: leadgate data-map decide --help",
    )


def _refusal(integration: Integration, host: str, standing: Standing) -> ConfigurationError:
    title = integration.manifest.title
    if standing is Standing.REFUSED:
        return ConfigurationError(
            f"The owner refused {host}, so {title} is not connected.",
            code="recipient.refused",
            hint=f"Decide anew with: leadgate data-map decide {host} --allow --reason …",
        )
    is_known = facts_of(host).place is Place.ABROAD
    where = "is outside Russia" if is_known else "is in no list of ours, so it counts as foreign"
    further = "." if is_known else ", and --host-country RU when the server stands in Russia."
    return ConfigurationError(
        f"{host} {where}: clients' data would leave the country, so {title} is not connected.",
        code="recipient.undecided",
        hint='Say why it may: --foreign-reason "…"' + further,
    )
