"""In which order an erasure is done, and what is left when a step of it fails; two at once; the alarm of an order."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from leadgate.app import erased_list
from leadgate.app.erasing import CRM_REMOVED
from leadgate.app.erasure_alarm import ErasureSense
from leadgate.errors import ConflictError, JournalUnavailableError, NotFoundError, UnknownKeyError
from leadgate.model.alerts import Signs
from leadgate.model.deliveries import DeliveryState
from leadgate.model.erasures import Erasure, ErasureReason, OrderState
from leadgate.model.journal import JournalEntry, Result
from leadgate.ports.stores import Transaction
from leadgate.rights.erasure import erase_rows
from leadgate.vault.envelope import subject_scope
from tests.rights.erasing_house import ALSU, OLEG, Salon, open_salon


async def erase(salon: Salon, subject_id: str, reason: ErasureReason = ErasureReason.REQUEST) -> Erasure:
    """Erase somebody."""
    return await salon.app.erasing.erase(subject_id, reason=reason, by="staff_1")


async def known(salon: Salon) -> str:
    """Somebody whose request was brought to the CRM."""
    await salon.asks(ALSU, "Запишите")
    await salon.app.settle()
    subject_id = await salon.whose(ALSU)
    assert subject_id is not None
    return subject_id


async def test_without_a_journal_nothing_is_erased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What must leave a trace is refused when it cannot leave one."""
    async with open_salon(tmp_path) as salon:
        subject_id = await known(salon)

        async def fail(_entry: JournalEntry) -> int:
            raise JournalUnavailableError("The journal cannot be written.")

        monkeypatch.setattr(salon.app.journal, "record", fail)
        with pytest.raises(JournalUnavailableError):
            await erase(salon, subject_id)
        assert await salon.whose(ALSU) == subject_id
        assert erased_list.read(salon.settings.data) == []


async def test_the_list_is_on_disk_before_the_rows_go_and_a_failure_is_journaled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between the two leaves a line too many, never a person too few."""
    async with open_salon(tmp_path) as salon:
        subject_id = await known(salon)
        seen: list[int] = []

        def fail(*_: object, **__: object) -> None:
            seen.append(len(erased_list.read(salon.settings.data)))
            raise ConflictError("It cannot be.")

        monkeypatch.setattr("leadgate.app.erasing.erase_rows", fail)
        with pytest.raises(ConflictError):
            await erase(salon, subject_id)
        monkeypatch.undo()
        assert seen == [1]
        results = [row.entry.result for row in await salon.app.journal.newest(limit=9, on=subject_id)]
        assert results == [Result.FAILED, Result.DONE]
        erasure = await erase(salon, subject_id, ErasureReason.UNLAWFUL)
        assert (erasure.number, erasure.reason, erasure.by) == (1, ErasureReason.UNLAWFUL, "staff_1")


async def test_nobody_is_erased_by_a_made_up_id(tmp_path: Path) -> None:
    """The command ends with 1, and nothing is written anywhere."""
    async with open_salon(tmp_path) as salon:
        with pytest.raises(NotFoundError):
            await erase(salon, "subj_nobody")
        assert erased_list.read(salon.settings.data) == []
        assert await salon.app.journal.newest(limit=9, area="subject") == []


async def test_a_message_on_its_way_puts_the_erasure_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chat is being written to: refused without a trace, and the chat goes on."""
    monkeypatch.setattr("leadgate.app.erasing._LOOK_AGAIN_S", 0.0)
    async with open_salon(tmp_path) as salon:
        await salon.writes("Здравствуйте")
        await salon.app.settle()
        subject_id = await salon.whose_chat()
        assert subject_id is not None
        (lane,) = await salon.app.storage.read(lambda tx: tx.erasures.chat_lanes([subject_id]))

        def hold(tx: Transaction) -> None:
            now = salon.app.clock.now()
            assert tx.lanes.claim_one(lane, holder="another", now=now, until=now.replace(year=now.year + 1))

        await salon.app.storage.write(hold)
        monkeypatch.setattr("leadgate.app.erasing.WAIT_FOR_CHATS", salon.app.clock.now() - salon.app.clock.now())
        with pytest.raises(ConflictError) as busy:
            await erase(salon, subject_id)
        assert busy.value.code == "erasure.busy"
        assert await salon.whose_chat() == subject_id


async def test_a_lead_of_a_crm_that_was_removed_is_told_as_refused(tmp_path: Path) -> None:
    """Nobody can be asked any more: somebody has to delete it there, and the alarm says so."""
    async with open_salon(tmp_path) as salon:
        subject_id = await known(salon)
        await salon.app.connections.remove(salon.crm, by="command")
        await salon.app.book.refresh(force=True)
        erasure = await erase(salon, subject_id)
        assert (erasure.order, erasure.error_code) == (OrderState.REFUSED, CRM_REMOVED)
        await salon.app.erasing.follow()
        sense = ErasureSense(salon.app.erasing, salon.app.time_zone)
        (trouble,) = await sense.look(Signs(connections=[]), now=salon.app.clock.now())
        assert trouble.detail == CRM_REMOVED


