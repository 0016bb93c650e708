"""Consent through the real turn: asked, answered, withdrawn, proven; advertising never without it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Table, update

from leadgate.crm.consent.gate import AdvertisingPermit, find_permit, may_advertise, may_pass_on
from leadgate.crm.consent.rule import write_rule
from leadgate.delivery.payloads import Outbox
from leadgate.errors import ConflictError, PrivacyError
from leadgate.model.consents import ConsentPurpose, ConsentRecord, ConsentRule, Decision, How, Proof
from leadgate.model.deliveries import DeliveryState
from leadgate.model.events import EventKind
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import RetryLater, Scope
from leadgate.ports.stores import Transaction
from leadgate.processing.chats import MessageBody, message_place
from leadgate.processing.consent_proof import Prover
from leadgate.processing.reach import Notice
from leadgate.storage.schema import consent_register, consent_texts, data_keys
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW
from leadgate.testing.storage_suite import BOT
from leadgate.vault.envelope import subject_scope
from tests.processing.messengers import ALSU, ALSU_IN_MAX, ANSWERED, LEAD, MAX, Salon, open_salon

PROCESSING, ADVERTISING = ConsentPurpose.PROCESSING, ConsentPurpose.ADVERTISING
EVERYTHING = ConsentRule(asks_processing=True, advertises=True, passes_on_to="ООО «Сеть»")
NEWS = Notice(text="Скидка 20 % до воскресенья", template="news")


@pytest.fixture
async def salon(tmp_path: Path) -> AsyncIterator[Salon]:
    """«Лимон», which asks for everything there is."""
    async with open_salon(tmp_path, EVERYTHING) as opened:
        opened.rig.outbox._may_advertise = may_advertise  # noqa: SLF001 - as the composition root says it
        yield opened


async def agree(salon: Salon) -> str:
    """Alsu agrees to name and phone and to news, not to passing on; who she is."""
    for words in ("/start", "Даю согласие", "Алсу", "8 900 000-01-01", "Стрижка в субботу", "Не передавайте"):
        await salon.write(words)
    row = await salon.write("Присылайте новости")
    assert row.state is ANSWERED, "an answer is no request"
    return await salon.subject(row.event_id)


async def lines(salon: Salon) -> list[ConsentRecord]:
    """The register, opened."""
    register = salon.turns.register
    return await salon.rig.storage.read(lambda tx: [register.open(tx, line) for line in tx.consents.after(0, limit=99)])


async def prove(salon: Salon, journaled: dict[int, str] | None = None) -> Proof:
    """The whole register."""
    prover = Prover(salon.rig.vault, salon.turns.register, journaled or {})
    while await salon.rig.storage.read(lambda tx: prover.read(tx, tx.consents.after(prover.number, limit=2))):
        pass
    return prover.proof()


async def advertise(salon: Salon, subject_id: str) -> str | None:
    """The salon sends news to whom it may."""

    def unit(tx: Transaction) -> str | None:
        permit = find_permit(tx, subject_id)
        return None if permit is None else salon.turns.reach.advertise(tx, permit, NEWS, at=salon.rig.clock.now())

    return await salon.rig.storage.write(unit)


async def test_a_dialogue_leaves_a_register_that_proves_itself(salon: Salon) -> None:
    """Who, when, which text in which message, which answer: and every text is in the chat, byte by byte."""
    subject_id = await agree(salon)
    written = await lines(salon)
    assert [(one.purpose.value, one.decision.value, one.how) for one in written] == [
        ("processing", "given", How.BUTTON),
        ("passing_on", "refused", How.BUTTON),
        ("advertising", "given", How.BUTTON),
    ]
    assert {(one.subject_id, one.channel) for one in written} == {(subject_id, "telegram")}
    assert [one.words for one in written] == ["Даю согласие", "Не передавайте", "Присылайте новости"]
    proof = await prove(salon)
    assert (proof.records, proof.matched, proof.bad_number) == (3, 3, None)
    said = [message.text for message in salon.said()]
    texts = await salon.rig.storage.read(lambda tx: [text.text for text in tx.consents.texts()])
    assert [said.count(text) for text in texts] == [1, 1, 1], "each was sent once, in a message of its own"


async def test_a_withdrawal_in_one_chat_counts_in_every_chat_at_once(salon: Salon) -> None:
    """In the transaction of the word itself: the state, the marks of every chat, and what waits to be sent."""
    subject_id = await agree(salon)
    await salon.write("/start", MAX, chat=ALSU_IN_MAX)
    in_max = (await salon.chat(MAX, chat=ALSU_IN_MAX)).subject_id
    await salon.rig.storage.write(
        lambda tx: salon.rig.identities.join(tx, in_max, subject_id, reason="test", at=NOW) and None
    )
    assert await salon.rig.storage.read(lambda tx: may_advertise(tx, in_max))
    salon.rig.clock.move(timedelta(minutes=1))
    row = await salon.write("Отзываю согласие", MAX, chat=ALSU_IN_MAX)
    assert row.state is LEAD, "the manager reads it in the open lead"
    assert not await salon.rig.storage.read(lambda tx: may_advertise(tx, subject_id))
    for connection, chat in ((BOT, ALSU), (MAX, ALSU_IN_MAX)):
        assert (await salon.chat(connection, chat=chat)).opted_out_at is not None
    assert {one.decision for one in (await lines(salon))[-2:]} == {Decision.WITHDRAWN}
    assert "удалите мои данные" in salon.said(MAX)[-1].text
    assert await advertise(salon, subject_id) is None
    assert (await prove(salon)).bad_number is None


async def test_news_that_wait_are_not_sent_after_a_stop(salon: Salon) -> None:
    """The messenger was away when they were decided on; the client said stop meanwhile."""
    subject_id = await agree(salon)
    salon.target().script(RetryLater("telegram.unavailable", scope=Scope.TARGET))
    delivery_id = await advertise(salon, subject_id)
    assert delivery_id is not None
    before = len(salon.said())
    await salon.knock(EventKind.TEXT, text="стоп")
    await salon.inbox.drain()
    salon.rig.clock.move(timedelta(minutes=10))
    await salon.settle()
    assert NEWS.text not in [message.text for message in salon.said()[before:]]
    assert (BOT, DeliveryState.DISCARDED, "message.consent_withdrawn") in await salon.states()


async def test_what_slipped_past_is_refused_before_it_goes(salon: Salon) -> None:
    """A dead letter that somebody repeats after the consent is gone; the worker asks the gate again."""
    subject_id = await agree(salon)
    chat = await salon.chat()
    message = OutgoingMessage(message_id="msg_news", chat_id=ALSU, text=NEWS.text, is_advertising=True)

    def unit(tx: Transaction) -> None:
        salon.rig.outbox.enqueue(
            tx,
            message,
            lane=f"chat:{BOT}:{chat.chat_index.hex()}",
            connection_id=BOT,
            subject_id=subject_id,
            event_id=None,
            at=NOW,
        )
        write_rule(tx, replace(EVERYTHING, advertises=False), by="staff_owner", at=NOW)

    await salon.rig.storage.write(unit)
    await salon.settle()
    assert NEWS.text not in [said.text for said in salon.said()]
    assert (BOT, DeliveryState.DEAD, "consent.no_permit") in await salon.states()


async def test_nobody_makes_a_permit_but_the_gate(salon: Salon) -> None:
    """Nor uses one in another transaction, nor for somebody else; and an outbox that was told nothing lets nothing pass."""
    subject_id = await agree(salon)

    def permit_of(tx: Transaction) -> AdvertisingPermit:
        permit = find_permit(tx, subject_id)
        assert permit is not None
        with pytest.raises(PrivacyError):
            AdvertisingPermit(subject_id, tx, object())
        with pytest.raises(PrivacyError):
            replace(permit, _key=None)
        with pytest.raises(PrivacyError):
            permit.check(tx, "subj_other")
        return permit

    stale = await salon.rig.storage.read(permit_of)

    def use_it(tx: Transaction) -> None:
        with pytest.raises(PrivacyError):
            salon.turns.reach.advertise(tx, stale, NEWS, at=NOW)
        with pytest.raises(PrivacyError):
            Outbox(salon.rig.vault, salon.rig.ids).enqueue(
                tx,
                OutgoingMessage(message_id="msg_1", chat_id=ALSU, text=NEWS.text, is_advertising=True),
                lane="chat:x",
                connection_id=BOT,
                subject_id=subject_id,
                event_id=None,
                at=NOW,
            )

    await salon.rig.storage.write(use_it)


async def test_the_messengers_own_switch_is_a_withdrawal(salon: Salon) -> None:
    """WhatsApp tells that the client wants no more advertising; its switch back is no consent."""
    subject_id = await agree(salon)
    await salon.hear(EventKind.STATUS, status="opted_out")
    last = (await lines(salon))[-1]
    assert (last.purpose, last.decision, last.how) == (ADVERTISING, Decision.WITHDRAWN, How.MESSENGER)
    await salon.hear(EventKind.STATUS, status="opted_in")
    assert not await salon.rig.storage.read(lambda tx: may_advertise(tx, subject_id))
    await salon.write("Присылайте новости")
    assert await salon.rig.storage.read(lambda tx: may_advertise(tx, subject_id)), "their own new word is"
    assert not await salon.rig.storage.read(lambda tx: may_pass_on(tx, subject_id))


async def test_a_stop_of_a_stranger_makes_no_lead_and_a_demand_to_erase_does(salon: Salon) -> None:
    """The first is no request; the second must reach a person."""
    assert (await salon.write("стоп")).state is ANSWERED
    assert salon.leads_made() == 0
    assert (await salon.write("Удалите мои данные")).state is LEAD
    assert salon.leads_made() == 1


async def test_the_same_event_worked_on_again_adds_nothing(salon: Salon) -> None:
    """A replay by a person must not make a second consent, nor bring one back that was withdrawn."""
    await agree(salon)
    before = await lines(salon)
    first = before[0].event_id
    await salon.write("стоп")
    after = await lines(salon)

    def again(tx: Transaction) -> None:
        event = tx.events.find(first)
        source = salon.find_source(BOT)
        assert event is not None
        assert source is not None
        salon.turns.work(tx, event, source, at=salon.rig.clock.now())

    with pytest.raises(ConflictError):
        await salon.rig.storage.write(again)
    assert await lines(salon) == after


class TestTampering:
    """Whoever can write into the database is found out, and the first bad line is named."""

    async def change(self, salon: Salon, table: Table, where: object, **values: object) -> None:
        """Somebody changes a row behind our back."""

        def unit(tx: Transaction) -> None:
            assert isinstance(tx, SqlTransaction)
            changed = tx.connection.execute(update(table).where(where).values(**values))  # type: ignore[arg-type]  # a condition
            assert changed.rowcount == 1

        await salon.rig.storage.write(unit)

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("decision", "refused"),
            ("purpose", "advertising"),
            ("subject_id", "subj_other"),
            ("text_id", "ctext_other"),
            ("message_id", "evt_other-1"),
            ("event_id", "evt_other"),
            ("sealed_details", b"other"),
            ("decided_at", NOW + timedelta(days=1)),
            ("record_hash", b"\0" * 32),
        ],
    )
    async def test_every_column_of_a_line_counts(self, salon: Salon, column: str, value: object) -> None:
        """The first line of three is the one that is named."""
        await agree(salon)
        await self.change(salon, consent_register, consent_register.c.number == 1, **{column: value})
        proof = await prove(salon)
        assert (proof.bad_number, proof.fault) == (1, "chain")

    async def test_a_line_that_was_taken_out_is_missed(self, salon: Salon) -> None:
        """In the middle by its number, at the end by the journal."""
        await agree(salon)
        hashes = {one.number: one.record_hash for one in await lines(salon)}

        def cut(number: int) -> object:
            def unit(tx: Transaction) -> None:
                assert isinstance(tx, SqlTransaction)
                tx.connection.execute(consent_register.delete().where(consent_register.c.number == number))

            return unit

        await salon.rig.storage.write(cut(3))  # type: ignore[arg-type]  # a unit
        assert (await prove(salon)).bad_number is None
        found = await prove(salon, hashes)
        assert (found.bad_number, found.fault) == (3, "missing")
        await salon.rig.storage.write(cut(1))  # type: ignore[arg-type]  # likewise
        found = await prove(salon)
        assert (found.bad_number, found.fault) == (1, "missing")

    async def test_a_register_made_anew_differs_from_the_journal(self, salon: Salon) -> None:
        """Its own chain may fit; the journal lies apart."""
        await agree(salon)
        found = await prove(salon, {2: "00" * 32})
        assert (found.bad_number, found.fault) == (2, "journal")

    async def test_a_text_that_was_changed_afterwards_is_found(self, salon: Salon) -> None:
        """With its hash or without."""
        await agree(salon)
        first = (await lines(salon))[0].text_id
        await self.change(salon, consent_texts, consent_texts.c.text_id == first, body="Согласен на всё")
        found = await prove(salon)
        assert (found.bad_number, found.fault) == (1, "text")

    async def test_a_message_that_shows_other_words_is_found(self, salon: Salon) -> None:
        """Somebody with our keys rewrites what the client was shown."""
        subject_id = await agree(salon)
        message_id = (await lines(salon))[2].message_id
        assert message_id is not None

        def rewrite(tx: Transaction) -> None:
            body = msgspec.json.encode(MessageBody(text="Хотите новостей?"))
            sealed = salon.rig.vault.seal(tx, subject_scope(subject_id), message_place(message_id), body)
            tx.conversations.replace_body(message_id, sealed)

        await salon.rig.storage.write(rewrite)
        found = await prove(salon)
        assert (found.bad_number, found.fault) == (3, "message")

    async def test_an_erased_person_leaves_a_chain_that_still_proves(self, salon: Salon) -> None:
        """Their key is gone, so nobody reads the chat or the answer; ids, states and hashes stand."""
        subject_id = await agree(salon)

        def erase(tx: Transaction) -> None:
            assert isinstance(tx, SqlTransaction)
            tx.connection.execute(data_keys.delete().where(data_keys.c.scope == subject_scope(subject_id)))
            salon.rig.vault.forget("ws", subject_scope(subject_id))

        await salon.rig.storage.write(erase)
        proof = await prove(salon)
        assert (proof.records, proof.gone, proof.bad_number) == (3, 3, None)
        assert {(one.channel, one.words) for one in await lines(salon)} == {(None, None)}
