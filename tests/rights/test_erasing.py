"""A person is erased end to end: rows, keys, the order to the CRM, and what must go on adding up afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from leadgate.app import erased_list
from leadgate.app.erased_again import erase_again
from leadgate.errors import UnknownKeyError
from leadgate.model.deliveries import DeliveryState
from leadgate.model.erasures import ErasureReason, OrderState
from leadgate.model.journal import Tag
from leadgate.model.leads import LeadState
from leadgate.model.views import Cause
from leadgate.ports.stores import Transaction
from leadgate.storage.erasures import ERASED
from leadgate.testing.waiting import until
from leadgate.vault.envelope import subject_scope
from tests.rights.erasing_house import ALSU, ALSU_IN_TELEGRAM, OLEG, Salon, hunt, open_salon

MARKS = {
    "name": "Меткина",
    "phone": "79004711901",
    "tail": "4711901",
    "email": "alsu4711",
    "words": "заветную-стрижку",
    "chat words": "тайное-желание",
    "telegram id": str(ALSU_IN_TELEGRAM),
    "username": "alsu_metka",
}


@pytest.fixture(params=["sqlite", "postgresql"])
async def salon(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Salon]:
    """The house on each engine."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    async with open_salon(tmp_path, url) as opened:
        yield opened


async def erase(salon: Salon, subject_id: str) -> str:
    """Erase by request; the erasure's id."""
    erasure = await salon.app.erasing.erase(subject_id, reason=ErasureReason.REQUEST, by="command")
    return erasure.erasure_id


async def balance(salon: Salon) -> tuple[int, int]:
    """What was received, and how much of it is named."""
    now = salon.app.clock.now()
    ledger = await salon.app.desk.balance(since=now - timedelta(days=1), until=now + timedelta(days=1))
    return ledger.received, ledger.in_crm + ledger.waiting + ledger.dead + ledger.answered + ledger.ignored


async def test_a_person_erased_while_the_crm_is_away_is_gone_here_at_once_and_there_when_it_is_back(
    salon: Salon, tmp_path: Path
) -> None:
    """The whole story: two channels, one person, an open lead, words that wait; nothing of it is left, and the sums hold."""
    subject_id = await salon.alsu_comes_by_two_ways()
    await salon.asks(OLEG, "Олег просит бритьё")
    await salon.app.settle()
    salon.sandbox.faults.add("down")
    await salon.asks(ALSU, "и ещё заветную-стрижку завтра")
    await salon.writes("тайное-желание ещё раз")
    await salon.app.settle()
    assert "Меткина" in salon.portal_text
    people, counts = await salon.app.erasing.preview(subject_id)
    assert len(people) == 2
    assert counts["messages"] >= 2
    assert counts["waiting"] >= 1
    before = await salon.app.storage.read(lambda tx: [tx.keys.find(subject_scope(one)) for one in people])
    indexes = await salon.app.storage.read(lambda tx: tx.erasures.marks(people))

    erasure_id = await erase(salon, subject_id)
    erasure = await salon.app.erasing.find(erasure_id)
    assert erasure.order is OrderState.OPEN
    assert {key.scope for key in erasure.keys} == {subject_scope(one) for one in people}
    assert erasure.rows["cancelled"] >= 1
    await salon.app.settle()
    assert (await salon.app.erasing.find(erasure_id)).order is OrderState.OPEN

    await salon.wake_portal()
    erasure = await salon.app.erasing.find(erasure_id)
    assert (erasure.order, erasure.error_code) == (OrderState.DONE, None)
    assert "=deleted" in (erasure.answer or "")
    for mark in MARKS.values():
        assert mark not in salon.portal_text
    assert "Олег" in salon.portal_text

    received, named = await balance(salon)
    assert received == named == 5
    result = await salon.app.reconciler.run(cause=Cause.COMMAND)
    assert (list(result.differences), result.erased) == ([], 4)

    tags = [(row.entry.tag, row.entry.on) for row in await salon.app.journal.newest(limit=9, on=subject_id)]
    assert tags == [(Tag.ERASURE_FOLLOWED, subject_id), (Tag.SUBJECT_ERASED, subject_id)]
    lines = erased_list.read(salon.settings.data)
    assert [(line.erasure, set(line.subjects)) for line in lines] == [(erasure_id, set(people))]

    assert hunt(salon.settings.data, MARKS) == {}
    if salon.app.storage.is_local:  # the server's files are not ours to read
        traces = {f"index {n}": index for n, (_, index) in enumerate(sorted(indexes))}
        traces |= {f"index as text {n}": index.hex().encode() for n, (_, index) in enumerate(sorted(indexes))}
        traces |= {f"key {n}": key.wrapped_key for n, key in enumerate(before) if key is not None}
        assert len(traces) >= 2 * 4 + 2
        assert hunt(salon.settings.data, traces) == {}


