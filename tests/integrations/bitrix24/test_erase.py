"""An order to erase leaves nothing of the person in the portal that is ours, and nothing of anybody else is touched."""

from __future__ import annotations

import pytest

from leadgate.integrations.bitrix24.erase import TITLE
from leadgate.model.leads import CrmEntity, EraseLead, LeadRef, Person
from leadgate.model.outcomes import Delivered, NotExecuted, OutcomeUnknown, Refused, RetryLater
from leadgate.sandbox.bitrix24.portal import Record
from tests.integrations.bitrix24.house import ANNA, House, create, entry

MAY_NOT_DELETE = frozenset({"crm.item.delete", "crm.lead.delete", "crm.contact.delete"})
SAID = "Запишите Анну, +79000000001"


def order(number: int, ref: LeadRef | None, *, siblings: tuple[int, ...] = ()) -> EraseLead:
    """What is sent when the person of this lead is erased."""
    made = create(number)
    return EraseLead(
        lead_id=made.lead_id,
        origin_id=made.origin_id,
        ref=ref,
        entry_ids=(f"ent_{number}",),
        siblings=tuple(create(each).origin_id for each in siblings or (number,)),
    )


async def bring(house: House, number: int, person: Person = ANNA) -> LeadRef:
    """A lead with one entry; where it stands."""
    made, said = await house.deliver(create(number, person=person), entry(number, lead=number, text=SAID))
    assert isinstance(made, Delivered)
    assert isinstance(said, Delivered)
    assert made.external_id is not None
    return LeadRef(CrmEntity.LEAD, int(made.external_id.partition(":")[2]))


def words_of(record: Record) -> str:
    """Everything that a record says."""
    return f"{record.values} {[entry.value for entry in record.multifields]}"


async def test_lead_contact_and_entries_are_gone(house: House) -> None:
    """The access may delete: nothing is left."""
    ref = await bring(house, 1)
    (outcome,) = await house.deliver(order(1, ref))
    contact = 30001
    assert outcome == Delivered(f"lead:{ref.crm_id}=deleted contact:{contact}=deleted")
    assert (house.leads, house.contacts, house.timeline(ref)) == ([], [], [])
    assert await house.deliver(order(1, ref)) == [Delivered(f"lead:{ref.crm_id}=deleted")]


async def test_an_access_that_may_not_delete_makes_blank(house: House) -> None:
    """The least rights are the recommended ones, so this is the usual case."""
    ref = await bring(house, 1)
    house.sandbox.portal.denied = MAY_NOT_DELETE
    (outcome,) = await house.deliver(order(1, ref))
    assert outcome == Delivered(f"lead:{ref.crm_id}=blank contact:30001=blank")
    (lead,), (contact,) = house.leads, house.contacts
    for record in (lead, contact):
        assert record.multifields == []
        for mark in ("Анн", "9000000001", "example.org", "anna_k"):
            assert mark not in words_of(record)
    assert lead.values["title"] == contact.values["name"] == TITLE
    assert lead.values["originId"] == create(1).origin_id  # our own handle stays: the ledger knows the lead by it
    assert house.timeline(ref) == []
    assert await house.deliver(order(1, ref)) == [outcome]


async def test_a_contact_of_the_salon_is_left_alone(house: House) -> None:
    """It was there before us: whether it goes is for the salon to decide, and the answer says so."""
    house.sandbox.portal.denied = frozenset()
    first = await bring(house, 1)
    (contact,) = house.contacts
    contact.values |= {"originatorId": None, "originId": None}
    (outcome,) = await house.deliver(order(1, first))
    assert outcome == Delivered(f"lead:{first.crm_id}=deleted contact:{contact.id}=kept")
    assert contact.first("PHONE") == ANNA.phone


async def test_a_contact_on_which_another_lead_hangs_stays(house: House) -> None:
    """A family shares a phone: erasing one of them must not blank the other's card."""
    first, second = await bring(house, 1), await bring(house, 2)
    assert len(house.contacts) == 1
    (outcome,) = await house.deliver(order(1, first))
    assert outcome == Delivered(f"lead:{first.crm_id}=deleted contact:30001=kept")
    assert [lead.id for lead in house.leads] == [second.crm_id]


