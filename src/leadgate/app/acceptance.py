"""Saying that a lead was deleted in the CRM on purpose, so that the reconciliation is at peace with it."""

from __future__ import annotations

from collections.abc import Sequence

from leadgate.app.reconciler import Reconciler, publish
from leadgate.audit.trail import all_recorded, recorded
from leadgate.crm.ledger import missing_leads
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.views import AcceptedLead
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Trail
from leadgate.ports.stores import Storage, Transaction

MAX_REASON_LENGTH = 200
_log = get_logger("reconciler")


class Acceptance:
    """What people said of leads that are missing in the CRM. It holds until the lead stands there again."""

    def __init__(self, storage: Storage, reconciler: Reconciler, journal: Trail, clock: Clock) -> None:
        """Only what the newest reconciliation found missing can be accepted: nothing is hidden beforehand."""
        self._storage = storage
        self._reconciler = reconciler
        self._journal = journal
        self._clock = clock

    async def accept(self, lead_ids: Sequence[str], *, reason: str, by: str) -> None:
        """All of these leads were deleted on purpose; all or none.

        Raises:
            ConfigurationError: there is no reason.
            NotFoundError: there is no lead of one of these ids.
            ConflictError: the newest reconciliation does not find one of them missing, or it is accepted already.
            JournalUnavailableError: nothing was accepted.
        """
        reason = " ".join(reason.split())[:MAX_REASON_LENGTH]
        if not reason:
            raise ConfigurationError("Say why: --reason TEXT.", code="ledger.reason_missing")
        last = await self._reconciler.last()
        missing = set(missing_leads(last.differences if last else ()))
        at, wanted = self._clock.now(), sorted(set(lead_ids))

        def check(tx: Transaction) -> None:
            for lead_id in wanted:
                if tx.leads.find(lead_id) is None:
                    raise NotFoundError(f"There is no lead {lead_id}.", hint="See: leadgate reconcile")
                if lead_id not in missing:
                    raise _not_missing(lead_id)

        def unit(tx: Transaction) -> None:
            check(tx)
            for lead_id in wanted:
                if not tx.acceptances.add(lead_id, at=at, by=by, reason=reason):
                    raise _not_missing(lead_id)

        await self._storage.read(check)
        entries = [JournalEntry(tag=Tag.LEDGER_ACCEPTED, by=by, on=lead_id) for lead_id in wanted]
        async with all_recorded(self._journal, entries):
            await self._storage.write(unit)
        _log.info("ledger.accepted", count=len(wanted), action=by)
        await self._show()

    async def withdraw(self, lead_id: str, *, by: str) -> None:
        """It was not meant: the next look shows it as missing again.

        Raises:
            ConflictError: it is not accepted.
            JournalUnavailableError: it stays accepted.
        """

        def unit(tx: Transaction) -> None:
            if not tx.acceptances.withdraw([lead_id]):
                raise _not_accepted(lead_id)

        if await self._storage.read(lambda tx: tx.leads.find(lead_id)) is None:
            raise _not_accepted(lead_id)
        async with recorded(self._journal, JournalEntry(tag=Tag.LEDGER_ACCEPTANCE_WITHDRAWN, by=by, on=lead_id)):
            await self._storage.write(unit)
        _log.info("ledger.acceptance_withdrawn", count=1, action=by)
        await self._show()

    async def newest(self, *, limit: int) -> Sequence[AcceptedLead]:
        """What was accepted, newest first."""
        return await self._storage.read(lambda tx: tx.acceptances.newest(limit=limit))

    async def _show(self) -> None:
        last = await self._reconciler.last()
        if last is not None:
            publish(last)


def _not_accepted(lead_id: str) -> ConflictError:
    return ConflictError(f"The deletion of lead {lead_id} is not accepted.", code="ledger.not_accepted")


def _not_missing(lead_id: str) -> ConflictError:
    return ConflictError(
        f"The last reconciliation does not find lead {lead_id} missing, or its deletion is accepted already.",
        code="ledger.not_missing",
        hint="Run: leadgate reconcile",
    )
