from __future__ import annotations

import pytest

from leadgate.errors import ServiceUnavailableError
from leadgate.model.leads import CrmCommand, CrmEntity, LeadRef, Person
from leadgate.model.outcomes import Delivered, NotExecuted, OutcomeUnknown, RetryLater
from leadgate.sandbox.bitrix24.portal import SIMPLE_MODE
from tests.integrations.bitrix24.house import HeldClock, House, create, entry, open_house, ref_of, update


async def test_a_lead_whose_answer_was_dropped_is_found(house: House) -> None:
    """The heart of "exactly once": what stands there is not made again."""
    house.sandbox.faults.add("drop-answer", count=1, method="crm.item.add")
    commands: list[CrmCommand] = [create(), entry()]
    assert await house.deliver(*commands) == [OutcomeUnknown("bitrix24.connection_lost")] * 2
    outcomes = await house.crm.look_up(commands)
    [lead] = house.leads
    [comment] = house.sandbox.portal.comments
    assert outcomes == [Delivered(f"lead:{lead.id}"), Delivered(f"comment:{comment}")]


async def test_what_was_not_made_may_be_sent_again(house: House) -> None:
    """The page of a proxy came instead of the portal: nothing stands there."""
    house.sandbox.faults.add("html-502", count=1, method="crm.item.add")
    commands: list[CrmCommand] = [create(), entry()]
    await house.deliver(*commands)
    assert await house.crm.look_up(commands) == [NotExecuted(), NotExecuted()]


async def test_a_late_commit_is_found_once_it_has_happened() -> None:
    """Looked at too early it is not there: that is why the caller keeps quiet for a while first."""
    held = HeldClock()
    async with open_house(sandbox_clock=held) as house:
        house.sandbox.faults.add("late-commit", count=1, method="crm.item.add")
        assert isinstance((await house.deliver(create()))[0], OutcomeUnknown)
        assert await house.crm.look_up([create()]) == [NotExecuted()]
        held.release.set()
        await house.sandbox.settle()
        assert await house.crm.look_up([create()]) == [Delivered(f"lead:{house.leads[0].id}")]


async def test_a_lead_that_became_a_deal_is_found_there(house: House) -> None:
    """A portal without leads keeps our origin id on the deal."""
    house.sandbox.portal.mode = SIMPLE_MODE
    await house.deliver(create())
    assert await house.crm.look_up([create()]) == [Delivered(f"deal:{house.deals[0].id}")]


async def test_an_origin_id_must_match_exactly(house: House) -> None:
    """A neighbour whose id begins alike, or a lead of another program, is not ours."""
    await house.deliver(create(12))
    house.leads[0].values["originatorId"] = "leadgate"
    assert await house.crm.look_up([create(1)]) == [NotExecuted()]
    house.leads[0].values["originatorId"] = "other"
    assert await house.crm.look_up([create(12)]) == [NotExecuted()]


async def test_an_entry_is_found_on_a_later_page(house: House) -> None:
    """A long history has more than the fifty comments of one page."""
    await house.deliver(create())
    ref = ref_of(house.leads[0])
    for start in range(0, 66, 22):
        await house.deliver(*(entry(number, ref=ref) for number in range(start, start + 22)))
    assert isinstance((await house.crm.look_up([entry(3, ref=ref)]))[0], Delivered)
    assert await house.crm.look_up([entry(300, ref=ref)]) == [NotExecuted()]


async def test_entries_of_many_leads_are_looked_for_in_one_request(house: House) -> None:
    """A lost batch leaves up to twenty-two unknowns; asking for each by itself would take long."""
    await house.deliver(*(create(number) for number in range(10)))
    refs = [ref_of(lead) for lead in house.leads]
    await house.deliver(*(entry(number, ref=ref) for number, ref in enumerate(refs)))
    before = house.requests
    outcomes = await house.crm.look_up([entry(number, ref=ref) for number, ref in enumerate([*refs, refs[0]])])
    assert [type(outcome) for outcome in outcomes] == [Delivered] * 10 + [NotExecuted]
    assert house.requests == before + 1


async def test_an_entry_without_a_known_lead_cannot_be_asked(house: House) -> None:
    """Without its lead there is no timeline to look at."""
    [outcome] = await house.crm.look_up([entry()])
    assert isinstance(outcome, RetryLater)


async def test_an_update_is_told_by_what_the_lead_has(house: House) -> None:
    """Only when name, phone, e-mail and contact are all there it is done."""
    await house.deliver(create(person=Person(username="anna_k")))
    ref = ref_of(house.leads[0])
    assert await house.crm.look_up([update(ref=ref)]) == [NotExecuted()]
    await house.deliver(update(ref=ref))
    assert await house.crm.look_up([update(ref=ref)]) == [Delivered(f"lead:{ref.crm_id}")]


@pytest.mark.parametrize("fault", ["down", "limit-503", "html-502", "revoked"])
async def test_a_portal_that_cannot_be_asked_settles_nothing(house: House, fault: str) -> None:
    """No answer is not the answer "absent", which would make a second lead."""
    house.sandbox.faults.add(fault)
    assert all(isinstance(outcome, RetryLater) for outcome in await house.crm.look_up([create(), entry()]))


async def test_origins_are_counted_for_the_ledger(house: House) -> None:
    """A sweep finds absent and doubled leads; an empty id never matches anything."""
    await house.deliver(create(1), create(2), create(2))
    found = await house.crm.find_origins(["conn_1-evt_1", "conn_1-evt_2", "absent", ""])
    refs = [LeadRef(CrmEntity.LEAD, lead.id) for lead in house.leads]
    assert found == {"conn_1-evt_1": (refs[0],), "conn_1-evt_2": (refs[1], refs[2]), "absent": (), "": ()}


async def test_many_origins_are_asked_in_few_requests(house: House) -> None:
    """Fifty ids a request."""
    await house.crm.find_origins([f"origin-{number}" for number in range(120)])
    assert house.requests == 3


async def test_origins_cannot_be_asked_of_a_dead_portal(house: House) -> None:
    """The caller must not take silence for absence."""
    house.sandbox.faults.add("down")
    with pytest.raises(ServiceUnavailableError):
        await house.crm.find_origins(["conn_1-evt_1"])
