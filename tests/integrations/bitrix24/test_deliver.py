from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from leadgate.errors import LeaseLostError
from leadgate.integrations.bitrix24.crm import CAPACITY, LEAST_CAPACITY, LONGEST_CALL_S
from leadgate.model.leads import CrmEntity, LeadRef, Person
from leadgate.model.outcomes import Delivered, LeadClosed, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.sandbox.bitrix24.envelope import bad_argument
from leadgate.sandbox.bitrix24.limits import Limits
from leadgate.sandbox.bitrix24.portal import SIMPLE_MODE
from tests.integrations.bitrix24.house import ANNA, House, create, entry, open_house, ref_of, update, values_of

NAMELESS = Person(username="anna_k", channel_user_id="77")


async def test_a_lead_stands_in_the_portal_with_everything_the_salon_needs(house: House) -> None:
    """The contract lists what a lead must show: origin, source, phone as E.164, UTM, comment, contact."""
    [outcome] = await house.deliver(create())
    [lead] = house.leads
    assert outcome == Delivered(f"lead:{lead.id}")
    assert lead.values["originatorId"] == "leadgate"
    assert lead.values["originId"] == "conn_1-evt_1"
    assert lead.values["sourceId"] == "OTHER"
    assert lead.values["sourceDescription"] == "Telegram"
    assert (lead.values["name"], values_of(lead, "PHONE")) == ("Анна", ["+79000000001"])
    assert values_of(lead, "EMAIL") == ["anna@example.org"]
    assert (lead.values["utmSource"], lead.values["utmCampaign"]) == ("vk", "осень")
    comment = str(lead.values["comments"])
    assert all(part in comment for part in ("Хочу стрижку", "Услуга: Стрижка", "25.11.2026 15:00", "@anna_k"))
    [contact] = house.contacts
    assert lead.values["contactIds"] == [contact.id]
    assert values_of(contact, "PHONE") == ["+79000000001"]


async def test_a_lead_costs_two_requests_and_asks_for_the_lease_before_the_write_only(house: House) -> None:
    """Requests are what the portal counts; the lease matters right before something is written."""
    await house.deliver(create(), entry())
    assert house.requests == 2
    assert house.leases_asked == [1]


@pytest.mark.parametrize("stored", ["+79000000001", "89000000001", "79000000001", "9000000001"])
async def test_the_contact_that_has_the_phone_is_linked_however_it_is_written(house: House, stored: str) -> None:
    """Managers write phones as they like and the portal's search compares signs; a second contact is a duplicate."""
    await house.deliver(create(1, person=Person(name="Анна", phone=stored)))
    known = house.contacts[0].id
    await house.deliver(create(2))
    assert [contact.id for contact in house.contacts] == [known]
    assert [lead.values["contactIds"] for lead in house.leads] == [[known], [known]]


async def test_the_contact_that_has_the_email_is_linked(house: House) -> None:
    """The contract names the e-mail beside the phone."""
    await house.deliver(create(1, person=Person(name="Анна", email="anna@example.org")))
    await house.deliver(create(2, person=Person(name="Анна", email="Anna@Example.org", phone="+79000000009")))
    assert len(house.contacts) == 1
    assert len(house.leads) == 2


async def test_two_leads_with_one_phone_in_one_batch_share_one_contact(house: House) -> None:
    """The search ran before either was made, so the batch itself must know."""
    outcomes = await house.deliver(create(1), create(2))
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    [contact] = house.contacts
    assert [lead.values["contactIds"] for lead in house.leads] == [[contact.id]] * 2
    assert house.requests == 2


async def test_a_person_without_phone_and_email_gets_a_lead_without_contact(house: House) -> None:
    """Such a contact could never be found again and would be made anew with every request."""
    await house.deliver(create(person=NAMELESS))
    assert not house.contacts
    assert values_of(house.leads[0], "IM") == ["anna_k"]


