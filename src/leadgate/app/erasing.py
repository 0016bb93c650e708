"""Erasing a person: the journal first, then the list of the erased, then the rows and keys with the order to the CRM in one commit.

What the CRM answers is followed until it has: `follow` is called every few seconds by whoever works.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from leadgate.app import erased_list
from leadgate.app.erased_list import ErasedLine
from leadgate.app.unread import Marks, UnreadEvents
from leadgate.connections.book import ConnectionBook
from leadgate.crm.identity import Identities
from leadgate.delivery.payloads import Outbox, crm_lane
from leadgate.errors import ConflictError, LeadgateError, NotFoundError
from leadgate.model.deliveries import OPEN_STATES, DeliveryState
from leadgate.model.erasures import ErasedRows, Erasure, ErasureReason, LeadToErase, OrderState
from leadgate.model.journal import JournalEntry, Result, Tag
from leadgate.model.leads import EraseLead
from leadgate.model.views import DeliveryDetail
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.journal import Journal
from leadgate.ports.stores import Lease, Transaction
from leadgate.rights.erasure import erase_rows
from leadgate.rights.whose import find_people
from leadgate.storage.sql_storage import SqlStorage
from leadgate.vault.envelope import Vault, subject_scope

CRM_REMOVED = "erasure.crm_removed"
"""The lead stands in a CRM whose connection was taken away: nobody can be asked."""

CHATS_HELD_FOR = timedelta(seconds=60)
WAIT_FOR_CHATS = timedelta(seconds=15)
"""So long a message to the person may be on its way before the erasure is put off."""

_LOOK_AGAIN_S = 0.25
_BY_SYSTEM = "system"
_log = get_logger("erasing")


class Erasing:
    """Erases people of one workspace, and follows the orders to the CRM."""

    def __init__(
        self,
        storage: SqlStorage,
        vault: Vault,
        journal: Journal,
        outbox: Outbox,
        *,
        unread: UnreadEvents,
        book: ConnectionBook,
        folder: Path,
        clock: Clock,
        ids: IdSource,
        holder: str,
        on_change: Callable[[], None],
    ) -> None:
        """Keep the list of the erased in `folder`; call `on_change` when there is new work."""
        self._storage = storage
        self._vault = vault
        self._journal = journal
        self._outbox = outbox
        self._unread = unread
        self._book = book
        self._folder = folder
        self._clock = clock
        self._ids = ids
        self._holder = f"{holder}:erasing"
        self._on_change = on_change
        self._forgotten_to = 0

    async def erase(self, subject_id: str, *, reason: ErasureReason, by: str, spares_crm: bool = False) -> Erasure:
        """Erase the whole person, whichever of their subjects is named. Who is erased already: what was done then.

        Args:
            spares_crm: leave the CRM as it is: the salon keeps its own file of clients for terms of its own.

        Raises:
            NotFoundError: there is no such subject.
            ConflictError: a message to the person is on its way and does not end (`erasure.busy`).
            JournalUnavailableError, StorageUnavailableError: nothing was erased.
        """
        people, marks, known = await self._storage.read(lambda tx: self._look(tx, subject_id))
        if known is not None:
            return known
        found = await self._storage.read(lambda tx: self._events_of(tx, people, marks))
        chats = await self._hold_chats(people)
        erasure_id = self._ids.new("era")
        entry = JournalEntry(
            tag=Tag.SUBJECT_ERASED,
            by=by,
            on=people[0],
            details={"erasure": erasure_id, "reason": reason.value, "subjects": len(people)},
        )
        try:
            await self._journal.record(entry)
            line = ErasedLine(
                erasure=erasure_id,
                at=self._clock.now(),
                subjects=tuple(people),
                events=tuple(found),
                spares_crm=spares_crm,
            )
            await asyncio.to_thread(erased_list.add, self._folder, line)
            erasure = await self._storage.write(lambda tx: self._destroy(tx, line, marks=marks, reason=reason, by=by))
        except BaseException as error:
            await self._give_back(chats)
            if isinstance(error, LeadgateError):
                await self._journal.record(replace(entry, result=Result.FAILED))
            raise
        await self._forget(erasure)
        _log.info("subject.erased", subject_id=erasure.subject_id, action=by, count=sum(erasure.rows.values()))
        self._on_change()
        return erasure

    async def whose(self, identifier: str, *, channels: Iterable[str]) -> str:
        """The one person who is known by an id, a phone, an e-mail or a user name.

        Raises:
            NotFoundError: nobody is.
            ConflictError: several people are (`subject.ambiguous`).
        """
        people = await self._storage.read(lambda tx: find_people(tx, self._vault, identifier, channels=tuple(channels)))
        if not people:
            raise NotFoundError("Nobody is known by this.", hint="Try another phone, e-mail or id of theirs.")
        if len(people) > 1:
            raise ConflictError(
                f"Several people are known by this: {', '.join(people)}.",
                code="subject.ambiguous",
                hint="Name one of these ids.",
            )
        return people[0]

    async def preview(self, subject_id: str) -> tuple[Sequence[str], dict[str, int]]:
        """Who would be erased, and how many rows of what.

        Raises:
            NotFoundError: there is no such subject, or it was erased.
        """
        people, _, known = await self._storage.read(lambda tx: self._look(tx, subject_id))
        if known is not None:
            raise NotFoundError(
                f"{subject_id} was erased already: {known.erasure_id}.", hint="See: leadgate subject erasures"
            )
        counts = await self._storage.read(lambda tx: tx.erasures.count(people))
        return people, dict(counts)

    async def find(self, erasure_id: str) -> Erasure:
        """One erasure with what is known of its order now.

        Raises:
            NotFoundError: there is none.
        """
        erasure = await self._storage.read(lambda tx: tx.erasures.find(erasure_id))
        if erasure is None:
            raise NotFoundError(f"There is no erasure {erasure_id}.", hint="See: leadgate subject erasures")
        return await self._judge(erasure)

    async def newest(self, *, limit: int, before: int | None = None) -> Sequence[Erasure]:
        """Newest first, with a number less than `before`; orders as they stand now."""
        rows = await self._storage.read(lambda tx: tx.erasures.newest(limit=limit, before=before))
        return [await self._judge(erasure) for erasure in rows]

    async def unanswered(self) -> Sequence[Erasure]:
        """Those whose order is open or refused, oldest first."""
        rows = await self._storage.read(lambda tx: tx.erasures.unanswered())
        judged = [await self._judge(erasure) for erasure in rows]
        return [erasure for erasure in judged if erasure.order in (OrderState.OPEN, OrderState.REFUSED)]

    async def forget_keys(self) -> None:
        """Drop opened keys of people whom another process erased; called every two seconds by every process that serves."""
        for erasure in await self._storage.read(lambda tx: tx.erasures.after(self._forgotten_to)):
            self._drop_keys(erasure)
            self._forgotten_to = max(self._forgotten_to, erasure.number)

    async def follow(self) -> None:
        """Note in journal and database what the CRM has answered since the last call."""
        for kept in await self._storage.read(lambda tx: tx.erasures.unanswered()):
            if kept.order is OrderState.OPEN and not kept.delivery_ids:
                await self._storage.write(lambda tx, kept=kept: self._order_again(tx, kept))  # type: ignore[misc]  # the default binds the row of this turn
                self._on_change()
                continue
            now = await self._judge(kept)
            if (now.order, now.answer, now.error_code) == (kept.order, kept.answer, kept.error_code):
                continue
            await self._journal.record(
                JournalEntry(
                    tag=Tag.ERASURE_FOLLOWED,
                    by=_BY_SYSTEM,
                    on=now.subject_id,
                    result=Result.REFUSED if now.order is OrderState.REFUSED else Result.DONE,
                    details={"erasure": now.erasure_id, "order": now.order.value, "answer": now.answer or ""},
                )
            )
            at = now.answered_at
            await self._storage.write(
                lambda tx, now=now, at=at: tx.erasures.set_order(  # type: ignore[misc]  # the defaults bind the row of this turn
                    now.erasure_id, now.order, answer=now.answer, error_code=now.error_code, at=at
                )
            )
            _log.info("erasure.followed", subject_id=now.subject_id, outcome=now.order.value, error_code=now.error_code)

    def _look(self, tx: Transaction, subject_id: str) -> tuple[list[str], Marks, Erasure | None]:
        people = Identities.everyone(tx, subject_id)
        if not tx.erasures.count(people)["subjects"]:
            raise NotFoundError(f"There is nobody with the id {subject_id}.", hint="See: leadgate subject find")
        erased = tx.subjects.erased_among(people)
        # One who was joined to an erased person a moment later is erased as well, not left half.
        known = tx.erasures.of_subject(people[0]) if erased == frozenset(people) else None
        return people, tx.erasures.marks(people), known

    def _events_of(self, tx: Transaction, people: Sequence[str], marks: Marks) -> list[str]:
        return sorted({*tx.erasures.event_ids(people), *self._unread.of(tx, marks, is_waiting=False)})

    def _destroy(self, tx: Transaction, line: ErasedLine, *, marks: Marks, reason: ErasureReason, by: str) -> Erasure:
        # What came in between the look and now; what comes after this commit comes from somebody whom nobody knows.
        events = [*line.events, *self._unread.of(tx, marks, is_waiting=True)]
        erased = erase_rows(tx, line.subjects, at=line.at, event_ids=events)
        return self._order_and_keep(tx, line, erased, reason=reason, by=by)

    def _order_and_keep(
        self, tx: Transaction, line: ErasedLine, erased: ErasedRows, *, reason: ErasureReason, by: str
    ) -> Erasure:
        leads = () if line.spares_crm else erased.leads
        state, sent, error_code = self._order_all(tx, erased.subject_ids, leads)
        return tx.erasures.add(
            Erasure(
                erasure_id=line.erasure,
                number=0,
                subject_ids=erased.subject_ids,
                reason=reason,
                by=by,
                at=line.at,
                keys=erased.keys,
                rows=erased.counts,
                delivery_ids=sent,
                order=state,
                error_code=error_code,
            )
        )

    def _order_all(
        self, tx: Transaction, subject_ids: Sequence[str], leads: Sequence[LeadToErase]
    ) -> tuple[OrderState, tuple[str, ...], str | None]:
        """One order a lead; how they stand, their deliveries, and what is in the way of those that could not be made."""
        orders = [self._order(tx, lead, subject_ids, leads) for lead in leads]
        sent = tuple(delivery_id for delivery_id in orders if delivery_id is not None)
        if len(sent) == len(orders):
            return OrderState.OPEN if sent else OrderState.NONE, sent, None
        return OrderState.OPEN if sent else OrderState.REFUSED, sent, CRM_REMOVED

    def _order_again(self, tx: Transaction, erasure: Erasure) -> None:
        """A restore erased the person anew; what it could not order is ordered now."""
        state, sent, error_code = self._order_all(tx, erasure.subject_ids, tx.erasures.leads(erasure.subject_ids))
        tx.erasures.set_orders(erasure.erasure_id, state, sent, error_code=error_code)

    def _order(
        self, tx: Transaction, lead: LeadToErase, subject_ids: Sequence[str], leads: Sequence[LeadToErase]
    ) -> str | None:
        """Behind everything of the lead that is still under way; None when its CRM is connected no more."""
        crm = self._book.crm_connection_id()
        if crm is None or lead.crm_connection_id not in {None, crm}:
            return None
        command = EraseLead(
            lead_id=lead.lead_id,
            origin_id=lead.origin_id,
            ref=lead.ref,
            entry_ids=lead.event_ids,
            siblings=tuple(one.origin_id for one in leads),
        )
        return self._outbox.enqueue(
            tx,
            command,
            lane=crm_lane(crm),
            connection_id=crm,
            subject_id=subject_ids[0],
            event_id=None,
            lead_id=lead.lead_id,
            at=self._clock.now(),
        )

    async def _judge(self, erasure: Erasure) -> Erasure:
        """The erasure with the state of its orders as their deliveries tell it now."""
        if not erasure.delivery_ids or erasure.order in (OrderState.DONE, OrderState.GIVEN_UP):
            return erasure
        details = await self._storage.query(lambda q: [q.delivery(one) for one in erasure.delivery_ids])
        return judge(erasure, [detail for detail in details if detail is not None])

    async def _hold_chats(self, people: Sequence[str]) -> list[Lease]:
        """Nothing is being said to the person while the rows go. Raises ConflictError."""
        names = await self._storage.read(lambda tx: tx.erasures.chat_lanes(people))
        until_s = self._clock.monotonic_s() + WAIT_FOR_CHATS.total_seconds()
        held: list[Lease] = []
        for name in names:
            while (lease := await self._storage.write(lambda tx, name=name: self._claim(tx, name))) is None:  # type: ignore[misc]  # the default binds the name of this turn
                if self._clock.monotonic_s() >= until_s:
                    await self._give_back(held)
                    raise ConflictError(
                        "A message to this person is on its way right now.",
                        code="erasure.busy",
                        hint="Nothing was erased. Try again in a minute.",
                    )
                await asyncio.sleep(_LOOK_AGAIN_S)
            held.append(lease)
        return held

    def _claim(self, tx: Transaction, name: str) -> Lease | None:
        now = self._clock.now()
        return tx.lanes.claim_one(name, holder=self._holder, now=now, until=now + CHATS_HELD_FOR)

    async def _give_back(self, chats: Sequence[Lease]) -> None:
        def unit(tx: Transaction) -> None:
            for lease in chats:
                now = self._clock.now()
                tx.lanes.release(lease, due_at=now, failures=lease.failures, problem=None, problem_since=None)

        if chats:
            await self._storage.write(unit)

    async def _forget(self, erasure: Erasure) -> None:
        self._drop_keys(erasure)
        if not await self._storage.clean_log():
            _log.info("erasure.log_kept", subject_id=erasure.subject_id)

    def _drop_keys(self, erasure: Erasure) -> None:
        for subject_id in erasure.subject_ids:
            self._vault.forget(self._storage.workspace_id, subject_scope(subject_id))


def judge(erasure: Erasure, orders: Sequence[DeliveryDetail]) -> Erasure:
    """One state for all orders of an erasure: what is refused comes first, then what is open. Pure."""
    rows = [detail.row for detail in orders]
    refused = [row for row in rows if row.state in (DeliveryState.DEAD, DeliveryState.UNCERTAIN)]
    answer = "; ".join(row.external_id for row in rows if row.external_id) or None
    if refused:
        code = refused[0].error_code
        return replace(erasure, order=OrderState.REFUSED, answer=answer, error_code=code, answered_at=None)
    if any(row.state in OPEN_STATES for row in rows):
        is_elsewhere = erasure.error_code == CRM_REMOVED
        return replace(
            erasure,
            order=OrderState.OPEN,
            answer=answer,
            error_code=CRM_REMOVED if is_elsewhere else None,
            answered_at=None,
        )
    answered_at = max((row.done_at for row in rows if row.done_at is not None), default=None)
    if erasure.error_code == CRM_REMOVED:  # one of the leads stands where nobody can be asked
        return replace(erasure, order=OrderState.REFUSED, answer=answer, answered_at=None)
    state = OrderState.GIVEN_UP if any(row.state is DeliveryState.DISCARDED for row in rows) else OrderState.DONE
    return replace(erasure, order=state, answer=answer, error_code=None, answered_at=answered_at)
