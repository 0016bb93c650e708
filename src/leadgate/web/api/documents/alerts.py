"""Alarms and where they are sent. Addresses hold secrets and are never shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from leadgate.model.alerts import AddressTrial, Alert, AlertOverview, AlertTarget, Cause
from leadgate.model.views import Page
from leadgate.web.api.documents.plain import Items, Moment, cut_page


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDocument:
    """An alarm that is raised now.

    Attributes:
        subject: id of the connection or address that it is about; null when it is about the whole house.
        who: what people call the subject.
        code: an error code, or a number as text.
        count: how many wait, died or fail; of silence, how many usually come.
        told_at: since when the newest message is due; `messages` how many there were.
    """

    cause: Cause
    subject: str | None
    who: str | None
    code: str | None
    since: Moment
    count: int
    needs_person: bool
    told_at: Moment
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressDocument:
    """Where alarms are sent. `failures` counts failed sends in a row, `error_code` is that of the last."""

    id: str
    name: str
    service: str
    created_at: Moment
    last_sent_at: Moment | None
    failures: int
    failing_since: Moment | None
    error_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsDocument:
    """What is raised now, newest first, and where it is sent.

    Attributes:
        next: the `cursor` of the following page; null on the last one.
        unsent: messages that an address has not taken yet.
        looked_at: when a worker last looked for trouble.
    """

    items: Sequence[AlertDocument]
    next: str | None
    addresses: Sequence[AddressDocument]
    unsent: int
    looked_at: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAddressDocument:
    """An address that is told of alarms from now on."""

    address: str
    name: str
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedAddressDocument:
    """An address that is told of alarms no more."""

    address: str
    state: Literal["removed"] = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDocument:
    """Whether an address took a trial message."""

    address: str
    name: str
    state: Literal["taken", "failed"]
    error_code: str | None


def newest_alerts(overview: AlertOverview, *, limit: int, cursor: str | None) -> Page[Alert]:
    """One page of what is raised now. Raises ConfigurationError for a foreign cursor."""
    newest = sorted(overview.alerts, key=lambda alert: alert.since, reverse=True)
    return cut_page(newest, limit=limit, cursor=cursor)


def alerts_document(overview: AlertOverview, page: Page[Alert]) -> AlertsDocument:
    """The page with the addresses."""
    return AlertsDocument(
        items=[alert_document(alert) for alert in page.items],
        next=page.next_cursor,
        addresses=[address_document(target) for target in overview.targets],
        unsent=overview.unsent,
        looked_at=overview.looked_at,
    )


def alert_document(alert: Alert) -> AlertDocument:
    """One alarm."""
    return AlertDocument(
        cause=alert.cause,
        subject=alert.subject or None,
        who=alert.who or None,
        code=alert.detail or None,
        since=alert.since,
        count=alert.count,
        needs_person=alert.needs_person,
        told_at=alert.told_at,
        messages=alert.round,
    )


def address_document(target: AlertTarget) -> AddressDocument:
    """One address, without the address itself."""
    return AddressDocument(
        id=target.target_id,
        name=target.name,
        service=target.service,
        created_at=target.created_at,
        last_sent_at=target.last_sent_at,
        failures=target.failures,
        failing_since=target.failing_since,
        error_code=target.last_error,
    )


def new_address_document(target: AlertTarget) -> NewAddressDocument:
    """What adding an address answers."""
    return NewAddressDocument(address=target.target_id, name=target.name, service=target.service)


def trials_document(trials: Sequence[AddressTrial]) -> Items[TrialDocument]:
    """What trying every address answers."""
    return Items(
        [
            TrialDocument(
                address=trial.target_id,
                name=trial.name,
                state="failed" if trial.error_code else "taken",
                error_code=trial.error_code,
            )
            for trial in trials
        ]
    )
