"""Leads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from leadgate.model.leads import CrmEntity, LeadRef, LeadState
from leadgate.ports.stores import StoredLead
from leadgate.storage.base import SqlStore, given, of_workspace
from leadgate.storage.schema import LEAD_IS_CURRENT, leads

_IS_IT = (of_workspace(leads), given(leads.c.lead_id))
_FIND = select(leads).where(*_IS_IT)
_FIND_CURRENT = select(leads).where(of_workspace(leads), given(leads.c.subject_id), LEAD_IS_CURRENT)
_FIND_ALL = select(leads).where(of_workspace(leads), leads.c.lead_id.in_(bindparam("lead_ids", expanding=True)))
_ADD = insert(leads)
_SETTLE = update(leads).where(*_IS_IT)


class SqlLeadStore(SqlStore):
    """See `ports.stores.LeadStore`."""

    def find_current(self, subject_id: str) -> StoredLead | None:
        """At most one: the unique index `leads_one_open` sees to it."""
        row = self._one(_FIND_CURRENT, for_subject_id=subject_id)
        return None if row is None else read_lead(row)

    def find(self, lead_id: str) -> StoredLead | None:
        """One lead."""
        row = self._one(_FIND, for_lead_id=lead_id)
        return None if row is None else read_lead(row)

    def find_all(self, lead_ids: Collection[str]) -> Sequence[StoredLead]:
        """One read for all."""
        return [read_lead(row) for row in self._run(_FIND_ALL, lead_ids=list(lead_ids))]

    def add(self, lead: StoredLead) -> None:
        """Keep a new lead."""
        self._keep(
            _ADD,
            lead_id=lead.lead_id,
            subject_id=lead.subject_id,
            crm_connection_id=lead.crm_connection_id,
            origin_id=lead.origin_id,
            state=lead.state.value,
            created_at=lead.created_at,
        )

    def settle(
        self, lead_id: str, *, state: LeadState, ref: LeadRef | None, at: datetime, crm_connection_id: str | None = None
    ) -> None:
        """Set state, reference and, when it ends, its time."""
        values: dict[str, object] = {"state": state.value}
        if crm_connection_id is not None:
            values["crm_connection_id"] = crm_connection_id
        if ref is not None:
            values |= {"crm_entity": ref.entity.value, "crm_id": ref.crm_id}
        if state in (LeadState.CLOSED, LeadState.REFUSED):
            values["closed_at"] = at
        self._run(_SETTLE, for_lead_id=lead_id, **values)


def find_ref(row: Row[Any]) -> LeadRef | None:
    """The reference into the CRM from a row with `crm_entity` and `crm_id`."""
    return None if row.crm_id is None else LeadRef(CrmEntity(row.crm_entity), row.crm_id)


def read_lead(row: Row[Any]) -> StoredLead:
    """A lead from its row."""
    return StoredLead(
        lead_id=row.lead_id,
        subject_id=row.subject_id,
        crm_connection_id=row.crm_connection_id,
        origin_id=row.origin_id,
        state=LeadState(row.state),
        ref=find_ref(row),
        created_at=row.created_at,
    )
