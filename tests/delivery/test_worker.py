import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from leadgate.delivery.dead_letter import discard_delivery, retry_delivery
from leadgate.delivery.plan import Plan, plan_lane
from leadgate.delivery.steps import Called, LaneSteps
from leadgate.delivery.worker import LEASE_TIME
from leadgate.errors import LeaseLostError, OverloadedError
from leadgate.model.deliveries import AttemptKind, AttemptOutcome, DeliveryState
from leadgate.model.leads import AddTimelineEntry, CreateLead, LeadState
from leadgate.model.outcomes import Delivered, LeadClosed, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.ports.stores import Lease, Transaction
from leadgate.testing.scripted_target import Lost
from leadgate.testing.storage_suite import CRM, LANE, new_connection
from tests.delivery.rig import Rig, kinds

DOWN = RetryLater(code="target.down", scope=Scope.TARGET)
BUSY = RetryLater(code="item.busy", scope=Scope.ITEM)
AFTER_LEASE = LEASE_TIME + timedelta(seconds=1)
DONE, WAITING, UNKNOWN = DeliveryState.DONE, DeliveryState.WAITING, DeliveryState.UNKNOWN


class TestOrdinaryWork:
    async def test_a_lead_and_its_first_entry_go_together(self, rig: Rig) -> None:
        """One request to the portal makes the lead and writes the client's words."""
        lead_id = await rig.says("Алсу", "Хочу стрижку")
        await rig.work()
        assert [kinds(batch) for batch in rig.crm.batches] == [["CreateLead", "AddTimelineEntry"]]
        assert await rig.states() == [DONE, DONE]
        lead = await rig.lead(lead_id)
        assert (lead.state, lead.ref is not None, lead.crm_connection_id) == (LeadState.OPEN, True, CRM)

    async def test_what_no_crm_needs_does_not_leave_the_house(self, rig: Rig) -> None:
        """A client types a card number into the chat: neither the lead nor its history carries it."""
        await rig.says("Алсу", "Предоплата с карты 4111 1111 1111 1111")
        await rig.says("Алсу", "то есть 5555 5555 5555 4444")
        await rig.work()
        assert len(rig.crm.batches[0]) == 3
        assert not any(digits in repr(rig.crm.batches) for digits in ("1111", "4444"))

    async def test_later_words_carry_the_leads_reference(self, rig: Rig) -> None:
        """An entry that is sent alone must say which lead it belongs to."""
        lead_id = await rig.says("Алсу", "Хочу стрижку")
        await rig.work()
        assert await rig.says("Алсу", "Лучше завтра") == lead_id
        await rig.work()
        (entry,) = rig.crm.batches[1]
        assert isinstance(entry, AddTimelineEntry)
        assert entry.ref == (await rig.lead(lead_id)).ref is not None

    async def test_many_leads_wait_into_one_call(self, rig: Rig) -> None:
        """A portal allows two calls a second: what waits goes together, up to what the CRM takes."""
        rig.crm.size = 6
        for number in range(5):
            await rig.says(f"client-{number}", "Хочу стрижку")
        await rig.work()
        assert [len(batch) for batch in rig.crm.batches] == [6, 4]
        assert Counter(rig.crm.effects) == Counter(set(rig.crm.effects))

    async def test_the_lane_sleeps_when_all_is_done_and_wakes_for_the_next(self, rig: Rig) -> None:
        """Idle lanes cost nothing."""
        await rig.says("Алсу", "Хочу стрижку")
        await rig.work()
        await rig.work(timedelta(days=1))
        assert len(rig.crm.batches) == 1

    async def test_a_paused_connection_sends_nothing_and_keeps_all(self, rig: Rig) -> None:
        """Also when this node has not heard of the pause yet and another one has."""
        await rig.says("Алсу", "Хочу стрижку")
        target = rig.targets.by_connection.pop(CRM)
        await rig.work()
        assert await rig.states() == [WAITING, WAITING]
        rig.targets.by_connection[CRM] = target
        await rig.storage.write(lambda tx: tx.lanes.wake(LANE, connection_id=CRM, due_at=rig.clock.now()))
        await rig.work()
        assert await rig.states() == [DONE, DONE]


