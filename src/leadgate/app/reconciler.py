"""The reconciliation: our ledger compared with the CRM from both sides, and the result kept.

From our side the CRM is asked for each lead by its origin id; from its side everything that bears our mark is swept. What is a
difference is decided in `crm.ledger`; when it happens by itself is decided in `app.nightly`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec

from leadgate.app.targets import Portal
from leadgate.crm.ledger import (
    MISSING,
    STRANGER,
    check_sum,
    compare_leads,
    find_strangers,
    find_suspects,
    missing_leads,
    note_closed,
    note_moved,
    part_accepted,
    tell,
)
from leadgate.model.views import Cause, Difference, LeadRow, Reconciliation
from leadgate.observability import get_logger, metrics
from leadgate.ports.clock import Clock
from leadgate.ports.stores import Transaction, Workspace
from leadgate.storage.queries import SqlQueries
from leadgate.storage.sql_storage import SqlStorage

SWEEP_OVERLAP = timedelta(hours=1)
"""A sweep begins so much before the end of the last one: what was made in between must not fall through."""

KEPT_STRANGERS = 200
KEPT_NOTES = 200
_LEADS_AT_ONCE = 200
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_log = get_logger("reconciler")

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""


@dataclass(slots=True)
class _Findings:
    """What was found so far."""

    differences: list[Difference] = field(default_factory=list)
    notes: list[Difference] = field(default_factory=list)
    strangers: list[Difference] = field(default_factory=list)
    leads_checked: int = 0
    leads_swept: int = 0
    swept_since: datetime | None = None
    back: set[str] = field(default_factory=set)
    """Leads that stand in the CRM again although their deletion was accepted."""


class Reconciler:
    """Makes reconciliations of one workspace; see `run`."""

    def __init__(
        self, storage: SqlStorage, find_portal: Callable[[], Portal | None], workspace: Workspace, *, clock: Clock
    ) -> None:
        """Ask the CRM that `find_portal` gives, and explain findings in the workspace's language."""
        self._storage = storage
        self._find_portal = find_portal
        self._workspace = workspace
        self._clock = clock

    async def run(
        self, *, cause: Cause, since: datetime | None = None, progress: Progress | None = None
    ) -> Reconciliation:
        """Compare and keep the result; it may be repeated at any time.

        Args:
            cause: why it is made.
            since: ask for leads made since then only, and add up events received since then; None means all.
            progress: told how many leads were asked for.

        Raises:
            ServiceUnavailableError: the CRM could not be asked; nothing is kept.
        """
        started_at = self._clock.now()
        ledger = await self._storage.query(lambda q: q.ledger(since=since or _BEGINNING, until=started_at))
        portal, found = self._find_portal(), _Findings()
        if portal is not None:
            await self._ask_by_origin(portal, since, found, progress)
            await self._sweep(portal, since, found)
            await self._ask_again(portal, since, found)
        told = partial(tell, locale=self._workspace.locale)
        result = Reconciliation(
            started_at=started_at,
            finished_at=self._clock.now(),
            since=since,
            received=ledger.received,
            in_crm=ledger.in_crm,
            waiting=ledger.waiting,
            answered=ledger.answered,
            ignored=ledger.ignored,
            dead=ledger.dead,
            erased=ledger.erased,
            leads_checked=found.leads_checked,
            differences=told([*found.differences, *check_sum(ledger), *found.strangers[:KEPT_STRANGERS]]),
            cause=cause,
            crm_asked=portal is not None,
            swept_since=found.swept_since,
            leads_swept=found.leads_swept,
            strangers=len(found.strangers),
            notes=told(found.notes[:KEPT_NOTES]),
        )
        await self._keep(result, portal, found.back)
        return result

    async def after_restore(self) -> Reconciliation:
        """What a restore has to do before work begins: leads that came after the backup are found as strangers.

        Raises:
            ServiceUnavailableError: the CRM could not be asked.
        """
        return await self.run(cause=Cause.RESTORE)

    async def last(self) -> Reconciliation | None:
        """The newest kept result, or None."""
        kept = await self.kept(limit=1)
        return kept[0] if kept else None

    async def kept(self, *, limit: int) -> Sequence[Reconciliation]:
        """Kept results, newest first; what was accepted since is a note in them, no difference."""
        dumped = await self._storage.query(lambda q: q.reconciliations(limit=limit))
        results = [msgspec.json.decode(result, type=Reconciliation) for result in dumped]
        missing = [lead_id for result in results for lead_id in missing_leads(result.differences)]
        accepted = await self._accepted(missing)
        return [self._without_accepted(result, accepted) for result in results] if accepted else results

    async def _accepted(self, lead_ids: Sequence[str]) -> frozenset[str]:
        return await self._storage.read(lambda tx: tx.acceptances.among(lead_ids)) if lead_ids else frozenset()

    def _without_accepted(self, result: Reconciliation, accepted: frozenset[str]) -> Reconciliation:
        differences, notes = part_accepted(result.differences, accepted)
        return replace(
            result, differences=differences, notes=[*result.notes, *tell(notes, self._workspace.locale)][:KEPT_NOTES]
        )

    async def _keep(self, result: Reconciliation, portal: Portal | None, back: set[str]) -> None:
        dumped = msgspec.json.encode(result).decode()

        def keep(tx: Transaction) -> None:
            tx.add_reconciliation(started_at=result.started_at, result=dumped)
            tx.acceptances.withdraw(back)
            if portal is not None:
                tx.note_sweep(portal.connection_id, until=result.started_at)

        await self._storage.write(keep)
        publish(result)
        _log.info(
            "ledger.reconciled",
            action=result.cause.value,
            came=result.received,
            count=result.leads_checked,
            differences=len(result.differences),
        )

    async def _ask_by_origin(
        self, portal: Portal, since: datetime | None, found: _Findings, progress: Progress | None
    ) -> None:
        after_seq = 0
        while page := await self._storage.query(
            partial(SqlQueries.leads_since, since=since, after_seq=after_seq, limit=_LEADS_AT_ONCE)
        ):
            after_seq = page[-1][0]
            await self._compare(portal, [lead for _, lead in page], found)
            if progress is not None:
                progress(found.leads_checked, found.leads_checked)

    async def _sweep(self, portal: Portal, since: datetime | None, found: _Findings) -> None:
        """Read what bears our mark; what stands elsewhere than we know is asked for by its origin id."""
        last = await self._storage.read(lambda tx: tx.find_sweep(portal.connection_id))
        found.swept_since = None if last is None else last - SWEEP_OVERLAP
        suspects: dict[str, LeadRow] = {}
        async for page in portal.crm.sweep(found.swept_since):
            known = {row.origin_id: row for row in await self._ours([lead.origin_id for lead in page])}
            found.leads_swept += len(page)
            found.strangers += find_strangers(page, known, house_since=self._workspace.created_at)
            found.notes += note_closed(page, known)
            suspects |= {row.lead_id: row for row in find_suspects(page, known)}
        await self._compare(portal, _unasked(list(suspects.values()), since), found)

    async def _ask_again(self, portal: Portal, since: datetime | None, found: _Findings) -> None:
        """What was found last time and is not asked for this time stays found until it is cured."""
        last = await self.last()
        before = [] if last is None else [finding for finding in last.differences if finding.origin_id]
        leads = await self._ours([finding.origin_id or "" for finding in before if finding.code != STRANGER])
        seen = {finding.lead_id for finding in found.differences}
        await self._compare(portal, [lead for lead in _unasked(leads, since) if lead.lead_id not in seen], found)
        seen_ids = {crm_id for stranger in found.strangers for crm_id in stranger.crm_ids}
        strangers = [f for f in before if f.code == STRANGER and seen_ids.isdisjoint(f.crm_ids)]
        still_there = await portal.crm.find_origins([finding.origin_id or "" for finding in strangers])
        ours = {lead.origin_id for lead in await self._ours([f.origin_id or "" for f in strangers])}
        found.strangers += [
            finding
            for finding in strangers
            if finding.origin_id not in ours
            and {str(ref) for ref in still_there.get(finding.origin_id or "", ())} >= set(finding.crm_ids)
        ]

    async def _compare(self, portal: Portal, leads: Sequence[LeadRow], found: _Findings) -> None:
        """Leads that were brought to another CRM, before this one was connected, are not asked for here."""
        here = [lead for lead in leads if lead.crm_connection_id in {None, portal.connection_id}]
        for start in range(0, len(here), _LEADS_AT_ONCE):
            part = here[start : start + _LEADS_AT_ONCE]
            in_crm = await portal.crm.find_origins([lead.origin_id for lead in part])
            accepted = await self._accepted([lead.lead_id for lead in part])
            found.back |= {lead.lead_id for lead in part if lead.lead_id in accepted and in_crm.get(lead.origin_id)}
            differences, notes = part_accepted(await self._without_erased(compare_leads(part, in_crm)), accepted)
            found.differences += differences
            found.notes += [*notes, *note_moved(part, in_crm)]
            found.leads_checked += len(part)

    async def _without_erased(self, differences: Sequence[Difference]) -> list[Difference]:
        """The lead of a person who was erased on request may be gone: that was the order."""
        missing = [finding.lead_id for finding in differences if finding.code == MISSING and finding.lead_id]
        erased = await self._storage.query(lambda q: q.erased_leads(missing)) if missing else frozenset()
        return [finding for finding in differences if finding.code != MISSING or finding.lead_id not in erased]

    async def _ours(self, origin_ids: Sequence[str]) -> Sequence[LeadRow]:
        wanted = sorted({origin_id for origin_id in origin_ids if origin_id})
        return await self._storage.query(lambda q: q.leads_of_origins(wanted)) if wanted else []


def publish(result: Reconciliation) -> None:
    """Show a result in the metrics."""
    metrics.reconcile_differences.set(len(result.differences))
    metrics.reconciled_at.set(result.finished_at.timestamp())


def _unasked(leads: Sequence[LeadRow], since: datetime | None) -> list[LeadRow]:
    """Those that were not asked for because they are older than the period."""
    return [] if since is None else [lead for lead in leads if lead.created_at < since]