async def test_the_hunt_for_traces_would_find_them(tmp_path: Path) -> None:
    """The same hunt before the erasure finds the keys and the indexes; otherwise it would prove nothing."""
    async with open_salon(tmp_path) as salon:
        subject_id = await salon.alsu_comes_by_two_ways()
        key = await salon.app.storage.read(lambda tx: tx.keys.find(subject_scope(subject_id)))
        indexes = await salon.app.storage.read(lambda tx: tx.erasures.marks([subject_id]))
        assert key is not None
        traces = {"key": key.wrapped_key, "index": min(indexes)[1]}
        found = hunt(salon.settings.data, traces)
        assert {name for names in found.values() for name in names} == {"key", "index"}
        (salon.settings.data / "planted").write_bytes(b"\0tel:79004711901\0")
        assert hunt(salon.settings.data, MARKS) == {"planted": ["phone", "tail"]}


async def test_no_key_opens_and_none_seals_for_an_erased_person(salon: Salon) -> None:
    """A node that still holds the opened key in memory must not write a row that nobody could ever open."""
    subject_id = await salon.alsu_comes_by_two_ways()
    vault, storage, scope = salon.app.vault, salon.app.storage, subject_scope(subject_id)
    sealed = await storage.write(lambda tx: vault.seal(tx, scope, "place", b"words"))

    def destroy_elsewhere(tx: Transaction) -> None:
        tx.erasures.destroy_keys([scope])

    await storage.write(destroy_elsewhere)
    assert await storage.read(lambda tx: vault.open(tx, scope, "place", sealed)) == b"words"  # still in memory here
    with pytest.raises(UnknownKeyError):
        await storage.write(lambda tx: vault.seal(tx, scope, "place", b"more"))
    with pytest.raises(UnknownKeyError):  # and by then forgotten
        await storage.read(lambda tx: vault.open(tx, scope, "place", sealed))


async def test_a_node_forgets_the_keys_that_another_destroyed(salon: Salon) -> None:
    """The command runs in a process of its own; the gateway follows within seconds."""
    subject_id = await salon.alsu_comes_by_two_ways()
    vault, storage = salon.app.vault, salon.app.storage
    sealed = await storage.write(lambda tx: vault.seal(tx, subject_scope(subject_id), "place", b"words"))
    vault.forget, kept = (lambda *_: None), vault.forget  # type: ignore[method-assign]  # this node hears nothing of it
    await erase(salon, subject_id)
    vault.forget = kept  # type: ignore[method-assign]  # as above
    assert await storage.read(lambda tx: vault.open(tx, subject_scope(subject_id), "place", sealed)) == b"words"
    await salon.app.follow()
    with pytest.raises(UnknownKeyError):
        await storage.read(lambda tx: vault.open(tx, subject_scope(subject_id), "place", sealed))


async def test_who_writes_again_is_a_new_person(salon: Salon) -> None:
    """Nothing leads from the new person to the erased one."""
    subject_id = await salon.alsu_comes_by_two_ways()
    await erase(salon, subject_id)
    await salon.app.settle()
    await salon.writes("Здравствуйте снова")
    await salon.asks(ALSU, "Снова я")
    await salon.app.settle()
    one, other = await salon.whose(ALSU), await salon.whose_chat()
    assert one is not None
    assert other is not None
    assert subject_id not in {one, other}
    assert "Снова я" in salon.portal_text
    received, named = await balance(salon)
    assert received == named


