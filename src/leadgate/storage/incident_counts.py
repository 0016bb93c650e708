"""Counts who may be affected by an incident: people, what they are known by, messages. Read rarely, so statements are built here.

Who wrote or was written to in the scope counts with everything that is kept of the person, under whatever ids: a leak of one
channel may hold all that was said there, and too much told to an authority is mended more easily than too little.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, Subquery, and_, func, select, true, union
from sqlalchemy.engine import Connection

from leadgate.ports.stores.incidents import Counted, Scope
from leadgate.storage.schema import deliveries, events, identifiers, messages, subject_joins, subjects


def count_scope(connection: Connection, workspace_id: str, scope: Scope) -> Counted:
    """People once each, identifiers by kind (the channel's name left away), messages."""
    members = _members(workspace_id)
    roots = select(members.c.root).where(_in_scope(members, workspace_id, scope)).distinct().subquery()
    everyone = select(members.c.subject_id).where(members.c.root.in_(select(roots.c.root)))
    by_kind: dict[str, int] = {}
    kinds = (
        select(identifiers.c.kind, func.count().label("total"))
        .where(identifiers.c.workspace_id == workspace_id, identifiers.c.subject_id.in_(everyone))
        .group_by(identifiers.c.kind)
    )
    for kind, total in connection.execute(kinds):
        name = _name_of(kind)
        by_kind[name] = by_kind.get(name, 0) + total
    words = select(func.count()).where(messages.c.workspace_id == workspace_id, messages.c.subject_id.in_(everyone))
    return Counted(
        persons=connection.execute(select(func.count()).select_from(roots)).scalar_one(),
        identifiers=dict(sorted(by_kind.items())),
        messages=connection.execute(words).scalar_one(),
    )


def newest_messages(
    connection: Connection, workspace_id: str, scope: Scope, *, limit: int
) -> Iterator[tuple[str, str, bytes]]:
    """Message, person and sealed body, newest first; what clients wrote alone."""
    members = _members(workspace_id)
    roots = select(members.c.root).where(_in_scope(members, workspace_id, scope))
    everyone = select(members.c.subject_id).where(members.c.root.in_(roots))
    query = (
        select(messages.c.message_id, messages.c.subject_id, messages.c.sealed_body)
        .where(messages.c.workspace_id == workspace_id, messages.c.outgoing == 0, messages.c.subject_id.in_(everyone))
        .order_by(messages.c.seq.desc())
        .limit(limit)
    )
    for row in connection.execute(query):
        yield row.message_id, row.subject_id, row.sealed_body


def _members(workspace_id: str) -> Subquery:
    """Everybody who is not erased, with the id that the person goes by."""
    tops = _tops(workspace_id)
    joined = select(subject_joins.c.subject_id).where(subject_joins.c.workspace_id == workspace_id)
    last = select(tops.c.leaf, tops.c.top).where(tops.c.top.not_in(joined)).subquery()
    return (
        select(subjects.c.subject_id, func.coalesce(last.c.top, subjects.c.subject_id).label("root"))
        .outerjoin(last, last.c.leaf == subjects.c.subject_id)
        .where(subjects.c.workspace_id == workspace_id, subjects.c.erased_at.is_(None))
        .subquery()
    )


def _tops(workspace_id: str) -> CTE:
    """Everything that an id was joined into, over any number of steps."""
    own = subject_joins.c.workspace_id == workspace_id
    first = select(subject_joins.c.subject_id.label("leaf"), subject_joins.c.into_subject_id.label("top")).where(own)
    tops = first.cte("tops", recursive=True)
    step = subject_joins.alias("step")
    further = select(tops.c.leaf, step.c.into_subject_id).join(
        step, and_(step.c.workspace_id == workspace_id, step.c.subject_id == tops.c.top)
    )
    return tops.union(further)


def _in_scope(members: Subquery, workspace_id: str, scope: Scope) -> ColumnElement[bool]:
    if scope == Scope():
        return true()
    wrote = _between(
        select(events.c.subject_id).where(events.c.workspace_id == workspace_id, events.c.subject_id.is_not(None)),
        events.c.received_at,
        events.c.connection_id,
        scope,
    )
    written_to = _between(
        select(deliveries.c.subject_id).where(deliveries.c.workspace_id == workspace_id),
        deliveries.c.created_at,
        deliveries.c.connection_id,
        scope,
    )
    return members.c.subject_id.in_(union(wrote, written_to))


def _between(query: Select[Any], at: Any, connection_id: Any, scope: Scope) -> Select[Any]:
    if scope.since is not None:
        query = query.where(at >= scope.since)
    if scope.until is not None:
        query = query.where(at < scope.until)
    if scope.connection_id is not None:
        query = query.where(connection_id == scope.connection_id)
    return query


def _name_of(kind: str) -> str:
    """`sender:telegram` is an id in a channel, `username:telegram` a user name."""
    name = kind.partition(":")[0]
    return "channel_id" if name == "sender" else name
