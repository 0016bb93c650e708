"""Dead letters are cured by a person: by cause, with corrected data, or by saying what became of a message."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leadgate.delivery.dead_letter import confirm_delivery, fix_delivery, open_lead_data, retry_all_dead
from leadgate.errors import ConflictError, NotFoundError
from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.model.leads import CreateLead, LeadState, UpdateLead
from leadgate.model.outcomes import OutcomeUnknown, Refused
from leadgate.model.views import DeliveryDetail
from leadgate.ports.stores import StoredDelivery
from tests.delivery.rig import Rig

DEAD, DONE, WAITING = DeliveryState.DEAD, DeliveryState.DONE, DeliveryState.WAITING


async def dead_creation(rig: Rig, who: str, *, code: str = "crm.field_wrong", phone: str | None = None) -> str:
    """A client's lead that the CRM refused; returns the id of the delivery."""
    rig.crm.script(Refused(code))
    await rig.says(who, "Хочу стрижку", phone=phone)
    await rig.work()
    return newest(await rig.deliveries(), DeliveryKind.CREATE_LEAD)


def newest(details: list[DeliveryDetail], kind: DeliveryKind) -> str:
    """The id of the newest delivery of a kind."""
    return [detail.row.delivery_id for detail in details if detail.row.kind is kind][-1]


class TestCauses:
    async def test_dead_letters_are_counted_by_cause(self, rig: Rig) -> None:
        """A hundred refusals of one required field are one thing to do, not a hundred."""
        for number, code in enumerate(("crm.field_wrong", "crm.no_rights", "crm.field_wrong")):
            await dead_creation(rig, f"client-{number}", code=code)
        causes = await rig.storage.query(lambda q: q.dead_causes())
        assert [(cause.code, cause.count) for cause in causes] == [("crm.field_wrong", 2), ("crm.no_rights", 1)]
        assert all(cause.since == rig.clock.now() for cause in causes)

    async def test_one_cause_is_sent_again_and_the_others_rest(self, rig: Rig) -> None:
        """What was not cured would only be refused once more."""
        cured, other = await dead_creation(rig, "a"), await dead_creation(rig, "b", code="crm.no_rights")
        count = await rig.storage.write(lambda tx: retry_all_dead(tx, at=rig.clock.now(), cause="crm.field_wrong"))
        await rig.work()
        assert count == 1
        assert [(await rig.detail(one)).row.state for one in (cured, other)] == [DONE, DEAD]


class TestFixes:
    async def test_a_corrected_lead_is_sent_with_the_new_data(self, rig: Rig) -> None:
        """The CRM refused a number; a person mends it here, and what the client wrote goes along at last."""
        delivery_id = await dead_creation(rig, "Алсу", phone="+79000000101")
        data = await rig.stored(lambda tx: open_lead_data(tx, rig.outbox, delivery_id))
        assert (data.name, data.phone, data.comment) == ("Алсу", "+79000000101", "Хочу стрижку")
        fixed = replace(data, phone="+79000000102", email="alsu@example.org", comment="Стрижка")
        await rig.storage.write(lambda tx: fix_delivery(tx, rig.outbox, delivery_id, fixed, at=rig.clock.now()))
        await rig.work()
        assert await rig.states() == [DONE, DONE]
        sent = [payload for batch in rig.crm.batches for payload in batch if isinstance(payload, CreateLead)][-1]
        assert (sent.person.phone, sent.person.email, sent.comment) == ("+79000000102", "alsu@example.org", "Стрижка")
        assert (
            len({payload.origin_id for b in rig.crm.batches for payload in b if isinstance(payload, CreateLead)}) == 1
        )
        assert len((await rig.detail(delivery_id)).attempts) == 2, "the history stays"

    async def test_news_of_a_person_are_corrected_too(self, rig: Rig) -> None:
        """An update has no comment; what is given for one is passed over."""
        lead_id = await rig.says("Алсу", "Хочу стрижку")
        await rig.work()
        rig.crm.script(Refused("crm.field_wrong"))
        await rig.says("Алсу", "Вот телефон", phone="+79000000101")
        await rig.work()
        delivery_id = newest(await rig.deliveries(), DeliveryKind.UPDATE_LEAD)
        data = await rig.stored(lambda tx: open_lead_data(tx, rig.outbox, delivery_id))
        assert data.comment is None
        fixed = replace(data, phone="+79000000103", comment="лишнее")
        await rig.storage.write(lambda tx: fix_delivery(tx, rig.outbox, delivery_id, fixed, at=rig.clock.now()))
        await rig.work()
        sent = [payload for batch in rig.crm.batches for payload in batch if isinstance(payload, UpdateLead)][-1]
        assert (sent.person.phone, sent.lead_id) == ("+79000000103", lead_id)
        assert (await rig.lead(lead_id)).state is LeadState.OPEN

    async def test_what_staff_writes_is_filtered_like_what_clients_write(self, rig: Rig) -> None:
        """A card number must not reach the CRM by way of a correction either."""
        delivery_id = await dead_creation(rig, "Алсу")
        data = await rig.stored(lambda tx: open_lead_data(tx, rig.outbox, delivery_id))
        fixed = replace(data, comment="Карта 4111 1111 1111 1111")
        await rig.storage.write(lambda tx: fix_delivery(tx, rig.outbox, delivery_id, fixed, at=rig.clock.now()))
        again = await rig.stored(lambda tx: rig.outbox.open(tx, _found(tx.deliveries.find(delivery_id))))
        assert isinstance(again, CreateLead)
        assert "4111" not in again.comment

    async def test_only_a_dead_command_about_a_person_is_corrected(self, rig: Rig) -> None:
        """What is under way or over stays as it was sent; the client's own words are nobody's to change."""
        await rig.says("Алсу", "Хочу стрижку")
        create, entry = [detail.row.delivery_id for detail in await rig.deliveries()]
        with pytest.raises(ConflictError, match="waiting"):
            await rig.stored(lambda tx: open_lead_data(tx, rig.outbox, create))
        await rig.work()
        rig.crm.script(Refused("crm.field_wrong"))
        await rig.says("Алсу", "И ещё")
        await rig.work()
        dead_entry = newest(await rig.deliveries(), DeliveryKind.TIMELINE_ENTRY)
        assert dead_entry != entry
        with pytest.raises(ConflictError) as caught:
            await rig.stored(lambda tx: open_lead_data(tx, rig.outbox, dead_entry))
        assert caught.value.code == "delivery.wrong_kind"
        with pytest.raises(NotFoundError):
            await rig.stored(lambda tx: open_lead_data(tx, rig.outbox, "dlv_nothing"))


class TestUncertain:
    async def test_a_message_that_arrived_is_done_and_never_repeated(self, rig: Rig) -> None:
        """Only a person can look into the chat."""
        rig.bot.script(OutcomeUnknown("telegram.answer_lost"))
        message = await rig.reply("chat-1", "Ждём вас")
        await rig.work()
        assert (await rig.detail(message)).row.state is DeliveryState.UNCERTAIN
        await rig.storage.write(lambda tx: confirm_delivery(tx, message, at=rig.clock.now()))
        await rig.work()
        assert (await rig.detail(message)).row.state is DONE
        assert len(rig.bot.batches) == 1
        with pytest.raises(ConflictError, match="done"):
            await rig.storage.write(lambda tx: confirm_delivery(tx, message, at=rig.clock.now()))


def _found(value: StoredDelivery | None) -> StoredDelivery:
    assert value is not None
    return value
