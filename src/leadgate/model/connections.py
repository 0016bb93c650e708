"""A connection: one account of the salon at one vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from leadgate.model.secret import LiveSecrets, Secret


class ConnectionState(StrEnum):
    """What a connection does now."""

    ACTIVE = "active"
    PAUSED = "paused"
    """Everything that arrives is kept; nothing is worked on or sent until it is resumed."""
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Connection:
    """One account at one vendor, without its secrets.

    Attributes:
        connection_id: `conn_…`; part of the webhook address.
        kind: kind of the integration, for instance `telegram`.
        name: what people call it; unique among live connections of a workspace.
        settings: public settings by name, all text.
    """

    workspace_id: str
    connection_id: str
    kind: str
    name: str
    settings: Mapping[str, str]
    state: ConnectionState
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """A connection with its live secrets, for the parts that verify and send.

    Attributes:
        own_hosts: hosts of the own network that the owner allowed to call; any other private address is refused on the wire.
    """

    connection: Connection
    secrets: LiveSecrets = field(repr=False)
    own_hosts: frozenset[str] = frozenset()

    @property
    def settings(self) -> Mapping[str, str]:
        """Public settings by name."""
        return self.connection.settings

    def secret(self, name: str) -> Secret | None:
        """The newest live secret of this name, or None."""
        values = self.secrets.get(name, ())
        return values[0] if values else None


class FindingState(StrEnum):
    """How grave a finding of a check is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a live check of a connection.

    Attributes:
        code: stable, for instance `bitrix24.webhook_of_administrator`; the Russian text is looked up by it.
        text: one English sentence; no secret, no personal data.
        cure: what to do, one sentence, or an empty string.
        needs_registration: True when registering our address at the vendor cures it.
        is_jam: a warning that things pile up or fail at the vendor, so that somebody should hear of it when it lasts.
    """

    code: str
    state: FindingState
    text: str
    cure: str = ""
    needs_registration: bool = False
    is_jam: bool = False


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a live check of a connection found, gravest first.

    Attributes:
        learned: public settings that the vendor told, for instance the bot's user name; kept with the connection's others.
    """

    findings: tuple[Finding, ...]
    learned: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> FindingState:
        """The gravest state among the findings; OK when there are none."""
        states = {finding.state for finding in self.findings}
        return next((s for s in (FindingState.FAIL, FindingState.WARN) if s in states), FindingState.OK)