@pytest.mark.parametrize("denied", [frozenset(), MAY_NOT_DELETE])
async def test_several_leads_of_the_person_do_not_hold_each_other_up(house: House, denied: frozenset[str]) -> None:
    """All of them are ordered: what hangs on those alone goes."""
    first, second = await bring(house, 1), await bring(house, 2)
    house.sandbox.portal.denied = denied
    outcomes = await house.deliver(order(1, first, siblings=(1, 2)), order(2, second, siblings=(1, 2)))
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    assert all(contact.first("PHONE") is None for contact in house.contacts)
    assert "kept" not in str(outcomes)


async def test_a_lead_whose_answer_was_lost_is_found_by_its_handle(house: House) -> None:
    """Nobody knows where it stands, and it stands there."""
    await bring(house, 1)
    (outcome,) = await house.deliver(order(1, None))
    assert isinstance(outcome, Delivered)
    assert house.leads == house.contacts == []


async def test_what_never_came_to_be_is_done(house: House) -> None:
    """An order for nothing is fulfilled."""
    assert await house.deliver(order(7, None)) == [Delivered("")]


async def test_a_number_that_is_somebody_elses_now_is_not_touched(house: House) -> None:
    """A record under our number with another handle was made by another program."""
    ref = await bring(house, 1)
    (lead,) = house.leads
    lead.values |= {"originatorId": "other", "originId": "theirs"}
    await house.deliver(order(1, ref))
    assert house.leads == [lead]
    assert lead.first("PHONE") == ANNA.phone


@pytest.mark.parametrize("method", ["crm.item.update", "crm.item.delete"])
async def test_a_lost_answer_is_looked_up(house: House, method: str) -> None:
    """Executed or not is asked of the portal, never guessed."""
    ref = await bring(house, 1)
    house.sandbox.faults.add("drop-answer", count=1, method=method)
    assert isinstance((await house.deliver(order(1, ref)))[0], OutcomeUnknown)
    (found,) = await house.crm.look_up([order(1, ref)])
    assert isinstance(found, Delivered)


async def test_a_call_that_did_nothing_is_looked_up_as_not_executed(house: House) -> None:
    """The portal failed before it did anything: the order goes again."""
    ref = await bring(house, 1)
    house.sandbox.faults.add("error-500", count=1, method="crm.item.update")
    assert isinstance((await house.deliver(order(1, ref)))[0], OutcomeUnknown)
    assert await house.crm.look_up([order(1, ref)]) == [NotExecuted()]
    assert isinstance((await house.deliver(order(1, ref)))[0], Delivered)


async def test_a_portal_that_refuses_the_change_is_no_success(house: House) -> None:
    """A missing right waits for a person; the lead still says who it was."""
    ref = await bring(house, 1)
    house.sandbox.portal.denied = MAY_NOT_DELETE | {"crm.item.update"}
    (outcome,) = await house.deliver(order(1, ref))
    assert isinstance(outcome, RetryLater | Refused)
    assert outcome.code == "bitrix24.ACCESS_DENIED"


async def test_an_order_goes_behind_what_is_under_way_of_its_lead(house: House) -> None:
    """In one step of the lane the lead is made and erased: erased it is in the end."""
    made, said, erased = await house.deliver(create(1), entry(1, text=SAID), order(1, None))
    assert all(isinstance(outcome, Delivered) for outcome in (made, said, erased))
    assert house.leads == []


async def test_a_silent_portal_is_not_asked_again(house: House) -> None:
    """One order has learnt that the portal is down; the others wait without asking."""
    house.sandbox.faults.add("down")
    before = house.requests
    outcomes = await house.deliver(order(1, None), order(2, None))
    assert all(isinstance(outcome, RetryLater) for outcome in outcomes)
    assert house.requests - before <= 1
