"""What alarms are made of, read from partial indexes: it costs what is open, not what ever was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy.engine import Connection

from leadgate.alerts.causes import NEEDS_PERSON
from leadgate.catalogue.meanings import meaning_of
from leadgate.crm.ledger import missing_leads, part_accepted
from leadgate.model.alerts import CANARY_ID, ConnectionSigns, Note, Signs
from leadgate.model.incidents import EVERYTHING
from leadgate.model.views import Difference
from leadgate.storage.acceptances import SqlAcceptanceStore
from leadgate.storage.base import of_workspace
from leadgate.storage.schema import (
    DELIVERY_IS_OPEN,
    DELIVERY_IS_STUCK_IN_INDEX,
    EVENT_IS_FAILED,
    EVENT_IS_PENDING,
    alert_notes,
    connections,
    deliveries,
    events,
    freezes,
    lanes,
    reconciliations,
)

FAILURES_OF = timedelta(days=7)
"""Older events that broke our code stay in the ledger but raise no alarm: nobody would cure them any more."""

_CONNECTIONS = select(connections).where(
    of_workspace(connections), connections.c.state != "removed", connections.c.connection_id != CANARY_ID
)
_PROBLEMS = (
    select(lanes.c.connection_id, lanes.c.problem, func.min(lanes.c.problem_since).label("since"))
    # A lane with a problem always has a next look, and only those with one stand in an index.
    .where(of_workspace(lanes), lanes.c.due_at.is_not(None), lanes.c.problem.is_not(None))
    .group_by(lanes.c.connection_id, lanes.c.problem)
)
_OPEN = (
    select(
        deliveries.c.connection_id,
        func.count().label("total"),
        func.min(deliveries.c.due_at).label("due_at"),
        func.min(deliveries.c.created_at).label("created_at"),
    )
    .where(of_workspace(deliveries), DELIVERY_IS_OPEN)
    .group_by(deliveries.c.connection_id)
)
_STUCK = (
    select(
        deliveries.c.connection_id,
        deliveries.c.state,
        deliveries.c.error_code,
        func.count().label("total"),
        func.min(func.coalesce(deliveries.c.done_at, deliveries.c.created_at)).label("since"),
    )
    .where(of_workspace(deliveries), DELIVERY_IS_STUCK_IN_INDEX)
    .group_by(deliveries.c.connection_id, deliveries.c.state, deliveries.c.error_code)
)
_PENDING = (
    select(events.c.connection_id, func.count().label("total"))
    .where(EVENT_IS_PENDING, of_workspace(events), events.c.part >= 0)
    .group_by(events.c.connection_id)
)
_ACTIVE = select(connections.c.connection_id).where(of_workspace(connections), connections.c.state == "active")
_OLDEST = (
    select(events.c.received_at)
    .where(EVENT_IS_PENDING, of_workspace(events), events.c.connection_id.in_(_ACTIVE))
    .order_by(events.c.seq)
    .limit(1)
)
_FAILED = (
    select(events.c.connection_id, func.count().label("total"), func.min(events.c.processed_at).label("since"))
    .where(
        EVENT_IS_FAILED,
        of_workspace(events),
        events.c.processed_at >= bindparam("since"),
        events.c.reason != "connection.removed",
    )
    .group_by(events.c.connection_id)
)
_RECONCILED = (
    select(reconciliations.c.result, reconciliations.c.started_at)
    .where(of_workspace(reconciliations))
    .order_by(reconciliations.c.started_at.desc())
    .limit(1)
)
_FREEZES = select(freezes.c.connection_id).where(of_workspace(freezes))
_NOTES = select(alert_notes).where(of_workspace(alert_notes))


class _Result(msgspec.Struct):
    """Of what a reconciliation kept, that which matters here."""

    differences: Sequence[Difference] = ()


def read_signs(connection: Connection, workspace_id: str, *, now: datetime) -> Signs:
    """What the house of a workspace looks like."""

    def run(statement: Select[Any], **values: object) -> list[Row[Any]]:
        return list(connection.execute(statement, {"for_workspace_id": workspace_id, **values}))

    problems, opened, pending = (
        _gravest(run(_PROBLEMS)),
        _by_connection(run(_OPEN)),
        _by_connection(run(_PENDING)),
    )
    failed = _by_connection(run(_FAILED, since=now - FAILURES_OF))
    stuck: dict[str, list[Row[Any]]] = {}
    for row in run(_STUCK):
        stuck.setdefault(row.connection_id, []).append(row)
    views = [
        _signs_of(row, problems=problems, opened=opened, pending=pending, failed=failed, stuck=stuck)
        for row in run(_CONNECTIONS)
    ]
    active = {view.connection_id for view in views if not view.is_paused}
    homeless, oldest, reconciled = opened.get(""), run(_OLDEST), run(_RECONCILED)
    frozen = {row.connection_id for row in run(_FREEZES)}
    missing = _missing_leads(reconciled[0].result) if reconciled else []
    accepted = SqlAcceptanceStore(connection, workspace_id).among(missing) if missing else frozenset()
    return Signs(
        connections=views,
        homeless=homeless.total if homeless else 0,
        homeless_since=homeless.created_at if homeless else None,
        pending=sum(row.total for name, row in pending.items() if name in active),
        pending_since=oldest[0].received_at if oldest else None,
        differences=_count_differences(reconciled[0].result, accepted) if reconciled else 0,
        reconciled_at=reconciled[0].started_at if reconciled else None,
        frozen=frozenset(one.connection_id for one in views if frozen & {EVERYTHING, one.connection_id}),
        notes=[Note(topic=row.topic, subject=row.subject, at=row.at, detail=row.detail) for row in run(_NOTES)],
    )


def _signs_of(
    row: Row[Any],
    *,
    problems: Mapping[str, Row[Any]],
    opened: Mapping[str, Row[Any]],
    pending: Mapping[str, Row[Any]],
    failed: Mapping[str, Row[Any]],
    stuck: Mapping[str, list[Row[Any]]],
) -> ConnectionSigns:
    name = row.connection_id
    problem, waiting, lost = problems.get(name), opened.get(name), failed.get(name)
    dead = [one for one in stuck.get(name, []) if one.state == "dead"]
    uncertain = [one for one in stuck.get(name, []) if one.state == "uncertain"]
    return ConnectionSigns(
        connection_id=name,
        kind=row.kind,
        name=row.name,
        is_paused=row.state == "paused",
        changed_at=row.changed_at,
        problem=problem.problem if problem else None,
        problem_since=problem.since if problem else None,
        waiting=waiting.total if waiting else 0,
        overdue_since=waiting.due_at if waiting else None,
        pending=pending[name].total if name in pending else 0,
        dead={one.error_code or "": one.total for one in dead},
        dead_since=min((one.since for one in dead), default=None),
        uncertain=sum(one.total for one in uncertain),
        uncertain_since=min((one.since for one in uncertain), default=None),
        failed=lost.total if lost else 0,
        failed_since=lost.since if lost else None,
        last_event_at=row.last_event_at,
    )


def _gravest(rows: list[Row[Any]]) -> dict[str, Row[Any]]:
    """Of several lanes' troubles the one that no waiting cures, else the one that is first by name. The last row wins."""
    return _by_connection(sorted(rows, key=lambda row: (meaning_of(row.problem) in NEEDS_PERSON, row.problem)))


def _by_connection(rows: list[Row[Any]]) -> dict[str, Row[Any]]:
    return {row.connection_id or "": row for row in rows}


def _missing_leads(result: str) -> list[str]:
    return missing_leads(_read_differences(result))


def _count_differences(result: str, accepted: frozenset[str]) -> int:
    """How many there still are: what somebody accepted since is none any more."""
    stay, _ = part_accepted(_read_differences(result), accepted)
    return len(stay)


def _read_differences(result: str) -> Sequence[Difference]:
    return msgspec.json.decode(result, type=_Result).differences
