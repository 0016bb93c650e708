"""Connections and what their checks found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadgate.model.connections import CheckReport, ConnectionState, FindingState
from leadgate.model.views import ConnectionView, Light
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingDocument:
    """One finding of a live check; `cure` is what to do, or empty."""

    code: str
    state: FindingState
    text: str
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionDocument:
    """One account of the salon at one vendor; its secrets are never shown.

    Attributes:
        problem: code of what is wrong; `since` since when.
        waiting: deliveries to it that are not over.
        webhook_path: where the vendor sends to, under our public address.
        findings: of the last check at `checked_at`.
    """

    id: str
    kind: str
    name: str
    state: ConnectionState
    light: Light
    problem: str | None
    since: Moment | None
    waiting: int
    webhook_path: str
    settings: Mapping[str, str]
    created_at: Moment
    last_event_at: Moment | None
    checked_at: Moment | None
    findings: Sequence[FindingDocument]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCheckDocument:
    """What asking the vendor now has found; `state` is the gravest of the findings."""

    connection: str
    state: FindingState
    findings: Sequence[FindingDocument]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedDocument:
    """A fresh connection; its secrets are not shown."""

    connection: str
    kind: str
    name: str
    webhook_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStateDocument:
    """What a connection does after what was asked for."""

    connection: str
    state: ConnectionState


def connection_document(view: ConnectionView) -> ConnectionDocument:
    """A connection with its light."""
    connection = view.connection
    return ConnectionDocument(
        id=connection.connection_id,
        kind=connection.kind,
        name=connection.name,
        state=connection.state,
        light=view.light,
        problem=view.problem,
        since=view.since,
        waiting=view.waiting,
        webhook_path=f"/webhooks/{connection.kind}/{connection.connection_id}",
        settings=dict(connection.settings),
        created_at=connection.created_at,
        last_event_at=view.last_event_at,
        checked_at=view.checked_at,
        findings=_findings(view.report),
    )


def connection_check_document(connection_id: str, report: CheckReport) -> ConnectionCheckDocument:
    """A fresh check."""
    return ConnectionCheckDocument(connection=connection_id, state=report.state, findings=_findings(report))


def _findings(report: CheckReport | None) -> list[FindingDocument]:
    if report is None:
        return []
    return [FindingDocument(code=f.code, state=f.state, text=f.text, cure=f.cure) for f in report.findings]