async def test_entries_of_a_new_lead_stand_in_its_timeline_in_order(house: House) -> None:
    """One readable history: author, channel, time, text, and the id by which it is found again."""
    outcomes = await house.deliver(create(), entry(1, text="Привет"), entry(2, text="А завтра?"))
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    first, second = house.timeline(ref_of(house.leads[0]))
    assert first == "Клиент · Telegram · 22.11.2026 18:04\nПривет\n\n№ ent_1"
    assert "А завтра?" in second


async def test_an_entry_goes_to_the_lead_that_exists(house: House) -> None:
    """A later message of the same client."""
    await house.deliver(create())
    ref = ref_of(house.leads[0])
    [outcome] = await house.deliver(entry(5, ref=ref))
    assert isinstance(outcome, Delivered)
    assert str(outcome.external_id).startswith("comment:")
    assert len(house.timeline(ref)) == 1


async def test_an_entry_without_its_lead_is_not_executed(house: House) -> None:
    """An entry must never be attached to nothing."""
    assert await house.deliver(entry()) == [RetryLater("bitrix24.lead_not_made", Scope.ITEM)]
    assert not house.sandbox.portal.comments


async def test_one_refused_lead_does_not_take_the_others_with_it(house: House) -> None:
    """The batch halts at the refused one; what stands after it is proven not to have run and goes in the next batch."""
    portal = house.sandbox.portal
    await house.deliver(create(9, person=NAMELESS))  # the sources are known now
    portal.strict_sources = True
    portal.statuses = {
        **portal.statuses,
        "SOURCE": tuple(row for row in portal.statuses["SOURCE"] if row.code != "OTHER"),
    }
    outcomes = await house.deliver(create(1), entry(1), entry(2, lead=9, ref=ref_of(house.leads[0])))
    assert isinstance(outcomes[0], Refused)
    assert outcomes[0].code == "bitrix24.CRM_FIELD_ERROR_VALUE_NOT_VALID"
    assert outcomes[1] == RetryLater("bitrix24.lead_not_made", Scope.ITEM)
    assert isinstance(outcomes[2], Delivered)
    assert len(house.timeline(ref_of(house.leads[0]))) == 1
    assert len(house.leads) == 1


