"""Alarms, where they are sent, and what is read to find them; see `storage.signs` for the reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from leadgate.errors import ConflictError
from leadgate.model.alerts import Alert, AlertState, AlertTarget, Cause, MessageKind, Note, Signs
from leadgate.ports.stores.alerts import AlertKey
from leadgate.storage.base import SqlStore, TolerantInsert, given, insert_or, of_workspace
from leadgate.storage.schema import alert_notes, alert_targets, alerts, alerts_told, events, flow_hours
from leadgate.storage.signs import read_signs

HOUR = timedelta(hours=1)


def _replace_round(new: TolerantInsert) -> TolerantInsert:
    keys = ["workspace_id", "cause", "subject", "target_id"]
    return new.on_conflict_do_update(index_elements=keys, set_={"round": new.excluded.round})


def _replace_note(new: TolerantInsert) -> TolerantInsert:
    keys = ["workspace_id", "topic", "subject"]
    return new.on_conflict_do_update(index_elements=keys, set_={"at": new.excluded.at, "detail": new.excluded.detail})


def _replace_count(new: TolerantInsert) -> TolerantInsert:
    keys = ["workspace_id", "connection_id", "hour"]
    return new.on_conflict_do_update(index_elements=keys, set_={"total": new.excluded.total})


_ALL = select(alerts).where(of_workspace(alerts)).order_by(alerts.c.since, alerts.c.cause, alerts.c.subject)
_CLEAR = delete(alerts).where(of_workspace(alerts))
_ADD = insert(alerts)
_TOLD = select(alerts_told).where(of_workspace(alerts_told))
_SET_TOLD = insert_or(alerts_told, _replace_round)
_IS_ALERT = (alerts.c.workspace_id == alerts_told.c.workspace_id) & (alerts.c.cause == alerts_told.c.cause)
_FORGET_TOLD = delete(alerts_told).where(
    of_workspace(alerts_told),
    ~select(alerts.c.cause).where(_IS_ALERT, alerts.c.subject == alerts_told.c.subject).exists(),
)
_TARGETS = (
    select(alert_targets)
    .where(of_workspace(alert_targets))
    .order_by(alert_targets.c.created_at, alert_targets.c.target_id)
)
_IS_TARGET = (of_workspace(alert_targets), given(alert_targets.c.target_id))
_ADD_TARGET = insert(alert_targets)
_SET_TARGET = update(alert_targets).where(*_IS_TARGET)
_REMOVE_TARGET = delete(alert_targets).where(*_IS_TARGET)
_FORGET_TARGET = delete(alerts_told).where(of_workspace(alerts_told), given(alerts_told.c.target_id))
_IS_NOTE = (of_workspace(alert_notes), given(alert_notes.c.topic), given(alert_notes.c.subject))
_NOTE = insert_or(alert_notes, _replace_note)
_FIND_NOTE = select(alert_notes).where(*_IS_NOTE)
_DROP_NOTE = delete(alert_notes).where(*_IS_NOTE)
_COUNT_HOUR = (
    select(events.c.connection_id, func.count().label("total"))
    .where(of_workspace(events), events.c.received_at >= bindparam("since"), events.c.received_at < bindparam("until"))
    .group_by(events.c.connection_id)
)
_FLOW = select(flow_hours).where(of_workspace(flow_hours))
_ADD_FLOW = insert_or(flow_hours, _replace_count)
_FORGET_FLOW = delete(flow_hours).where(of_workspace(flow_hours), flow_hours.c.hour < bindparam("before"))


class SqlAlertStore(SqlStore):
    """See `ports.stores.AlertStore`."""

    def signs(self, *, now: datetime) -> Signs:
        """Reads partial indexes, so that it costs what is open and not what ever was."""
        return read_signs(self._connection, self._workspace_id, now=now)

    def all(self) -> Sequence[Alert]:
        """Oldest first."""
        return [_alert(row) for row in self._run(_ALL)]

    def replace_all(self, kept: Sequence[Alert]) -> None:
        """There are a handful at most; those that are forgotten take along who heard of them."""
        self._run(_CLEAR)
        for alert in kept:
            columns = asdict(alert) | {"needs_person": int(alert.needs_person), "total": alert.count}
            del columns["count"]
            self._keep(_ADD, **columns)
        self._run(_FORGET_TOLD)

    def told(self) -> Mapping[tuple[AlertKey, str], int]:
        """Newest message by alarm and address."""
        return {((Cause(row.cause), row.subject), row.target_id): row.round for row in self._run(_TOLD)}

    def set_told(self, key: AlertKey, target_id: str, number: int) -> None:
        """Keep the number."""
        cause, subject = key
        self._keep(_SET_TOLD, cause=cause, subject=subject, target_id=target_id, round=number)

    def targets(self) -> Sequence[AlertTarget]:
        """Oldest first."""
        return [_target(row) for row in self._run(_TARGETS)]

    def add_target(self, target: AlertTarget) -> None:
        """Names are taken once, so that people can tell addresses apart."""
        try:
            self._keep(_ADD_TARGET, **asdict(target))
        except IntegrityError as error:
            raise ConflictError(
                f"There is an address named {target.name!r} already.",
                code="alert.name_taken",
                hint="Choose another --name, or remove the old address first.",
            ) from error

    def set_target(self, target: AlertTarget) -> None:
        """Replace everything but the address itself and its name."""
        ends = ("failures", "failing_since", "retry_at", "last_error", "last_sent_at")
        self._run(_SET_TARGET, for_target_id=target.target_id, **{name: getattr(target, name) for name in ends})

    def remove_target(self, target_id: str) -> bool:
        """Forget it and what it heard."""
        self._run(_FORGET_TARGET, for_target_id=target_id)
        return self._run(_REMOVE_TARGET, for_target_id=target_id).rowcount == 1

    def note(self, note: Note) -> None:
        """Keep or replace."""
        self._keep(_NOTE, **asdict(note))

    def find_note(self, topic: str, subject: str = "") -> Note | None:
        """One note."""
        row = self._run(_FIND_NOTE, for_topic=topic, for_subject=subject).one_or_none()
        return None if row is None else Note(topic=row.topic, subject=row.subject, at=row.at, detail=row.detail)

    def drop_note(self, topic: str, subject: str = "") -> None:
        """Forget it."""
        self._run(_DROP_NOTE, for_topic=topic, for_subject=subject)

    def count_hour(self, hour: datetime) -> Mapping[str, int]:
        """One range of the index of arrivals."""
        return {row.connection_id: row.total for row in self._run(_COUNT_HOUR, since=hour, until=hour + HOUR)}

    def add_flow(self, hour: datetime, counts: Mapping[str, int], *, forget_before: datetime) -> None:
        """A second call for an hour replaces its counts."""
        for connection_id, count in sorted(counts.items()):
            self._keep(_ADD_FLOW, connection_id=connection_id, hour=hour, total=count)
        self._run(_FORGET_FLOW, before=forget_before)

    def flow(self) -> Mapping[str, Mapping[datetime, int]]:
        """At most four weeks of hours a connection."""
        found: dict[str, dict[datetime, int]] = {}
        for row in self._run(_FLOW):
            found.setdefault(row.connection_id, {})[row.hour] = row.total
        return found


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        cause=Cause(row.cause),
        subject=row.subject,
        who=row.who,
        detail=row.detail,
        count=row.total,
        since=row.since,
        needs_person=bool(row.needs_person),
        state=AlertState(row.state),
        seen_at=row.seen_at,
        clear_since=row.clear_since,
        solved_at=row.solved_at,
        round=row.round,
        bout_round=row.bout_round,
        kind=MessageKind(row.kind),
        told_at=row.told_at,
        flaps=row.flaps,
    )


def _target(row: Row[Any]) -> AlertTarget:
    return AlertTarget(
        target_id=row.target_id,
        name=row.name,
        service=row.service,
        created_at=row.created_at,
        sealed_address=row.sealed_address,
        failures=row.failures,
        failing_since=row.failing_since,
        retry_at=row.retry_at,
        last_error=row.last_error,
        last_sent_at=row.last_sent_at,
    )
