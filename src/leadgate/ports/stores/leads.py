"""Leads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from leadgate.model.leads import LeadRef, LeadState
from leadgate.ports.stores.records import StoredLead


class LeadStore(Protocol):
    """Leads."""

    def find_current(self, subject_id: str) -> StoredLead | None:
        """The pending or open lead of a person."""
        ...

    def find(self, lead_id: str) -> StoredLead | None:
        """One lead."""
        ...

    def find_all(self, lead_ids: Collection[str]) -> Sequence[StoredLead]:
        """The leads of these ids that there are, in no order."""
        ...

    def add(self, lead: StoredLead) -> None:
        """Keep a new lead. Loses the race (and the unit runs again) when the person has a current one."""
        ...

    def settle(
        self, lead_id: str, *, state: LeadState, ref: LeadRef | None, at: datetime, crm_connection_id: str | None = None
    ) -> None:
        """Set the state; a ref or a CRM of None keeps the one it has."""
        ...