async def test_a_redelivery_of_what_was_erased_stays_a_duplicate(salon: Salon) -> None:
    """The vendor sends again what it got no answer for; the words must not come back with it."""
    first = await salon.asks(ALSU, "один раз", webhook_id="msg_same")
    await salon.app.settle()
    subject_id = await salon.whose(ALSU)
    assert subject_id is not None
    await erase(salon, subject_id)
    assert await salon.asks(ALSU, "один раз", webhook_id="msg_same") == first
    await salon.app.settle()
    assert await salon.whose(ALSU) is None


async def test_words_that_nobody_has_read_yet_are_erased_with_the_person(salon: Salon) -> None:
    """They came before the request: working on them afterwards would make the person anew."""
    subject_id = await salon.alsu_comes_by_two_ways()
    await salon.app.connections.pause(salon.chat, by="command")
    await salon.app.book.refresh(force=True)
    await salon.asks(ALSU, "не прочитанное-никем")
    in_chat = await salon.writes("не прочитанное в чате")
    of_another = await salon.asks(OLEG, "Олег тоже ждёт")
    erasure_id = await erase(salon, subject_id)
    assert (await salon.app.erasing.find(erasure_id)).rows["unread_events"] == 2
    await salon.app.connections.resume(salon.chat, by="command")
    await salon.app.book.refresh(force=True)
    await salon.app.settle()
    assert (await salon.whose(ALSU), await salon.whose_chat()) == (None, None)
    event = await salon.app.storage.read(lambda tx: tx.events.find(in_chat))
    assert event is not None
    assert (event.sealed_body, event.reason, event.subject_id) == (None, ERASED, subject_id)
    oleg = await salon.app.storage.read(lambda tx: tx.events.find(of_another))
    assert oleg is not None
    assert oleg.sealed_body is not None
    assert "не прочитанное" not in salon.portal_text
    assert "Олег тоже ждёт" in salon.portal_text
    received, named = await balance(salon)
    assert received == named


async def test_an_erasure_between_the_call_and_its_answer(salon: Salon) -> None:
    """The lead is made in the CRM while its person is erased: the answer comes too late to keep words, and is erased as well."""
    await salon.asks(ALSU, "в полёте")
    await salon.app.inbox.drain()
    subject_id = await salon.whose(ALSU)
    assert subject_id is not None
    target = salon.app.targets.find(salon.crm)
    assert target is not None
    send = type(target).send
    erased: list[str] = []

    async def erase_meanwhile(self, payloads, before_call):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 -- stands in for `send`
        outcomes = await send(self, payloads, before_call)
        if not erased:
            erased.append(await erase(salon, subject_id))
        return outcomes

    type(target).send = erase_meanwhile  # type: ignore[method-assign]  # the wire stays real
    try:
        await salon.app.deliveries.drain()
    finally:
        type(target).send = send  # type: ignore[method-assign]  # as before
    await salon.app.settle()
    erasure = await salon.app.erasing.find(erased[0])
    assert erasure.order is OrderState.DONE
    assert "Меткина" not in salon.portal_text
    assert "в полёте" not in salon.portal_text
    (lead,) = (await salon.app.desk.leads(limit=9)).items
    assert lead.state is LeadState.CLOSED
    assert lead.crm_ref is not None
    assert (await salon.app.reconciler.run(cause=Cause.COMMAND)).differences == []
    page = await salon.app.desk.deliveries(limit=9)
    assert {row.state for row in page.items} == {DeliveryState.DONE}


async def test_an_erasure_while_the_outcome_is_unknown(salon: Salon) -> None:
    """The answer was lost: it is looked up without words, never sent again, and then the order goes."""
    await salon.asks(ALSU, "ответ потерян")
    await salon.app.inbox.drain()
    subject_id = await salon.whose(ALSU)
    assert subject_id is not None
    salon.sandbox.faults.add("drop-answer", count=1, method="crm.item.add")
    await salon.app.deliveries.drain()
    assert "Меткина" in salon.portal_text
    erasure_id = await erase(salon, subject_id)
    await salon.app.settle()
    assert (await salon.app.erasing.find(erasure_id)).order is OrderState.OPEN  # the quiet time is not over

    async def is_done() -> bool:
        await salon.wake_portal()
        return (await salon.app.erasing.find(erasure_id)).order is OrderState.DONE

    await until(is_done, what="the quiet time is over, and the order came through", timeout_s=20)
    assert "Меткина" not in salon.portal_text
    assert (await salon.app.reconciler.run(cause=Cause.COMMAND)).differences == []