async def test_a_lead_is_never_made_without_the_contact_that_failed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reference to a failed command is empty text: the lead would stand there with its link silently lost."""

    def refuse() -> int:
        raise bad_argument("CRM_FIELD_ERROR_REQUIRED", "A field is missing")

    monkeypatch.setattr(house.sandbox.portal.contacts, "new_id", refuse)
    outcomes = await house.deliver(create(1), entry(1), create(2, person=NAMELESS))
    assert outcomes[0] == Refused("bitrix24.CRM_FIELD_ERROR_REQUIRED", "A field is missing")
    assert outcomes[1] == RetryLater("bitrix24.lead_not_made", Scope.ITEM)
    [lead] = house.leads
    assert outcomes[2] == Delivered(f"lead:{lead.id}")
    assert lead.values["originId"] == "conn_1-evt_2"


@pytest.mark.parametrize("stage", ["CONVERTED", "JUNK"])
async def test_a_closed_lead_takes_nothing_more(house: House, stage: str) -> None:
    """A new request of the same person must become a new lead."""
    await house.deliver(create())
    lead = house.leads[0]
    lead.values |= {"stageId": stage, "stageSemanticId": "S" if stage == "CONVERTED" else "F"}
    outcomes = await house.deliver(entry(1, ref=ref_of(lead)), update(ref=ref_of(lead)))
    assert outcomes == [LeadClosed(), LeadClosed()]
    assert not house.sandbox.portal.comments


async def test_a_deleted_lead_takes_nothing_more(house: House) -> None:
    """A manager may delete what he likes; the client must not be lost with it."""
    assert await house.deliver(entry(ref=LeadRef(CrmEntity.LEAD, 4040))) == [LeadClosed()]


async def test_a_dropped_answer_leaves_everything_of_the_batch_unknown(house: House) -> None:
    """The work may be done: nothing of it may be sent again before a look."""
    house.sandbox.faults.add("drop-answer", count=1, method="crm.item.add")
    outcomes = await house.deliver(create(1), entry(1), create(2, person=NAMELESS))
    assert outcomes == [OutcomeUnknown("bitrix24.connection_lost")] * 3
    assert len(house.leads) == 2


async def test_a_dropped_answer_to_a_read_is_simply_repeated(house: House) -> None:
    """Nothing was written, so no quiet time and no look-up are needed."""
    house.sandbox.faults.add("drop-answer", count=1)
    [outcome] = await house.deliver(create())
    assert outcome == RetryLater("bitrix24.connection_lost", Scope.TARGET)
    assert house.leases_asked == []


@pytest.mark.parametrize("fault", ["limit-503", "operation-429", "revoked", "expired-plan"])
async def test_a_refused_request_executed_nothing(house: House, fault: str) -> None:
    """These refusals come before the work: no look-up, no blame for the lead."""
    house.sandbox.faults.add(fault, count=1, method="crm.item.add")
    [outcome] = await house.deliver(create())
    assert isinstance(outcome, RetryLater)
    assert outcome.needs_person is (fault in {"revoked", "expired-plan"})
    assert not house.leads


@pytest.mark.parametrize("fault", ["html-502", "error-500", "error-500-after", "huge", "wrong-types"])
async def test_an_unclear_answer_to_a_write_is_an_unknown_outcome(house: House, fault: str) -> None:
    """A proxy's page or a server error says nothing about what happened behind it."""
    house.sandbox.faults.add(fault, count=1, method="crm.item.add")
    [outcome] = await house.deliver(create())
    assert isinstance(outcome, OutcomeUnknown)


async def test_an_unreadable_look_settles_nothing(house: House) -> None:
    """A list that cannot be read is not an empty list: the lead would count as deleted and be made once more."""
    await house.deliver(create())
    ref = ref_of(house.leads[0])
    house.sandbox.faults.add("wrong-types", count=1, method="crm.item.list")
    [outcome] = await house.deliver(entry(ref=ref))
    assert isinstance(outcome, RetryLater)


async def test_after_a_limit_the_portal_is_left_alone(house: House) -> None:
    """Asking on would fill the bucket further."""
    house.sandbox.faults.add("limit-503", count=1)
    before = house.clock.seconds
    await house.deliver(create())
    await house.deliver(create())
    assert house.clock.seconds - before >= 5


async def test_a_lost_lease_stops_before_the_write(house: House) -> None:
    """Another node may be writing the same lead by now."""

    def lost() -> None:
        raise LeaseLostError("The lane has another holder.")

    with pytest.raises(LeaseLostError):
        await house.crm.deliver([create()], lost)
    assert not house.leads


async def test_a_portal_without_leads_gets_a_deal_with_a_contact(house: House) -> None:
    """A deal has no name and no phone of its own: the contact has, and the comment shows them."""
    house.sandbox.portal.mode = SIMPLE_MODE
    outcomes = await house.deliver(create(), entry())
    [deal] = house.deals
    [contact] = house.contacts
    assert outcomes[0] == Delivered(f"deal:{deal.id}")
    assert deal.values["contactIds"] == [contact.id]
    assert deal.values["originId"] == "conn_1-evt_1"
    assert deal.values["utmSource"] == "vk"
    assert "+79000000001" in str(deal.values["comments"])
    assert len(house.timeline(ref_of(deal))) == 1
    assert not house.leads


