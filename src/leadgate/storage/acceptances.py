"""Leads that somebody deleted in the CRM on purpose and said so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from leadgate.model.views import AcceptedLead
from leadgate.storage.base import LIMIT, SqlStore, of_workspace
from leadgate.storage.leads import find_ref
from leadgate.storage.schema import accepted_leads, leads, staff

_AT_ONCE = 500
_ADD_SQLITE = sqlite.insert(accepted_leads).on_conflict_do_nothing().returning(accepted_leads.c.lead_id)
_ADD_POSTGRES = postgresql.insert(accepted_leads).on_conflict_do_nothing().returning(accepted_leads.c.lead_id)
_IS_ONE = (of_workspace(accepted_leads), accepted_leads.c.lead_id.in_(bindparam("lead_ids", expanding=True)))
_WITHDRAW = delete(accepted_leads).where(*_IS_ONE)
_AMONG = select(accepted_leads.c.lead_id).where(*_IS_ONE)
_SAME_STAFF = (staff.c.workspace_id == accepted_leads.c.workspace_id) & (
    staff.c.staff_id == accepted_leads.c.accepted_by
)
_SAME_LEAD = (leads.c.workspace_id == accepted_leads.c.workspace_id) & (leads.c.lead_id == accepted_leads.c.lead_id)
_NEWEST = (
    select(accepted_leads, leads.c.origin_id, leads.c.crm_entity, leads.c.crm_id, staff.c.name)
    .join(leads, _SAME_LEAD)
    .join(staff, _SAME_STAFF, isouter=True)
    .where(of_workspace(accepted_leads))
    .order_by(accepted_leads.c.accepted_at.desc(), accepted_leads.c.lead_id)
    .limit(LIMIT)
)


class SqlAcceptanceStore(SqlStore):
    """See `ports.stores.AcceptanceStore`."""

    def add(self, lead_id: str, *, at: datetime, by: str, reason: str) -> bool:
        """The first word stays."""
        row = {"lead_id": lead_id, "accepted_at": at, "accepted_by": by, "reason": reason}
        add = _ADD_POSTGRES if self._is_postgres else _ADD_SQLITE
        return self._connection.execute(add, {"workspace_id": self._workspace_id, **row}).first() is not None

    def withdraw(self, lead_ids: Collection[str]) -> int:
        """Some hundreds at a time."""
        return sum(self._run(_WITHDRAW, lead_ids=part).rowcount for part in _parts(lead_ids))

    def among(self, lead_ids: Collection[str]) -> frozenset[str]:
        """Some hundreds at a time."""
        return frozenset(row.lead_id for part in _parts(lead_ids) for row in self._run(_AMONG, lead_ids=part))

    def newest(self, *, limit: int) -> Sequence[AcceptedLead]:
        """With the name of who said so, where it was a person."""
        return [_accepted(row) for row in self._run(_NEWEST, limit=limit)]


def _parts(lead_ids: Collection[str]) -> Sequence[list[str]]:
    ordered = sorted(set(lead_ids))
    return [ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE)]


def _accepted(row: Row[Any]) -> AcceptedLead:
    ref = find_ref(row)
    return AcceptedLead(
        lead_id=row.lead_id,
        event_id=row.origin_id.rpartition(":")[2],
        crm_id=None if ref is None else str(ref),
        at=row.accepted_at,
        by=row.accepted_by,
        by_name=row.name,
        reason=row.reason,
    )