class TestRefusals:
    async def test_a_refusal_is_a_dead_letter_at_once(self, rig: Rig) -> None:
        """The same request would be refused for ever; a human has to look."""
        lead_id = await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(Refused("crm.field_missing", "TITLE"))
        await rig.work()
        await rig.work(timedelta(hours=5))
        create, entry = await rig.deliveries()
        assert (create.row.state, create.row.error_code) == (DeliveryState.DEAD, "crm.field_missing")
        assert entry.row.state is WAITING, "the client's words wait for the human's decision"
        assert len(create.attempts) == 1
        await rig.storage.write(lambda tx: retry_delivery(tx, create.row.delivery_id, at=rig.clock.now()))
        await rig.work()
        assert await rig.states() == [DONE, DONE]
        assert (await rig.lead(lead_id)).state is LeadState.OPEN

    async def test_a_poisoned_lead_does_not_stop_the_others(self, rig: Rig) -> None:
        """One client's odd name must not cost the salon all the others."""
        await rig.says("odd", "Хочу стрижку")
        rig.crm.script(Refused("crm.field_wrong"))
        for number in range(3):
            await rig.says(f"client-{number}", "Хочу стрижку")
        await rig.work()
        assert (await rig.states())[2:] == [DONE] * 6

    async def test_a_delivery_that_cannot_be_read_does_not_stop_the_lane(self, rig: Rig) -> None:
        """A row whose key is gone or whose bytes rotted would otherwise be tried first for ever."""
        await rig.says("damaged", "Хочу стрижку")
        (broken,) = [d.row for d in await rig.deliveries() if d.row.kind.value == "lead.create"]
        await rig.storage.write(
            lambda tx: tx.deliveries.replace(
                broken.delivery_id,
                kind=broken.kind,
                lead_id=broken.lead_id or "",
                sealed_payload=b"rotten",
                due_at=rig.clock.now(),
            )
        )
        await rig.says("Алсу", "Хочу стрижку")
        await rig.work()
        assert await rig.states() == [DeliveryState.DEAD, WAITING, DONE, DONE]
        assert (await rig.detail(broken.delivery_id)).row.error_code == "vault.tampered"

    async def test_giving_up_a_creation_gives_up_its_entries(self, rig: Rig) -> None:
        """Nothing could carry them, and they must not wait for ever; the next request of the client is a new lead."""
        lead_id = await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(Refused("crm.field_missing"))
        await rig.work()
        (create, _) = await rig.deliveries()
        await rig.storage.write(
            lambda tx: discard_delivery(tx, create.row.delivery_id, reason="спам", by="staff_1", at=rig.clock.now())
        )
        assert await rig.states() == [DeliveryState.DISCARDED] * 2
        told = [(detail.discard_reason, detail.discarded_by) for detail in await rig.deliveries()]
        assert told == [("спам", "staff_1")] * 2, "who gave up a client's words, and why, stays with them"
        assert await rig.says("Алсу", "Хочу стрижку") != lead_id