async def test_an_update_adds_only_what_is_missing(house: House) -> None:
    """The portal appends phones: what is sent twice stands there twice."""
    await house.deliver(create(person=Person(name="Анна", phone="+79000000001")))
    ref = ref_of(house.leads[0])
    for _ in range(2):
        [outcome] = await house.deliver(update(ref=ref))
        assert outcome == Delivered(f"lead:{ref.crm_id}")
    lead = house.leads[0]
    assert values_of(lead, "PHONE") == ["+79000000001"]
    assert values_of(lead, "EMAIL") == ["anna@example.org"]
    assert len(house.contacts) == 1


async def test_an_update_of_a_nameless_lead_brings_name_phone_and_contact(house: House) -> None:
    """The script asks name and phone after the first message; the lead stands there already."""
    await house.deliver(create(person=NAMELESS))
    await house.deliver(update(ref=ref_of(house.leads[0])))
    lead, [contact] = house.leads[0], house.contacts
    assert (lead.values["name"], values_of(lead, "PHONE")) == ("Анна", ["+79000000001"])
    assert lead.values["contactIds"] == [contact.id]


async def test_an_update_keeps_the_contacts_that_are_linked_already(house: House) -> None:
    """A manager may have linked his own; ours comes beside it."""
    await house.deliver(create(1, person=Person(name="Борис", phone="+79000000002")), create(2))
    first, second = house.leads
    boris, anna = house.contacts
    assert (first.values["contactIds"], second.values["contactIds"]) == ([boris.id], [anna.id])
    await house.deliver(update(person=ANNA, ref=ref_of(first)))
    assert first.values["contactIds"] == [boris.id, anna.id]


async def test_an_update_behind_its_creation_sees_what_is_being_made(house: House) -> None:
    """Both travel in one batch: the lead is a reference there, and nothing doubles."""
    outcomes = await house.deliver(create(person=NAMELESS), update(), update(), entry())
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    [lead], [contact] = house.leads, house.contacts
    assert values_of(lead, "PHONE") == ["+79000000001"]
    assert lead.values["contactIds"] == [contact.id]
    assert house.requests == 2


async def test_an_update_of_a_deal_completes_its_contact(house: House) -> None:
    """The phone belongs to the contact; the second time there is nothing to add."""
    house.sandbox.portal.mode = SIMPLE_MODE
    await house.deliver(create(person=Person(name="Анна", username="anna_k")))
    ref = ref_of(house.deals[0])
    for _ in range(2):
        assert await house.deliver(update(ref=ref)) == [Delivered(f"deal:{ref.crm_id}")]
    [contact] = house.contacts
    assert values_of(contact, "PHONE") == ["+79000000001"]


async def test_a_repeat_after_a_lost_answer_does_not_make_a_second_contact_for_a_deal(house: House) -> None:
    """A contact without phone is found again by the origin of the request it was made for."""
    house.sandbox.portal.mode = SIMPLE_MODE
    wish = create(person=Person(name="Анна", username="anna_k"))
    await house.deliver(wish)
    house.sandbox.portal.deals.forget(house.deals[0].id)
    await house.deliver(wish)
    assert len(house.contacts) == 1


async def test_a_method_that_used_up_its_time_rests_while_others_go_on(house: House) -> None:
    """The limit is per method: entries must not wait for leads."""
    await house.deliver(create())
    house.crm.governor.close("crm.item.add", 300.0)
    outcomes = await house.deliver(create(2, person=NAMELESS), entry(ref=ref_of(house.leads[0])))
    assert isinstance(outcomes[0], RetryLater)
    assert outcomes[0].scope is Scope.ITEM
    assert outcomes[0].after == timedelta(seconds=300)
    assert isinstance(outcomes[1], Delivered)


