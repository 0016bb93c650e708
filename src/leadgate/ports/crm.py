"""A CRM: where leads are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from leadgate.model.connections import CheckReport
from leadgate.model.leads import CrmCommand, CrmRecord, LeadRef, SweptLead
from leadgate.model.outcomes import Outcome

BeforeCall = Callable[[], None]
"""Called right before every request that writes; raises LeaseLostError when the caller may no longer send."""


class Crm(Protocol):
    """One portal. Keeps its rate limits; gives every command an Outcome and never raises for what the portal answers."""

    def capacity(self) -> int:
        """How many commands `deliver` takes at once, at least 1."""
        ...

    async def deliver(self, commands: Sequence[CrmCommand], before_call: BeforeCall) -> list[Outcome]:
        """Carry the commands out, in order; one outcome per command, same order.

        `AddTimelineEntry` and `UpdateLead` with `ref` None belong to the `CreateLead` of the same `lead_id` before them. When
        that one fails they answer RetryLater (nothing executed). A lead that was closed in the CRM answers LeadClosed.

        Raises:
            LeaseLostError: from `before_call`; nothing further was sent.
        """
        ...

    async def look_up(self, commands: Sequence[CrmCommand]) -> list[Outcome]:
        """After an unknown outcome: Delivered, NotExecuted or RetryLater (could not be asked) for each command; reads only."""
        ...

    async def find_origins(self, origin_ids: Sequence[str]) -> Mapping[str, tuple[LeadRef, ...]]:
        """All leads (or deals) in the CRM with these origin ids; an id that is absent maps to an empty tuple.

        Raises:
            ServiceUnavailableError: the portal could not be asked.
        """
        ...

    def sweep(self, since: datetime | None) -> AsyncIterator[Sequence[SweptLead]]:
        """Page by page, every lead and deal that bears our mark and was made or changed since then; None means ever.

        It may give more than was asked for (portals and we differ about clocks), never less. Reads only.

        Raises:
            ServiceUnavailableError: the portal could not be asked, or its answer cannot be read; what was given before is true.
        """
        ...

    async def read_records(self, refs: Sequence[LeadRef]) -> Sequence[CrmRecord]:
        """Everything that stands there in these leads and deals, their histories and the contacts they are linked to.

        What is not there any more is left out. Reads only.

        Raises:
            ServiceUnavailableError: the portal could not be asked, or its answer cannot be read.
        """
        ...

    async def check(self) -> CheckReport:
        """Ask the portal whether the access works and what it may do; changes nothing there."""
        ...

    async def close(self) -> None:
        """Close the connections to the portal; the CRM is not used afterwards."""
        ...