class TestOwnFailures:
    async def test_an_item_is_tried_again_later_and_later(self, rig: Rig) -> None:
        """Each wait is longer than the one before; the others of the lane go on meanwhile."""
        await rig.says("busy", "Хочу стрижку")
        rig.crm.script(BUSY, BUSY, BUSY)
        waits = []
        for _ in range(3):
            await rig.work()
            (create, *_) = await rig.deliveries()
            assert create.row.due_at is not None
            waits.append(create.row.due_at - rig.clock.now())
            rig.clock.at = create.row.due_at
        assert waits == [timedelta(seconds=3.75), timedelta(seconds=7.5), timedelta(seconds=15)]
        await rig.work(timedelta(minutes=1))
        assert await rig.states() == [DONE, DONE]

    async def test_after_three_days_it_is_a_dead_letter(self, rig: Rig) -> None:
        """A lead that nobody sees is worse than one that a human has to look at."""
        await rig.says("busy", "Хочу стрижку")
        rig.crm.script(BUSY)
        await rig.work()
        rig.crm.script(*[BUSY] * 100)
        started = rig.clock.now()
        while (await rig.states())[0] is WAITING and rig.clock.now() - started < timedelta(days=10):
            await rig.work(timedelta(hours=4))
        assert timedelta(days=3) <= rig.clock.now() - started < timedelta(days=3, hours=9)
        assert (await rig.states())[0] is DeliveryState.DEAD

    async def test_a_target_that_is_down_blames_nobody(self, rig: Rig) -> None:
        """A portal that was off for a week must find every lead when it comes back."""
        await rig.says("Алсу", "Хочу стрижку")
        for _ in range(30):
            rig.crm.script(DOWN)
            await rig.work(timedelta(hours=6))
        assert await rig.states() == [WAITING, WAITING]
        create = (await rig.deliveries())[0]
        stored = await rig.stored(lambda tx: tx.deliveries.find(create.row.delivery_id))
        assert stored is not None
        assert stored.failures == 0
        await rig.work(timedelta(minutes=1))
        assert (await rig.states())[0] is DONE

    async def test_a_lane_with_a_problem_pauses_and_says_why(self, rig: Rig) -> None:
        """A new lead must not knock at a portal that asked for an hour's rest."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(RetryLater(code="crm.limit", scope=Scope.TARGET, after=timedelta(hours=1)))
        await rig.work()
        await rig.says("other", "Хочу маникюр")
        await rig.work(timedelta(minutes=59))
        assert len(rig.crm.batches) == 1
        standing = (await rig.storage.query(lambda q: q.connection_standings()))[CRM]
        assert (standing.problem, standing.waiting) == ("crm.limit", 4)
        await rig.work(timedelta(minutes=2))
        assert set(await rig.states()) == {DONE}
        assert (await rig.storage.query(lambda q: q.connection_standings()))[CRM].problem is None


class TestLostAnswers:
    async def test_an_unknown_outcome_is_looked_up_after_the_quiet_time(self, rig: Rig) -> None:
        """The portal may still be at it: asking too early finds nothing and sends twice."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(Lost(executed=True))
        await rig.work()
        assert (await rig.states())[0] is UNKNOWN
        await rig.work(rig.crm.quiet - timedelta(seconds=1))
        assert not rig.crm.looked_up
        await rig.work(timedelta(seconds=1))
        assert await rig.states() == [DONE, DONE]
        assert kinds(rig.crm.looked_up) == ["CreateLead", "AddTimelineEntry"]
        assert Counter(rig.crm.effects).most_common(1)[0][1] == 1

    async def test_what_the_look_up_does_not_find_is_sent_again_unchanged(self, rig: Rig) -> None:
        """The same origin id, so that even then the target can tell."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(Lost(executed=False))
        await rig.work()
        await rig.work(rig.crm.quiet)
        creations = [p for batch in rig.crm.batches for p in batch if isinstance(p, CreateLead)]
        assert len(creations) == 2
        assert creations[0] == creations[1]
        assert await rig.states() == [DONE, DONE]
        attempts = (await rig.deliveries())[0].attempts
        assert [(a.number, a.kind, a.outcome) for a in attempts] == [
            (1, AttemptKind.SEND, AttemptOutcome.UNKNOWN),
            (2, AttemptKind.LOOK_UP, AttemptOutcome.NOT_EXECUTED),
            (3, AttemptKind.SEND, AttemptOutcome.DELIVERED),
        ]

    @pytest.mark.parametrize("answer", [DOWN, BUSY])
    async def test_a_look_up_that_cannot_be_made_sends_nothing(self, rig: Rig, answer: RetryLater) -> None:
        """Not knowing is no permission to repeat."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(Lost(executed=True))
        await rig.work()
        for _ in range(5):
            rig.crm.found.append(answer)
            await rig.work(timedelta(hours=5))
            assert (await rig.states())[0] is UNKNOWN
        assert len([p for batch in rig.crm.batches for p in batch if isinstance(p, CreateLead)]) == 1
        await rig.work(timedelta(hours=5))
        assert (await rig.states())[0] is DONE

    async def test_entries_wait_for_the_answer_of_their_lead(self, rig: Rig) -> None:
        """Nobody knows yet where they belong; other leads go on."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(Lost(executed=True))
        await rig.work()
        await rig.says("Алсу", "Лучше завтра")
        await rig.says("other", "Хочу маникюр")
        await rig.work(timedelta(seconds=1))
        assert await rig.states() == [UNKNOWN, UNKNOWN, WAITING, DONE, DONE]
        await rig.work(rig.crm.quiet)
        assert set(await rig.states()) == {DONE}
        assert rig.crm.effects.index("evt_1") < rig.crm.effects.index("evt_2"), "in the order in which they were said"

    async def test_a_crash_during_the_call_is_an_unknown_outcome(self, rig: Rig) -> None:
        """Killed between the call and the note: the next process asks before it repeats."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(Delivered(), RuntimeError("killed here"))
        await rig.work()
        assert await rig.states() == [DeliveryState.SENDING] * 2
        await rig.work(AFTER_LEASE)
        assert await rig.states() == [UNKNOWN, UNKNOWN]
        assert len(rig.crm.batches) == 1
        await rig.work(rig.crm.quiet)
        await rig.work(rig.crm.quiet)
        assert await rig.states() == [DONE, DONE]
        assert max(Counter(rig.crm.effects).values()) == 1
        first = (await rig.deliveries())[0].attempts[0]
        assert (first.outcome, first.error_code) == (AttemptOutcome.UNKNOWN, "delivery.holder_died")

    async def test_the_quiet_time_counts_from_the_discovery(self, rig: Rig) -> None:
        """A frozen process may have sent long after it began."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(RuntimeError("killed here"))
        await rig.work()
        await rig.work(timedelta(days=1))
        await rig.work(rig.crm.quiet - timedelta(seconds=1))
        assert not rig.crm.looked_up

    async def test_giving_up_a_creation_gives_up_entries_of_unknown_fate(self, rig: Rig) -> None:
        """Their lead was never made, so nothing of them can be there."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.script(Lost(executed=False), Refused("crm.field_missing"))
        await rig.work()
        await rig.work(rig.crm.quiet)
        create, entry = await rig.deliveries()
        assert (create.row.state, entry.row.state) == (DeliveryState.DEAD, UNKNOWN)
        await rig.work(timedelta(days=1))
        assert kinds(rig.crm.looked_up) == ["CreateLead"], "nothing to ask for without a lead"
        await rig.storage.write(
            lambda tx: discard_delivery(tx, create.row.delivery_id, reason="спам", by="staff_1", at=rig.clock.now())
        )
        assert await rig.states() == [DeliveryState.DISCARDED] * 2

    async def test_an_outcome_that_cannot_be_written_is_looked_up(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The disk is full right after the portal said yes: the lead is there, and must not be made again."""
        await rig.says("Алсу", "Хочу стрижку")

        async def fill_the_disk() -> None:
            async def refuse(_unit: object) -> None:
                raise OverloadedError("full")

            monkeypatch.setattr(rig.storage, "write", refuse)

        rig.crm.while_sending = fill_the_disk
        worker = rig.worker()
        await worker._claim()  # noqa: SLF001 - one round: `drain` would claim again on the broken disk
        await asyncio.wait(worker._lanes)  # noqa: SLF001 - as above
        monkeypatch.undo()
        rig.crm.while_sending = None
        await rig.work(AFTER_LEASE)
        await rig.work(rig.crm.quiet)
        assert await rig.states() == [DONE, DONE]
        assert max(Counter(rig.crm.effects).values()) == 1

    async def test_a_large_batch_that_is_written_in_part_is_looked_up_for_the_rest(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its outcomes are written in parts, so that nobody waits for all of them; the end may come between two."""
        for number in range(10):
            await rig.says(f"client-{number}", "Хочу стрижку")
        parts: list[list[str]] = []
        record = LaneSteps.record

        def record_once(self: LaneSteps, tx: Transaction, lease: Lease, called: Called, **times: Any) -> None:  # noqa: ANN401 - passed on
            if parts:
                raise OverloadedError("full")
            parts.append([task.delivery.delivery_id for task in called.tasks])
            record(self, tx, lease, called, **times)

        monkeypatch.setattr(LaneSteps, "record", record_once)
        await rig.work()
        states = Counter(await rig.states())
        assert (states[DONE], states[DeliveryState.SENDING]) == (10, 10)
        assert len(parts[0]) == 10
        monkeypatch.undo()
        rig.restart()
        await rig.work(AFTER_LEASE)
        await rig.work(rig.crm.quiet)
        assert Counter(await rig.states()) == {DONE: 20}
        assert max(Counter(rig.crm.effects).values()) == 1
        assert len(rig.crm.looked_up) == 10

    async def test_what_cannot_be_planned_does_not_take_the_outcome_before_it_along(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Outcome and next start share a commit; a mistake of ours in the second must not make the first unknown."""
        await rig.says("Алсу", "Хочу стрижку")
        plans = 0

        def plan_once(*given: object, **named: object) -> Plan:
            nonlocal plans
            plans += 1
            if plans > 1:
                raise ZeroDivisionError
            return plan_lane(*given, **named)  # type: ignore[arg-type]  # passed on as it came

        monkeypatch.setattr("leadgate.delivery.steps.plan_lane", plan_once)
        worker = rig.worker()
        await worker._claim()  # noqa: SLF001 - one round
        await asyncio.wait(worker._lanes)  # noqa: SLF001 - as above
        assert await rig.states() == [DONE, DONE]


class TestLeases:
    async def test_a_holder_that_lost_its_lane_writes_nothing(self, rig: Rig) -> None:
        """It slept through its lease in the call; the successor's view stands."""
        await rig.says("Алсу", "Хочу стрижку")
        taken: list[Lease] = []

        async def be_overtaken() -> None:
            rig.clock.move(AFTER_LEASE)
            now = rig.clock.now()
            taken.extend(
                await rig.storage.write(
                    lambda tx: tx.lanes.claim(holder="node-2", now=now, until=now + LEASE_TIME, limit=5)
                )
            )

        rig.crm.while_sending = be_overtaken
        await rig.work()
        assert len(taken) == 1
        assert await rig.states() == [DeliveryState.SENDING] * 2
        rig.crm.while_sending = None
        await rig.work(AFTER_LEASE)
        await rig.work(rig.crm.quiet)
        assert await rig.states() == [DONE, DONE]
        assert max(Counter(rig.crm.effects).values()) == 1

    async def test_nothing_is_sent_after_the_lease_ran_out(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        """The disk was slow before the call: another node may hold the lane already, though nobody told us."""
        await rig.says("Алсу", "Хочу стрижку")
        write = rig.storage.write

        async def slowly(unit: object) -> object:
            result: object = await write(unit)  # type: ignore[arg-type]  # any unit
            rig.clock.move(LEASE_TIME / 2)
            return result

        monkeypatch.setattr(rig.storage, "write", slowly)
        worker = rig.worker()
        await worker._claim()  # noqa: SLF001 - one round
        await asyncio.wait(worker._lanes)  # noqa: SLF001 - as above
        assert not rig.crm.batches

    async def test_a_call_in_several_requests_stops_when_the_lease_is_lost(self, rig: Rig) -> None:
        """The target asks before each request that writes."""
        asked: list[bool] = []

        async def send(payloads: object, before_call: object) -> list[object]:
            assert callable(before_call)
            before_call()
            asked.append(True)
            rig.clock.move(AFTER_LEASE)
            with pytest.raises(LeaseLostError):
                before_call()
            asked.append(False)
            raise LeaseLostError("as the port says")

        await rig.says("Алсу", "Хочу стрижку")
        rig.targets.by_connection[CRM] = type("Slow", (), {**_target_methods(), "send": staticmethod(send)})()
        worker = rig.worker()
        await worker._claim()  # noqa: SLF001 - one round
        await asyncio.wait(worker._lanes)  # noqa: SLF001 - as above
        assert asked == [True, False]
        assert await rig.states() == [DeliveryState.SENDING] * 2

    async def test_the_heartbeat_keeps_a_long_call_alive_and_tells_of_a_loss(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While the portal takes its time the lane stays ours; when it is not ours any more, that is known before the next call."""
        monkeypatch.setattr("leadgate.delivery.worker.LEASE_TIME", timedelta(seconds=0.03))
        await rig.says("Алсу", "Хочу стрижку")
        renewed = asyncio.Event()
        write = rig.storage.write
        writes = 0

        async def counted(unit: object) -> object:
            nonlocal writes
            result: object = await write(unit)  # type: ignore[arg-type]  # any unit
            writes += 1
            if writes >= 5:  # the claim, the start, and three renewals
                renewed.set()
            return result

        monkeypatch.setattr(rig.storage, "write", counted)

        async def take_time() -> None:
            await asyncio.wait_for(renewed.wait(), 10)

        rig.crm.while_sending = take_time
        await rig.work()
        assert await rig.states() == [DONE, DONE]

    async def test_stopping_finishes_the_call_and_gives_the_lane_back(self, rig: Rig) -> None:
        """A long queue must not hold up the end of the process; the next start goes on at once."""
        rig.crm.size = 2
        for number in range(10):
            await rig.says(f"client-{number}", "Хочу стрижку")
        stop = asyncio.Event()

        async def then_stop() -> None:
            stop.set()

        rig.crm.while_sending = then_stop
        await asyncio.wait_for(rig.worker().run(stop), 10)
        assert len(rig.crm.batches) <= 2
        assert DeliveryState.SENDING not in await rig.states()
        rig.crm.while_sending = None
        await rig.work()
        assert set(await rig.states()) == {DONE}

    async def test_overload_does_not_end_the_worker(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        """Too many webhooks at once must delay deliveries, not stop them until the next restart."""
        stop, refused = asyncio.Event(), asyncio.Event()
        write = rig.storage.write

        async def refuse(_unit: object) -> None:
            refused.set()
            raise OverloadedError("too much is waiting")

        monkeypatch.setattr(rig.storage, "write", refuse)
        worker = rig.worker()
        running = asyncio.create_task(worker.run(stop))
        await asyncio.wait_for(refused.wait(), 10)
        await asyncio.sleep(0)
        monkeypatch.setattr(rig.storage, "write", write)
        await rig.says("Алсу", "Хочу стрижку")
        sent = asyncio.Event()

        async def tell() -> None:
            sent.set()

        rig.crm.while_sending = tell
        worker.wake()
        await asyncio.wait_for(sent.wait(), 10)
        stop.set()
        worker.wake()
        await asyncio.wait_for(running, 10)


class TestClosedLeads:
    async def test_words_for_a_closed_lead_make_a_new_one(self, rig: Rig) -> None:
        """The manager closed the request; the client writes again: a new request, with these words in it."""
        old = await rig.says("Алсу", "Хочу стрижку")
        await rig.work()
        await rig.says("Алсу", "И ещё маникюр")
        await rig.says("Алсу", "В субботу")
        rig.crm.script(LeadClosed(), LeadClosed())
        await rig.work()
        assert set(await rig.states()) == {DONE}
        assert (await rig.lead(old)).state is LeadState.CLOSED
        creations = [p for batch in rig.crm.batches for p in batch if isinstance(p, CreateLead)]
        assert [c.comment for c in creations] == ["Хочу стрижку", "И ещё маникюр"]
        assert len({c.origin_id for c in creations}) == 2
        assert rig.crm.effects[-2:] == ["evt_2", "evt_3"], "in their order, behind the creation"

    async def test_the_first_entry_may_find_its_own_lead_closed(self, rig: Rig) -> None:
        """The event has made a lead already: the new one needs another origin id, or the lane would stop for ever."""
        await rig.says("Алсу", "Хочу стрижку")
        rig.crm.size = 1
        rig.crm.script(Delivered(), LeadClosed(), Delivered(), LeadClosed())
        await rig.work()
        assert set(await rig.states()) == {DONE}
        assert len(set(rig.crm.effects)) == len(rig.crm.effects)

    async def test_a_lead_of_a_removed_crm_is_not_written_to_in_the_next_one(self, rig: Rig) -> None:
        """Lead 1 of the new portal is somebody else: the client's words must not land there."""
        old = await rig.says("Алсу", "Хочу стрижку")
        await rig.work()
        await rig.says("Алсу", "Телефон подруги пришлю позже")
        rig.targets.add("conn_new")
        await rig.storage.write(lambda tx: _replace_crm(tx, rig))
        await rig.work()
        new = rig.targets.by_connection["conn_new"]
        assert [kinds(batch) for batch in new.batches] == [["CreateLead", "AddTimelineEntry"]]
        assert len(rig.crm.batches) == 1
        assert (await rig.lead(old)).state is LeadState.CLOSED
        current = await rig.says("Алсу", "Спасибо", crm="conn_new")
        assert (await rig.lead(current)).crm_connection_id == "conn_new"

    async def test_a_lead_that_waited_for_a_crm_belongs_to_the_one_that_took_it(self, rig: Rig) -> None:
        """It was made before any CRM was there; its later words must find it."""
        lead_id = await rig.says("Алсу", "Хочу стрижку", crm=None)
        await rig.storage.write(lambda tx: tx.deliveries.move_open("", to_connection_id=CRM, to_lane=LANE))
        await rig.storage.write(lambda tx: tx.lanes.wake(LANE, connection_id=CRM, due_at=rig.clock.now()))
        await rig.work()
        await rig.says("Алсу", "Лучше завтра")
        await rig.work()
        assert set(await rig.states()) == {DONE}
        assert (await rig.lead(lead_id)).state is LeadState.OPEN
        assert len(rig.crm.effects) == 3


class TestMessages:
    async def test_two_chats_do_not_block_one_another(self, rig: Rig) -> None:
        """One client's messenger that answers slowly must not keep another client waiting."""
        await rig.reply("slow", "Как к вам обращаться?")
        await rig.reply("quick", "Как к вам обращаться?")
        both = asyncio.Barrier(2)

        async def meet() -> None:
            async with asyncio.timeout(10):
                await both.wait()

        rig.bot.while_sending = meet
        await rig.work()
        assert await rig.states() == [DONE, DONE]

    async def test_one_chat_keeps_its_order(self, rig: Rig) -> None:
        """A question after its answer would be nonsense."""
        for text in ("первое", "второе", "третье"):
            await rig.reply("Алсу", text)
        rig.bot.script(BUSY)
        await rig.work()
        assert len(rig.bot.batches) == 1, "the second waits for the first"
        await rig.work(timedelta(minutes=1))
        assert rig.bot.effects == ["msg_1", "msg_2", "msg_3"]

    async def test_a_message_whose_answer_is_lost_is_not_repeated(self, rig: Rig) -> None:
        """Telegram cannot be asked: a human sees that it perhaps arrived, and the chat goes on."""
        await rig.reply("Алсу", "первое")
        await rig.reply("Алсу", "второе")
        rig.bot.script(Lost(executed=True))
        await rig.work()
        await rig.work(timedelta(days=1))
        assert await rig.states() == [DeliveryState.UNCERTAIN, DONE]
        assert rig.bot.effects == ["msg_1", "msg_2"]

    async def test_a_message_that_may_be_repeated_is(self, rig: Rig) -> None:
        """A messenger that drops a second send with the same id makes it safe."""
        rig.bot.repeats = True
        await rig.reply("Алсу", "первое")
        rig.bot.script(OutcomeUnknown("target.timed_out"))
        await rig.work()
        assert await rig.states() == [WAITING]
        await rig.work(timedelta(minutes=1))
        assert await rig.states() == [DONE]
        assert not rig.bot.looked_up

    async def test_a_crash_while_sending_a_message_leaves_it_uncertain(self, rig: Rig) -> None:
        """Perhaps the client has it; sending it again would look like a broken bot."""
        await rig.reply("Алсу", "первое")
        rig.bot.script(RuntimeError("killed here"))
        await rig.work()
        await rig.work(AFTER_LEASE)
        assert await rig.states() == [DeliveryState.UNCERTAIN]
        assert len(rig.bot.batches) == 1

    @pytest.mark.parametrize("answer", [DOWN, BUSY])
    async def test_a_message_is_too_late_after_a_day(self, rig: Rig, answer: RetryLater) -> None:
        """A question that comes out of the blue two days later is worse than silence."""
        await rig.reply("Алсу", "Как к вам обращаться?")
        rig.bot.script(*[answer] * 50)
        for _ in range(30):
            await rig.work(timedelta(hours=1))
        (message,) = await rig.deliveries()
        assert (message.row.state, message.row.error_code) == (DeliveryState.DEAD, "message.too_late")
        assert (
            await rig.storage.read(
                lambda tx: tx.lanes.claim(holder="x", now=rig.clock.now(), until=rig.clock.now(), limit=1)
            )
            == []
        )


def _target_methods() -> dict[str, object]:
    return {
        "capacity": lambda _self: 50,
        "can_repeat": lambda _self: False,
        "quiet_time": lambda _self: timedelta(minutes=3),
    }


def _replace_crm(tx: Transaction, rig: Rig) -> None:
    tx.connections.add(new_connection("conn_new"))
    tx.deliveries.move_open(CRM, to_connection_id="conn_new", to_lane="crm:conn_new")
    tx.lanes.wake("crm:conn_new", connection_id="conn_new", due_at=rig.clock.now())
