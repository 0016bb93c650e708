"""Leads that somebody deleted in the CRM on purpose and said so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from leadgate.model.views import AcceptedLead


class AcceptanceStore(Protocol):
    """Acceptances of one workspace, one for each lead at most."""

    def add(self, lead_id: str, *, at: datetime, by: str, reason: str) -> bool:
        """Keep it; False when the lead was accepted already, and that stays as it is."""
        ...

    def withdraw(self, lead_ids: Collection[str]) -> int:
        """Forget those of these leads that were accepted; how many these were."""
        ...

    def among(self, lead_ids: Collection[str]) -> frozenset[str]:
        """Those of these leads that are accepted."""
        ...

    def newest(self, *, limit: int) -> Sequence[AcceptedLead]:
        """The newest, newest first."""
        ...