async def test_waiting_leads_go_in_few_requests_and_none_is_refused() -> None:
    """A real portal's limits, in virtual time: of 96 leads with their first entries each request carries twelve."""
    async with open_house(limits=Limits()) as house:
        people = [Person(name="Анна", phone=f"+790000001{number:02}") for number in range(96)]
        waiting = [
            command
            for number, person in enumerate(people)
            for command in (create(number, person=person), entry(number, lead=number))
        ]
        assert house.crm.capacity() < CAPACITY, "nothing is known of the portal's pace yet"
        while waiting:
            taken = house.crm.capacity()
            outcomes = await house.deliver(*waiting[:taken])
            assert all(isinstance(outcome, Delivered) for outcome in outcomes)
            del waiting[:taken]
        assert len(house.leads) == 96
        assert len(house.sandbox.portal.comments) == 96
        assert house.requests <= 10, "the facts are read once besides, and leave one lead to a round of its own"
        assert not house.sandbox.portal.counters.refused


async def test_a_hundred_rounds_stay_below_the_portals_limit() -> None:
    """Single leads one after another: the governor, not the portal, slows us down."""
    async with open_house(limits=Limits(is_time_limited=False)) as house:
        for number in range(60):
            [outcome] = await house.deliver(create(number, person=NAMELESS))
            assert isinstance(outcome, Delivered)
        assert not house.sandbox.portal.counters.refused
        assert house.clock.slept


async def test_a_slow_portal_gets_less_at_once() -> None:
    """Or whoever writes meanwhile would wait for a batch of half a minute; a portal without answers teaches nothing."""
    limits = Limits(is_rate_limited=False, is_time_limited=False, cost_s={"crm.item.add": 1.0}, is_slow=True)
    async with open_house(limits=limits) as house:
        taken = house.crm.capacity()
        await house.deliver(*(create(number, person=NAMELESS) for number in range(taken)))
        slow = house.crm.capacity()
        assert LEAST_CAPACITY <= slow <= LONGEST_CALL_S
        house.sandbox.faults.add("down")
        await house.deliver(*(create(number, person=NAMELESS) for number in range(100, 120)))
        assert house.crm.capacity() == slow


async def test_time_budget_is_kept_before_the_portal_refuses() -> None:
    """480 s of work in ten minutes: from half of it on we go slowly, and we stop before it is spent."""
    limits = Limits(is_rate_limited=False, cost_s={"crm.item.add": 30.0}, default_cost_s=0.0)
    async with open_house(limits=limits) as house:
        delivered, started_s = 0, house.clock.seconds
        for number in range(60):
            [outcome] = await house.deliver(create(number, person=NAMELESS))
            delivered += isinstance(outcome, Delivered)
            if isinstance(outcome, RetryLater):
                assert outcome.after is not None
                await house.clock.sleep(outcome.after.total_seconds())
        took_s = house.clock.seconds - started_s
        assert not house.sandbox.portal.counters.refused
        assert 0.8 * 480 / 600 < delivered * 30.0 / took_s < 480 / 600 + 480 / took_s
        await house.clock.sleep(601)
        assert isinstance((await house.deliver(create(99, person=NAMELESS)))[0], Delivered)


async def test_tags_of_a_client_have_no_power(house: House) -> None:
    """BB-code and HTML typed by a client stay readable and do nothing."""
    text = "[b]жирно[/b] <script>alert(1)</script> [url=https://example.org]тут[/url]\x00\u202e"
    await house.deliver(create(comment=text), entry(text=text))
    shown = house.timeline(ref_of(house.leads[0]))[0]
    for stored in (shown, str(house.leads[0].values["comments"])):
        assert not any(tag in stored for tag in ("[b]", "[/b]", "<script", "[url", "\x00", "\u202e"))
        assert "жирно" in stored


async def test_a_client_cannot_refer_to_another_answer_of_the_batch(house: House) -> None:
    """The portal replaces `$result[…]` in every value: a client who types it must not read other answers."""
    spy = replace(ANNA, name="$result[i1][item][originId]", phone="+79000000008")
    await house.deliver(create(1), create(2, person=spy, comment="$result[c0][item][phone] $result[mode]"))
    second = house.leads[1]
    assert "conn_1" not in str(second.values["name"])
    assert "+79000000001" not in str(second.values["comments"])