async def test_a_dead_order_is_refused_and_a_retry_opens_it_again(tmp_path: Path) -> None:
    """A person cures the right, repeats the delivery, and the erasure ends as done."""
    async with open_salon(tmp_path) as salon:
        subject_id = await known(salon)
        salon.sandbox.faults.add("error-500", method="crm.item.update", count=1)
        erasure = await erase(salon, subject_id)
        (delivery_id,) = erasure.delivery_ids

        def give_up(tx: Transaction) -> None:
            tx.deliveries.settle(
                delivery_id,
                state=DeliveryState.DEAD,
                due_at=None,
                failures=8,
                error_code="bitrix24.ACCESS_DENIED",
                error_detail=None,
                external_id=None,
                at=salon.app.clock.now(),
            )

        await salon.app.storage.write(give_up)
        await salon.app.erasing.follow()
        refused = await salon.app.erasing.find(erasure.erasure_id)
        assert (refused.order, refused.error_code) == (OrderState.REFUSED, "bitrix24.ACCESS_DENIED")
        salon.sandbox.faults.clear()
        await salon.app.desk.retry(delivery_id, by="staff_1")
        await salon.app.settle()
        await salon.app.erasing.follow()
        assert (await salon.app.erasing.find(erasure.erasure_id)).order is OrderState.DONE
        results = [row.entry.result for row in await salon.app.journal.newest(limit=9, on=subject_id)]
        assert results == [Result.DONE, Result.REFUSED, Result.DONE]


async def test_an_order_that_a_person_gave_up_is_no_success(tmp_path: Path) -> None:
    """It was done by hand, or not at all: the act says that somebody gave it up."""
    async with open_salon(tmp_path) as salon:
        subject_id = await known(salon)
        salon.sandbox.faults.add("down")
        erasure = await erase(salon, subject_id)
        await salon.app.desk.discard(erasure.delivery_ids[0], reason="удалили сами", by="staff_1")
        assert (await salon.app.erasing.find(erasure.erasure_id)).order is OrderState.GIVEN_UP


async def test_two_people_erased_at_once_get_two_numbers(tmp_path: Path, postgres_database: str) -> None:
    """Acts are counted without a gap, on two nodes as on one."""
    async with open_salon(tmp_path, postgres_database) as salon:
        await salon.asks(OLEG, "Олег")
        one = await known(salon)
        other = await salon.whose(OLEG)
        assert other is not None
        done = await asyncio.gather(erase(salon, one), erase(salon, other))
        assert sorted(erasure.number for erasure in done) == [1, 2]


async def test_who_seals_at_this_moment_is_waited_for(tmp_path: Path, postgres_database: str) -> None:
    """On PostgreSQL both run at once: a row that is being sealed is seen and destroyed; one that comes later finds no key."""
    async with open_salon(tmp_path, postgres_database) as salon:
        subject_id = await known(salon)
        vault, storage, scope = salon.app.vault, salon.app.storage, subject_scope(subject_id)
        has_sealed, may_commit = threading.Event(), threading.Event()

        def learn(tx: Transaction) -> None:
            sealed = vault.seal(tx, scope, "subjects.profile", b"{}")
            has_sealed.set()
            assert may_commit.wait(20)
            tx.subjects.set_profile(subject_id, sealed)
            tx.subjects.add_identifier(subject_id, "phone", b"late", at=salon.app.clock.now())

        late = asyncio.ensure_future(storage.write(learn))
        await asyncio.to_thread(has_sealed.wait, 20)
        erasing = asyncio.ensure_future(
            storage.write(lambda tx: erase_rows(tx, [subject_id], at=salon.app.clock.now()))
        )
        done, _ = await asyncio.wait([erasing], timeout=0.3)
        assert not done  # it waits for the one who seals
        may_commit.set()
        await late
        erased = await erasing
        assert erased.counts["identifiers"] == 3  # phone and e-mail, and the one that was just added
        assert await storage.read(lambda tx: tx.subjects.find_profile(subject_id)) is None
        assert await storage.read(lambda tx: tx.subjects.find_by("phone", b"late")) is None
        with pytest.raises(UnknownKeyError):
            await storage.write(lambda tx: vault.seal(tx, scope, "subjects.profile", b"{}"))


async def test_an_event_that_is_worked_on_while_its_person_is_erased_leaves_nothing(
    tmp_path: Path, postgres_database: str
) -> None:
    """Two nodes: one reads the words, the other erases. Whoever comes second sees what the first did."""
    async with open_salon(tmp_path, postgres_database) as salon:
        subject_id = await known(salon)
        for number in range(12):
            await salon.asks(ALSU, f"ещё-слова-{number}")
        await asyncio.gather(salon.app.inbox.drain(), erase(salon, subject_id))
        await salon.app.settle()
        await salon.app.erasing.follow()
        counts = await salon.app.storage.read(lambda tx: tx.erasures.count([subject_id]))
        assert {name: count for name, count in counts.items() if count} == {"subjects": 1, "leads": 1}
        assert await salon.app.storage.read(lambda tx: tx.erasures.marks([subject_id])) == frozenset()
        assert (await salon.app.erasing.newest(limit=1))[0].order is OrderState.DONE
        anew = await salon.whose(ALSU)
        assert anew != subject_id
        assert anew is not None or "Меткина" not in salon.portal_text


async def test_whoever_read_an_event_before_the_erasure_ends_it_in_vain(tmp_path: Path) -> None:
    """A worker took the words into memory and was slow: what it makes of them afterwards is undone whole."""
    async with open_salon(tmp_path) as salon:
        subject_id = await known(salon)
        event_id = await salon.asks(ALSU, "в памяти другого")
        event = await salon.app.storage.read(lambda tx: tx.events.find(event_id))
        source = salon.app.find_source(salon.bot)
        assert event is not None
        assert source is not None
        await erase(salon, subject_id)
        at = salon.app.clock.now()
        with pytest.raises(ConflictError):
            await salon.app.storage.write(lambda tx: salon.app.turns.work(tx, event, source, at=at))
        assert await salon.whose(ALSU) is None
