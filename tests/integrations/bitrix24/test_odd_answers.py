"""Answers that the sandbox never gives but a portal might: foreign rows, missing ids, missing rights."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta

import httpx
import pytest

from leadgate.integrations.bitrix24.crm import Bitrix24Crm
from leadgate.integrations.bitrix24.settings import Settings
from leadgate.model.leads import CrmEntity, LeadRef, Person
from leadgate.model.outcomes import Delivered, LeadClosed, NotExecuted, OutcomeUnknown, RetryLater, Scope
from leadgate.model.secret import Secret
from tests.integrations.bitrix24.house import SECRET, HandClock, create, entry, update

Values = Mapping[str, object]
Script = Callable[[Mapping[str, str]], tuple[Values, Values]]

DENIED = {"error": "ACCESS_DENIED", "error_description": "Access denied"}
FACTS: Values = {"mode": 1, "sources": []}
LEAD = LeadRef(CrmEntity.LEAD, 5)


def portal(script: Script) -> tuple[Bitrix24Crm, list[Mapping[str, str]]]:
    """A portal that answers every batch by script (values, errors), and the batches it has seen."""
    seen: list[Mapping[str, str]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        commands = json.loads(request.content)["cmd"]
        seen.append(commands)
        values, errors = script(commands)
        result = {
            "result": {key: value for key, value in values.items() if key in commands},
            "result_error": {key: error for key, error in errors.items() if key in commands},
        }
        return httpx.Response(200, json={"result": result, "time": {}})

    clock = HandClock()
    settings = Settings(webhook_url=Secret(f"https://salon.example/rest/1/{SECRET}/"))
    return Bitrix24Crm(settings, clock, sleep=clock.sleep, transport=httpx.MockTransport(handle)), seen


def held() -> None:
    """The lease is held."""


async def test_a_filter_that_is_passed_over_finds_nothing() -> None:
    """Then the portal returns any lead: taking it for ours would lose the request."""
    foreign = {"items": [{"id": 7, "originId": "other", "originatorId": "leadgate"}, {"id": 8}, {"id": "x"}]}
    crm, _ = portal(lambda _: ({"lead": foreign, "deal": {"items": []}}, {}))
    assert await crm.look_up([create()]) == [NotExecuted()]
    assert await crm.find_origins(["conn_1-evt_1"]) == {"conn_1-evt_1": ()}


async def test_an_unreadable_list_of_leads_does_not_close_them() -> None:
    """Else a new lead would be made for every entry."""
    crm, _ = portal(lambda _: ({**FACTS, "items_lead": [[1]]}, {}))
    assert await crm.deliver([entry(ref=LEAD)], held) == [RetryLater("bitrix24.answer_unreadable", Scope.TARGET)]


async def test_an_unreadable_search_is_not_an_empty_one() -> None:
    """Else every lead would get a new contact."""
    crm, _ = portal(lambda _: ({**FACTS, "d2": "?", "d3": [], "origins": {"items": []}}, {}))
    [outcome] = await crm.deliver([create()], held)
    assert isinstance(outcome, RetryLater)


async def test_a_refused_search_does_not_hold_up_the_lead() -> None:
    """The lead matters more than a contact that may stand there twice."""
    wrong = {"error": "Communication values is not defined", "error_description": ""}
    made = {"c0": {"item": {"id": 1}}, "i1": {"item": {"id": 2}}}
    crm, _ = portal(lambda _: ({**FACTS, **made, "d3": [], "origins": {"items": []}}, {"d2": wrong}))
    assert await crm.deliver([create()], held) == [Delivered("lead:2")]


async def test_a_mode_that_cannot_be_read_stops() -> None:
    """A deal instead of a lead would be lost to the look-up of the next day."""
    crm, _ = portal(lambda _: ({"mode": "?", "sources": [], "items_lead": {"items": []}}, {}))
    assert await crm.deliver([entry(ref=LEAD)], held) == [RetryLater("bitrix24.mode_unreadable", Scope.TARGET)]


async def test_a_lead_without_id_in_the_answer_is_looked_up_and_its_entries_wait() -> None:
    """It was made, but nobody knows where; a reference to it must not travel into another batch."""
    first: Values = {"i0": {"item": {}}}
    refusal = {"error": "CRM_FIELD_ERROR_REQUIRED", "error_description": ""}
    person = Person(username="anna_k")
    crm, seen = portal(
        lambda commands: ({**FACTS, "origins": {"items": []}, **first}, {"i1": refusal} if "i1" in commands else {})
    )
    outcomes = await crm.deliver([create(1, person=person), create(2, person=person), entry(1, lead=1)], held)
    assert outcomes[0] == OutcomeUnknown("bitrix24.answer_incomplete")
    assert outcomes[2] == RetryLater("bitrix24.lead_not_made", Scope.ITEM)
    assert len(seen) == 2


async def test_missing_answers_without_an_error_are_unknown() -> None:
    """Nothing stopped the batch, so the command may have run."""
    crm, _ = portal(lambda _: ({**FACTS, "items_lead": {"items": [{"id": 5, "stageSemanticId": "P"}]}}, {}))
    assert await crm.deliver([entry(ref=LEAD)], held) == [OutcomeUnknown("bitrix24.answer_incomplete")]


async def test_a_lead_deleted_between_look_and_write_is_closed() -> None:
    """The portal says so when the entry is written."""
    gone = {"error": "OWNER_NOT_FOUND", "error_description": "Owner was not found"}
    crm, _ = portal(lambda _: ({**FACTS, "items_lead": {"items": [{"id": 5, "stageId": "NEW"}]}}, {"t0": gone}))
    assert await crm.deliver([entry(ref=LEAD)], held) == [LeadClosed()]


@pytest.mark.parametrize(
    ("row", "is_closed"),
    [
        ({"stageSemanticId": "P", "stageId": "CONVERTED"}, False),
        ({"stageSemanticId": "S"}, True),
        ({"stageSemanticId": "F"}, True),
        ({"stageId": "CONVERTED"}, True),
        ({"stageId": "C3:LOSE"}, True),
        ({"closed": "Y"}, True),
        ({"stageId": "IN_PROCESS", "closed": "N"}, False),
    ],
    ids=range(7),
)
async def test_what_tells_that_a_lead_is_closed(row: Values, is_closed: bool) -> None:
    """The semantics of the stage first: portals name their stages as they like."""
    rows = {"items": [{"id": 5, **row}]}
    crm, _ = portal(lambda _: ({**FACTS, "items_lead": rows, "t0": 9}, {}))
    [outcome] = await crm.deliver([entry(ref=LEAD)], held)
    assert isinstance(outcome, LeadClosed) is is_closed


async def test_a_missing_right_to_read_deals_does_not_blind_the_look_up() -> None:
    """Without the right we never made a deal; with both rights missing the question has no answer."""
    mine = {"items": [{"id": 7, "originId": "conn_1-evt_1", "originatorId": "leadgate"}]}
    crm, _ = portal(lambda _: ({"lead": mine}, {"deal": DENIED}))
    assert await crm.look_up([create()]) == [Delivered("lead:7")]
    crm, _ = portal(lambda _: ({}, {"lead": DENIED, "deal": DENIED}))
    [outcome] = await crm.look_up([create()])
    assert isinstance(outcome, RetryLater)
    assert outcome.needs_person


async def test_a_missing_right_stops_only_the_lead_that_it_concerns() -> None:
    """A manager took one lead over; the others of the lane go on."""
    rows = {"items": [{"id": 5, "stageSemanticId": "P"}, {"id": 6, "stageSemanticId": "P"}]}

    def script(commands: Mapping[str, str]) -> tuple[Values, Values]:
        if "items_lead" in commands:
            return {**FACTS, "items_lead": rows}, {}
        return ({}, {"t0": DENIED}) if len(commands) == 2 else ({"t0": 9}, {})

    crm, _ = portal(script)
    outcomes = await crm.deliver([entry(1, lead=1, ref=LEAD), entry(2, lead=2, ref=LeadRef(CrmEntity.LEAD, 6))], held)
    assert isinstance(outcomes[0], RetryLater)
    assert (outcomes[0].scope, outcomes[0].needs_person) == (Scope.ITEM, True)
    assert outcomes[1] == Delivered("comment:9")


async def test_a_portal_wide_refusal_inside_a_batch_stops_the_rest() -> None:
    """Sending on would only be refused again."""
    rows = {"items": [{"id": 5, "stageSemanticId": "P"}]}
    limit = {"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}
    crm, seen = portal(lambda _: ({**FACTS, "items_lead": rows}, {"t0": limit}))
    outcomes = await crm.deliver([entry(1, ref=LEAD), entry(2, ref=LEAD)], held)
    assert [type(outcome) for outcome in outcomes] == [RetryLater, RetryLater]
    assert len(seen) == 2


async def test_later_words_do_not_overtake_those_that_have_to_be_sent_again() -> None:
    """A manager reads the history from the top; those of other leads go on."""
    other = LeadRef(LEAD.entity, 6)
    rows = {"items": [{"id": number, "stageSemanticId": "P"} for number in (5, 6)]}
    broken = {"error": "INTERNAL_SERVER_ERROR", "error_description": ""}
    crm, seen = portal(
        lambda commands: ({**FACTS, "items_lead": rows, "t0": 9}, {"t0": broken} if "t2" in commands else {})
    )
    words = [entry(1, lead=1, ref=LEAD), entry(2, lead=1, ref=LEAD), entry(3, lead=2, ref=other)]
    outcomes = await crm.deliver(words, held)
    assert isinstance(outcomes[0], OutcomeUnknown)
    assert outcomes[1:] == [RetryLater("bitrix24.earlier_waits", Scope.ITEM), Delivered("comment:9")]
    assert len(seen[-1]) == 1


async def test_mode_and_sources_are_read_again_after_a_while() -> None:
    """An administrator may switch the portal to deals any day."""
    rows = {"items": [{"id": 5, "stageSemanticId": "P"}]}
    crm, seen = portal(lambda _: ({**FACTS, "items_lead": rows, "t0": 9}, {}))
    for _ in range(2):
        await crm.deliver([entry(ref=LEAD)], held)
    assert ["mode" in commands for commands in seen] == [True, False, False, False]


async def test_a_contact_deleted_between_look_and_write_is_looked_for_again() -> None:
    """The lead still stands; calling it closed would make a second one."""
    rows = {"items": [{"id": 5, "stageSemanticId": "P", "contactIds": [8], "name": "Анна"}]}
    people = {"items": [{"id": 8, "name": "Анна", "fm": []}]}
    gone = {"error": "NOT_FOUND", "error_description": "Not found"}
    values = {**FACTS, "d2": [], "d3": [], "items_lead": rows, "contacts": people}
    crm, _ = portal(lambda _: (values, {"u0": gone}))
    assert await crm.deliver([update(ref=LEAD)], held) == [RetryLater("bitrix24.contact_gone", Scope.ITEM)]


async def test_a_long_rest_is_handed_back_to_the_lane() -> None:
    """Sleeping for minutes inside a delivery would outlive the lease."""
    crm, seen = portal(lambda _: (FACTS, {}))
    crm.governor.pause(120.0)
    [outcome] = await crm.deliver([create()], held)
    assert outcome == RetryLater("bitrix24.limits_respected", Scope.TARGET, timedelta(seconds=120))
    assert seen == []


async def test_more_than_the_capacity_goes_in_rounds_and_stops_with_the_portal() -> None:
    """The rest of a long list is not tried on a portal that just said no."""
    limit = {"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}
    crm, seen = portal(lambda _: ({}, {"mode": limit}))
    outcomes = await crm.deliver([create(number) for number in range(50)], held)
    assert {type(outcome) for outcome in outcomes} == {RetryLater}
    assert (len(outcomes), len(seen)) == (50, 1)


PROFILE: Values = {"profile": {"ID": "7", "ADMIN": False}, "scope": ["crm"], **FACTS}


@pytest.mark.parametrize(
    ("values", "errors", "codes"),
    [
        (PROFILE, {}, ["bitrix24.works"]),
        ({**PROFILE, "profile": []}, {}, ["bitrix24.user_inactive"]),
        (PROFILE, {"mode": DENIED, "sources": DENIED}, ["bitrix24.rights_missing"]),
        (PROFILE, {"scope": {"error": "insufficient_scope"}}, ["bitrix24.scope_missing"]),
        (PROFILE, {"profile": {"error": "METHOD_CONFIRM_WAITING"}}, ["bitrix24.refused"]),
        ({**PROFILE, "mode": 3}, {}, ["bitrix24.unreachable"]),
        ({"scope": ["crm"], **FACTS}, {}, ["bitrix24.unreachable"]),
    ],
    ids=range(7),
)
async def test_what_a_check_makes_of_odd_answers(values: Values, errors: Values, codes: list[str]) -> None:
    """Nothing that is missing counts as good."""
    crm, _ = portal(lambda _: ({key: value for key, value in values.items() if key not in errors}, errors))
    assert [finding.code for finding in (await crm.check()).findings] == codes