async def test_what_did_not_arrive_is_not_sent_without_words_either(salon: Salon) -> None:
    """The look-up finds nothing: an empty lead of nobody would be the thanks for an erasure."""
    await salon.asks(ALSU, "не дошло")
    await salon.app.inbox.drain()
    subject_id = await salon.whose(ALSU)
    assert subject_id is not None
    salon.sandbox.faults.add("error-500", count=1, method="crm.item.add")
    await salon.app.deliveries.drain()
    erasure_id = await erase(salon, subject_id)

    async def is_done() -> bool:
        await salon.wake_portal()
        return (await salon.app.erasing.find(erasure_id)).order is OrderState.DONE

    await until(is_done, what="the quiet time is over, and the order came through", timeout_s=20)
    page = await salon.app.desk.deliveries(limit=9)
    states = {row.kind.value: row.state for row in page.items}
    assert states.pop("lead.erase") is DeliveryState.DONE
    assert set(states.values()) == {DeliveryState.DISCARDED}
    received, named = await balance(salon)
    assert received == named


async def test_an_entry_in_doubt_does_not_hold_up_the_order_of_a_lead_that_was_never_made(salon: Salon) -> None:
    """The creation is known not to have arrived and waits to be sent again; its entry is still in doubt when the person goes."""
    await salon.asks(ALSU, "не дошло дважды")
    await salon.app.inbox.drain()
    subject_id = await salon.whose(ALSU)
    assert subject_id is not None
    salon.sandbox.faults.add("error-500", count=1, method="crm.item.add")
    await salon.app.deliveries.drain()
    salon.sandbox.faults.add("down", method="crm.item.add")

    async def is_known() -> bool:
        await salon.app.settle()
        page = await salon.app.desk.deliveries(limit=9)
        return {row.kind.value: row.state for row in page.items} == {
            "lead.create": DeliveryState.WAITING,
            "timeline.add": DeliveryState.UNKNOWN,
        }

    await until(is_known, what="the creation waits, its entry is in doubt", timeout_s=20)
    erasure_id = await erase(salon, subject_id)
    await salon.wake_portal()
    assert (await salon.app.erasing.find(erasure_id)).order in (OrderState.DONE, OrderState.NONE)


async def test_erasing_twice_is_erasing_once(salon: Salon) -> None:
    """A second click gets what the first one did."""
    subject_id = await salon.alsu_comes_by_two_ways()
    first = await erase(salon, subject_id)
    assert await erase(salon, subject_id) == first
    assert len(erased_list.read(salon.settings.data)) == 1


async def test_a_restored_backup_does_not_bring_the_person_back(salon: Salon) -> None:
    """The rows come back with the backup, and go again by the list; the order is given anew."""
    subject_id = await salon.alsu_comes_by_two_ways()
    lines = [
        erased_list.ErasedLine(
            erasure="era_1",
            at=salon.app.clock.now(),
            subjects=tuple(await salon.app.storage.read(lambda tx: (subject_id,))),
        ),
        erased_list.ErasedLine(erasure="era_2", at=salon.app.clock.now(), subjects=("subj_nobody",)),
    ]
    for _ in range(2):  # a restore that was cut off is repeated
        for line in lines:
            await salon.app.storage.write(partial(erase_again, line=line))
        await salon.app.erasing.forget_keys()
    assert (await salon.whose(ALSU), await salon.whose_chat()) == (None, None)
    assert (await salon.app.erasing.find("era_1")).order is OrderState.OPEN
    await salon.app.erasing.follow()
    await salon.app.settle()
    assert (await salon.app.erasing.find("era_1")).order is OrderState.DONE
    assert "Меткина" not in salon.portal_text


async def test_the_crm_that_may_not_be_written_to_leaves_the_order_open(salon: Salon) -> None:
    """Nothing pretends: as long as the CRM has not said yes the order is a task."""
    subject_id = await salon.alsu_comes_by_two_ways()
    salon.sandbox.portal.denied = frozenset({"crm.item.update", "crm.item.delete"})
    erasure_id = await erase(salon, subject_id)
    await salon.app.settle()
    assert (await salon.app.erasing.find(erasure_id)).order is OrderState.OPEN
    assert [one.erasure_id for one in await salon.app.erasing.unanswered()] == [erasure_id]
