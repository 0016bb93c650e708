"""What pages, the API and the commands read: listings with a cursor, details, figures. No personal data passes here."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, case, exists, func, or_, select, true
from sqlalchemy.engine import Connection

from leadgate.crm.endings import CrmDuty, name_ending
from leadgate.errors import ConfigurationError
from leadgate.model.alerts import CANARY_ID
from leadgate.model.deliveries import (
    OPEN_STATES,
    DeliveryKind,
    DeliveryState,
    MessageFate,
)
from leadgate.model.events import EventState
from leadgate.model.leads import LeadRef, LeadState
from leadgate.model.reach import ReachFacts
from leadgate.model.views import (
    DeadCause,
    DeliveryCounts,
    DeliveryDetail,
    DeliveryRow,
    EventRow,
    Figures,
    HeldBack,
    LeadRow,
    Ledger,
    Page,
    RefusalRow,
)
from leadgate.privacy.held_back import PREFIX as _HELD
from leadgate.privacy.held_back import parse_code
from leadgate.storage.base import SqlStore
from leadgate.storage.chats import SqlFateStore
from leadgate.storage.deliveries import read_attempt
from leadgate.storage.leads import find_ref
from leadgate.storage.reach import SqlReach
from leadgate.storage.schema import (
    DELIVERY_IS_OPEN,
    DELIVERY_IS_STUCK_IN_INDEX,
    EVENT_IS_PENDING,
    attempts,
    connections,
    deliveries,
    events,
    lanes,
    leads,
    reconciliations,
    refusals,
    staff,
    subjects,
)

MAX_PAGE = 500
_OPEN = tuple(state.value for state in OPEN_STATES)
_CRM_KINDS = (DeliveryKind.CREATE_LEAD.value, DeliveryKind.UPDATE_LEAD.value, DeliveryKind.TIMELINE_ENTRY.value)


class SqlQueries(SqlStore):
    """Reads for one workspace inside one transaction."""

    def __init__(self, connection: Connection, workspace_id: str) -> None:
        """Read through this connection."""
        super().__init__(connection, workspace_id)

    def ledger(self, *, since: datetime, until: datetime) -> Ledger:
        """Every event of a period in exactly one named state, chosen in the order of `crm.endings`."""
        standing = case(
            (_is_erased(), "erased"),
            (events.c.state != "lead", events.c.state),
            (self._has_delivery(("dead",)), "dead"),
            (self._has_delivery(_OPEN), "waiting"),
            (self._was_given_up(), "ignored"),
            else_="in_crm",
        )
        query = select(standing.label("standing"), func.count().label("total")).where(*self._received(since, until))
        counts = {row.standing: row.total for row in self._connection.execute(query.group_by(standing))}
        total = select(func.count()).where(*self._received(since, until))
        return Ledger(
            received=self._connection.execute(total).scalar_one(),
            in_crm=counts.get("in_crm", 0),
            waiting=counts.get("waiting", 0) + counts.get("received", 0),
            dead=counts.get("dead", 0) + counts.get("failed", 0),
            answered=counts.get("answered", 0),
            ignored=counts.get("ignored", 0) + counts.get("erased", 0),
            erased=counts.get("erased", 0),
        )

    def figures(self, *, since: datetime, until: datetime) -> Figures:
        """Requests of a period: leads that somebody wrote to, and events that are not worked on yet or could not be."""
        grade = case(
            (self._has_delivery(("dead",)), 2), (self._has_delivery(_OPEN), 1), (self._was_given_up(), -1), else_=0
        )
        per_event = (
            select(events.c.lead_id, grade.label("grade"))
            .where(*self._received(since, until), events.c.state == "lead")
            .subquery()
        )
        per_lead = select(func.max(per_event.c.grade).label("grade")).group_by(per_event.c.lead_id).subquery()
        leads_by_grade = select(per_lead.c.grade, func.count().label("total")).group_by(per_lead.c.grade)
        totals = {row.grade: row.total for row in self._connection.execute(leads_by_grade)}
        done, waiting, dead = (int(totals.get(grade_number, 0)) for grade_number in range(3))
        others = select(events.c.state, func.count().label("total")).where(
            *self._received(since, until), events.c.state != "lead"
        )
        counts = {row.state: row.total for row in self._connection.execute(others.group_by(events.c.state))}
        waiting, dead = waiting + counts.get("received", 0), dead + counts.get("failed", 0)
        return Figures(
            came=done + waiting + dead,
            in_crm=done,
            waiting=waiting,
            dead=dead,
            answered=counts.get("answered", 0),
            ignored=counts.get("ignored", 0) + int(totals.get(-1, 0)),
        )

    def _received(self, since: datetime, until: datetime) -> tuple[Any, ...]:
        within = events.c.received_at >= since, events.c.received_at < until
        return self._mine(events), *within, events.c.connection_id != CANARY_ID

    def events(
        self,
        *,
        limit: int,
        cursor: str | None,
        state: EventState | None,
        connection_id: str | None,
        since: datetime | None,
        until: datetime | None = None,
        query: str | None,
    ) -> Page[EventRow]:
        """Newest first."""
        statement = _event_rows(self._workspace_id)
        if state is not None:
            statement = statement.where(events.c.state == state.value)
        if connection_id is not None:
            statement = statement.where(events.c.connection_id == connection_id)
        if since is not None:
            statement = statement.where(events.c.received_at >= since)
        if until is not None:
            statement = statement.where(events.c.received_at < until)
        if query:
            statement = statement.where(_begins(query, events.c.event_id, events.c.lead_id))
        page = self._page(statement, events.c.seq, limit=limit, cursor=cursor, to_row=lambda row: row)
        return Page(self._event_views(page.items), page.next_cursor)

    def event(self, event_id: str) -> EventRow | None:
        """One event."""
        row = self._one(_event_rows(self._workspace_id).where(events.c.event_id == event_id))
        return None if row is None else self._event_views([row])[0]

    def _event_views(self, rows: Sequence[Row[Any]]) -> list[EventRow]:
        duties: dict[str, list[CrmDuty]] = {row.event_id: [] for row in rows}
        query = _duty_rows(self._workspace_id).where(deliveries.c.event_id.in_(list(duties)))
        for row in self._connection.execute(query.order_by(deliveries.c.seq)) if duties else ():
            duties[row.event_id].append(_duty(row))
        return [_event_row(row, duties[row.event_id]) for row in rows]

    def event_deliveries(self, event_id: str) -> Sequence[DeliveryRow]:
        """Deliveries that came of an event, oldest first."""
        statement = _delivery_rows(self._workspace_id).where(deliveries.c.event_id == event_id)
        return [
            _delivery_row(row) for row in self._connection.execute(statement.order_by(deliveries.c.seq).limit(MAX_PAGE))
        ]

    def deliveries(
        self,
        *,
        limit: int,
        cursor: str | None,
        states: Sequence[DeliveryState],
        connection_id: str | None,
        since: datetime | None,
        until: datetime | None = None,
        query: str | None,
    ) -> Page[DeliveryRow]:
        """Newest first."""
        statement = _delivery_rows(self._workspace_id)
        if states:
            statement = statement.where(deliveries.c.state.in_([state.value for state in states]))
        if connection_id is not None:
            statement = statement.where(deliveries.c.connection_id == connection_id)
        statement = statement.where(*_created(since, until))
        if query:
            statement = statement.where(
                _begins(query, deliveries.c.delivery_id, deliveries.c.event_id, deliveries.c.lead_id)
            )
        return self._page(statement, deliveries.c.seq, limit=limit, cursor=cursor, to_row=_delivery_row)

    def delivery_counts(
        self, *, since: datetime | None, until: datetime | None, connection_id: str | None
    ) -> DeliveryCounts:
        """Counts by tab, from partial indexes and the index of creation, so that a million finished ones cost nothing."""
        mine = [self._mine(deliveries)]
        if connection_id is not None:
            mine.append(deliveries.c.connection_id == connection_id)
        within = and_(true(), *_created(since, until))
        # The period stands in what is counted, not in what is read: else SQLite takes the index of creation and reads it all.
        total = func.count(case((within, 1))).label("total")
        counts: dict[str, int] = {}
        for is_in_index in (DELIVERY_IS_OPEN, DELIVERY_IS_STUCK_IN_INDEX):
            query = select(deliveries.c.state, total).where(is_in_index, *mine).group_by(deliveries.c.state)
            counts |= {row.state: row.total for row in self._connection.execute(query)}
        done = None
        if since is not None and connection_id is None:  # that index alone tells how many there are in all
            every = select(func.count()).where(*mine, within)
            done = self._connection.execute(every).scalar_one() - sum(counts.values())
        return DeliveryCounts(
            waiting=counts.get("waiting", 0) + counts.get("sending", 0),
            unknown=counts.get("unknown", 0) + counts.get("uncertain", 0),
            dead=counts.get("dead", 0),
            done=done,
        )

    def dead_causes(self) -> Sequence[DeadCause]:
        """Dead letters by cause, most first, from their partial index."""
        code, total = func.coalesce(deliveries.c.error_code, ""), func.count()
        query = (
            select(code.label("code"), total.label("total"), func.min(deliveries.c.created_at).label("since"))
            .where(DELIVERY_IS_STUCK_IN_INDEX, deliveries.c.state == "dead", self._mine(deliveries))
            .group_by(code)
            .order_by(total.desc(), code)
            .limit(MAX_PAGE)
        )
        return [DeadCause(code=row.code, count=row.total, since=row.since) for row in self._connection.execute(query)]

    def delivery(self, delivery_id: str) -> DeliveryDetail | None:
        """One delivery with its attempts."""
        row = self._one(_delivery_rows(self._workspace_id).where(deliveries.c.delivery_id == delivery_id))
        if row is None:
            return None
        tries = select(attempts).where(self._mine(attempts), attempts.c.delivery_id == delivery_id)
        return DeliveryDetail(
            row=_delivery_row(row),
            origin_id=row.origin_id,
            received_at=row.received_at,
            attempts=[read_attempt(found) for found in self._connection.execute(tries.order_by(attempts.c.number))],
            discard_reason=row.discard_reason,
            discarded_by=row.discarded_by,
            discarded_by_name=self._find_name(row.discarded_by),
            fate=self._find_fate(delivery_id),
        )

    def _find_fate(self, delivery_id: str) -> MessageFate | None:
        fate = SqlFateStore(self._connection, self._workspace_id).of_delivery(delivery_id)
        if fate is None or fate.status is None:
            return None
        return MessageFate(status=fate.status, error_code=fate.error_code, at=fate.changed_at)

    def leads(self, *, limit: int, cursor: str | None) -> Page[LeadRow]:
        """Newest first."""
        statement = select(leads).where(self._mine(leads))
        return self._page(statement, leads.c.seq, limit=limit, cursor=cursor, to_row=_lead_row)

    def refusals(self, *, since: datetime) -> Sequence[RefusalRow]:
        """Most first."""
        total = func.sum(refusals.c.count)
        query = (
            select(
                refusals.c.connection_id,
                connections.c.name,
                refusals.c.code,
                total.label("total"),
                func.max(refusals.c.last_at).label("last_at"),
            )
            .outerjoin(connections, _same(refusals, connections, "connection_id"))
            .where(self._mine(refusals), refusals.c.last_at >= since, refusals.c.code.not_like(f"{_HELD}%"))
            .group_by(refusals.c.connection_id, connections.c.name, refusals.c.code)
            .order_by(total.desc())
            .limit(MAX_PAGE)
        )
        return [
            RefusalRow(
                connection_id=row.connection_id or None,
                connection_name=row.name,
                code=row.code,
                count=int(row.total),
                last_at=row.last_at,
            )
            for row in self._connection.execute(query)
        ]

    def held_back(self, *, since: datetime) -> Sequence[HeldBack]:
        """What was masked on its way out, by hour, oldest first."""
        query = (
            select(refusals.c.hour, refusals.c.code, refusals.c.count.label("total"))
            .where(self._mine(refusals), refusals.c.hour >= since, refusals.c.code.like(f"{_HELD}%"))
            .order_by(refusals.c.hour, refusals.c.code)
        )
        found = ((row.hour, parse_code(row.code), int(row.total)) for row in self._connection.execute(query))
        return [HeldBack(hour, place, kind, count) for hour, (place, kind), count in found]

    def connection_standings(self) -> dict[str, Row[Any]]:
        """Per connection: open deliveries, problem of its lanes and since when, last event, last report."""
        open_counts = (
            select(deliveries.c.connection_id, func.count().label("waiting"))
            .where(self._mine(deliveries), DELIVERY_IS_OPEN)
            .group_by(deliveries.c.connection_id)
            .subquery()
        )
        problems = (
            select(
                lanes.c.connection_id,
                func.max(lanes.c.problem).label("problem"),
                func.min(lanes.c.problem_since).label("problem_since"),
            )
            .where(self._mine(lanes), lanes.c.problem.is_not(None))
            .group_by(lanes.c.connection_id)
            .subquery()
        )
        query = (
            select(
                connections.c.connection_id,
                connections.c.last_event_at,
                connections.c.report,
                connections.c.checked_at,
                func.coalesce(open_counts.c.waiting, 0).label("waiting"),
                problems.c.problem,
                problems.c.problem_since,
            )
            .outerjoin(open_counts, open_counts.c.connection_id == connections.c.connection_id)
            .outerjoin(problems, problems.c.connection_id == connections.c.connection_id)
            .where(self._mine(connections), connections.c.state != "removed")
        )
        rows: Any = self._connection.execute(query)
        return {row.connection_id: row for row in rows}

    def reach(self) -> ReachFacts:
        """What the report on reach is made of."""
        return SqlReach(self._connection, self._workspace_id).facts()

    def last_refs(self, subject_ids: Collection[str]) -> Mapping[str, tuple[int, LeadRef]]:
        """The last lead in the CRM of each of these subjects, with its place in the order of all leads."""
        return SqlReach(self._connection, self._workspace_id).last_refs(subject_ids)

    def last_reconciliation(self) -> str | None:
        """The newest result as JSON."""
        query = select(reconciliations.c.result).where(self._mine(reconciliations))
        result: str | None = self._connection.execute(
            query.order_by(reconciliations.c.started_at.desc()).limit(1)
        ).scalar()
        return result

    def reconciliations(self, *, limit: int) -> Sequence[str]:
        """The last results as JSON, newest first."""
        query = select(reconciliations.c.result).where(self._mine(reconciliations))
        return list(
            self._connection.execute(query.order_by(reconciliations.c.started_at.desc()).limit(limit)).scalars()
        )

    def leads_of_origins(self, origin_ids: Collection[str]) -> Sequence[LeadRow]:
        """Those of these origin ids that are ours, leads of erased people among them."""
        query = select(leads).where(self._mine(leads), leads.c.origin_id.in_(origin_ids))
        return [_lead_row(row) for row in self._connection.execute(query)]

    def erased_leads(self, lead_ids: Collection[str]) -> frozenset[str]:
        """Those of these leads whose person was erased on request."""
        query = (
            select(leads.c.lead_id)
            .join(subjects, _same(leads, subjects, "subject_id"))
            .where(self._mine(leads), leads.c.lead_id.in_(lead_ids), subjects.c.erased_at.is_not(None))
        )
        return frozenset(self._connection.execute(query).scalars())

    def leads_since(self, *, since: datetime | None, after_seq: int, limit: int) -> Sequence[tuple[int, LeadRow]]:
        """Leads in order of creation, for the reconciliation."""
        query = select(leads).where(self._mine(leads), leads.c.seq > after_seq)
        if since is not None:
            query = query.where(leads.c.created_at >= since)
        rows = self._connection.execute(query.order_by(leads.c.seq).limit(limit))
        return [(row.seq, _lead_row(row)) for row in rows]

    def _find_name(self, staff_id: str | None) -> str | None:
        query = select(staff.c.name).where(self._mine(staff), staff.c.staff_id == staff_id)
        return None if staff_id is None else self._connection.execute(query).scalar()

    def newest_event_id(self) -> str | None:
        """Id of the newest event, None when there is none; ids grow with time, so the end of their index tells."""
        found: str | None = self._connection.execute(
            select(func.max(events.c.event_id)).where(self._mine(events))
        ).scalar()
        return found

    def queue_sizes(self) -> tuple[int, int, int]:
        """Pending events, open deliveries, dead letters; from partial indexes, so they cost the same after a million."""
        # Every event has a part; naming it leads SQLite to the index of pending events rather than to that of all events.
        pending = select(func.count()).where(EVENT_IS_PENDING, self._mine(events), events.c.part >= 0)
        waiting = select(func.count()).where(DELIVERY_IS_OPEN, self._mine(deliveries))
        dead = select(func.count()).where(
            DELIVERY_IS_STUCK_IN_INDEX, deliveries.c.state == "dead", self._mine(deliveries)
        )
        return tuple(self._connection.execute(query).scalar_one() for query in (pending, waiting, dead))  # type: ignore[return-value]  # three queries make three numbers

    def _has_delivery(self, states: Sequence[str], kinds: Sequence[str] = _CRM_KINDS) -> Any:
        return exists().where(
            deliveries.c.workspace_id == events.c.workspace_id,
            deliveries.c.event_id == events.c.event_id,
            deliveries.c.kind.in_(kinds),
            deliveries.c.state.in_(states),
        )

    def _was_given_up(self) -> Any:
        """A human discarded it, with a reason. An update is dropped by itself when its lead was closed; that is no loss."""
        kinds = (DeliveryKind.CREATE_LEAD.value, DeliveryKind.TIMELINE_ENTRY.value)
        return self._has_delivery(("discarded",), kinds)

    def _page(self, statement: Select[Any], seq: Any, *, limit: int, cursor: str | None, to_row: Any) -> Page[Any]:
        limit = max(1, min(limit, MAX_PAGE))
        if cursor is not None:
            statement = statement.where(seq < _read_cursor(cursor))
        rows = self._connection.execute(statement.order_by(seq.desc()).limit(limit + 1)).all()
        more = rows[limit - 1].seq if len(rows) > limit else None
        return Page([to_row(row) for row in rows[:limit]], None if more is None else _make_cursor(more))


def _make_cursor(seq: int) -> str:
    return base64.urlsafe_b64encode(f"s{seq}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        if text.startswith("s"):
            return int(text[1:19])  # what is longer is larger than any number of a row
    except ValueError:
        pass
    raise ConfigurationError(
        "This cursor is not one of ours.", code="page.cursor_wrong", hint="Take `next` of the page before."
    )


def _created(since: datetime | None, until: datetime | None) -> list[Any]:
    bounds = [] if since is None else [deliveries.c.created_at >= since]
    return bounds if until is None else [*bounds, deliveries.c.created_at < until]


def _begins(query: str, *columns: Any) -> Any:
    return or_(*(column.startswith(query[:64], autoescape=True) for column in columns))


def _same(left: Any, right: Any, column: str) -> Any:
    return and_(left.c.workspace_id == right.c.workspace_id, left.c[column] == right.c[column])


def _event_rows(workspace_id: str) -> Select[Any]:
    return (
        select(
            events,
            connections.c.kind.label("connection_kind"),
            connections.c.name,
            leads.c.crm_entity,
            leads.c.crm_id,
            subjects.c.erased_at,
        )
        .join(connections, _same(events, connections, "connection_id"))
        .outerjoin(leads, _same(events, leads, "lead_id"))
        .outerjoin(subjects, _same(events, subjects, "subject_id"))
        .where(events.c.workspace_id == workspace_id, events.c.connection_id != CANARY_ID)
    )


def _is_erased() -> Any:
    return exists().where(_same(subjects, events, "subject_id"), subjects.c.erased_at.is_not(None))


def _duty_rows(workspace_id: str) -> Select[Any]:
    return (
        select(
            deliveries.c.event_id,
            deliveries.c.kind,
            deliveries.c.state,
            deliveries.c.error_code,
            deliveries.c.due_at,
            deliveries.c.discard_reason,
            connections.c.state.label("connection_state"),
            lanes.c.due_at.label("lane_due_at"),
            lanes.c.problem,
        )
        .outerjoin(connections, _same(deliveries, connections, "connection_id"))
        .outerjoin(lanes, _same(deliveries, lanes, "lane"))
        .where(deliveries.c.workspace_id == workspace_id, deliveries.c.kind.in_(_CRM_KINDS))
    )


def _duty(row: Row[Any]) -> CrmDuty:
    return CrmDuty(
        kind=DeliveryKind(row.kind),
        state=DeliveryState(row.state),
        error_code=row.error_code,
        due_at=row.due_at,
        discard_reason=row.discard_reason,
        has_crm=row.connection_state not in (None, "removed"),
        is_paused=row.connection_state == "paused",
        lane_due_at=row.lane_due_at,
        lane_problem=row.problem,
    )


def _event_row(row: Row[Any], duties: Sequence[CrmDuty]) -> EventRow:
    return EventRow(
        event_id=row.event_id,
        connection_id=row.connection_id,
        connection_kind=row.connection_kind,
        connection_name=row.name,
        state=EventState(row.state),
        reason=row.reason,
        received_at=row.received_at,
        lead_id=row.lead_id,
        crm_ref=find_ref(row),
        ending=name_ending(EventState(row.state), row.reason, duties, is_erased=row.erased_at is not None),
    )


def _delivery_rows(workspace_id: str) -> Select[Any]:
    return (
        select(
            deliveries,
            connections.c.kind.label("connection_kind"),
            connections.c.name,
            connections.c.state.label("connection_state"),
            leads.c.origin_id,
            events.c.received_at,
        )
        .outerjoin(connections, _same(deliveries, connections, "connection_id"))
        .outerjoin(leads, _same(deliveries, leads, "lead_id"))
        .outerjoin(events, _same(deliveries, events, "event_id"))
        .where(deliveries.c.workspace_id == workspace_id)
    )


def _delivery_row(row: Row[Any]) -> DeliveryRow:
    return DeliveryRow(
        delivery_id=row.delivery_id,
        kind=DeliveryKind(row.kind),
        state=DeliveryState(row.state),
        connection_id=row.connection_id,
        connection_kind=row.connection_kind or "",
        connection_name=row.name or "",
        connection_paused=row.connection_state == "paused",
        event_id=row.event_id,
        lead_id=row.lead_id,
        attempts=row.attempts,
        created_at=row.created_at,
        due_at=row.due_at if row.state in _OPEN else None,
        done_at=row.done_at,
        error_code=row.error_code,
        external_id=row.external_id,
    )


def _lead_row(row: Row[Any]) -> LeadRow:
    return LeadRow(
        lead_id=row.lead_id,
        state=LeadState(row.state),
        origin_id=row.origin_id,
        crm_ref=find_ref(row),
        created_at=row.created_at,
        closed_at=row.closed_at,
        crm_connection_id=row.crm_connection_id,
    )
