"""Floors hold whoever tries: the owner by a decision, a thief by hand in the database, damage by chance."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from leadgate.errors import ConfigurationError
from leadgate.ports.stores.rules import StoredRule
from leadgate.privacy.allow_list import FIXED, POSSIBLE, AllowList, CrmField, CrmObject
from leadgate.privacy.decisions import Cell, Slot, decide, decide_health, read_place, read_reason
from leadgate.privacy.detect.spans import Label
from leadgate.privacy.policies import CRM_PURPOSES, NEVER, ON_PAPER, Lock, Purpose, effective, lock_of
from leadgate.privacy.redact import redact
from leadgate.privacy.rules import (
    HEALTH,
    POLICIES,
    PRODUCT_RULES,
    Health,
    HealthMode,
    LiveRules,
    health_body,
    policies_body,
    rules_of,
)
from leadgate.testing.connections import NOW

EVERYTHING = dict.fromkeys(Purpose, frozenset(Label))
PAPER = Health(mode=HealthMode.CLINIC, document="приказ 12")
SECRETS = "паспорт 9208 134677, карта 4111 1111 1111 1111, СНИЛС 112-233-445 95"


def stored(body: object, *, name: str = POLICIES, version: int = 3) -> StoredRule:
    """A rule as it lies in the database."""
    plain = body if isinstance(body, bytes) else json.dumps(body).encode()
    return StoredRule(name=name, body=plain, version=version, changed_at=NOW, changed_by="staff_1")


def sound() -> dict[str, Any]:
    """A rule `policies` that says what the product says."""
    document: dict[str, Any] = json.loads(policies_body(PRODUCT_RULES.wish, PRODUCT_RULES.fields, ()))
    return document


def test_the_floors_by_name() -> None:
    """Written out once more, because a floor that is loosened in the code must turn something red."""
    for has_paper in (False, True):
        widest = effective(EVERYTHING, has_paper=has_paper)
        for purpose in (Purpose.MODEL, Purpose.LOG, Purpose.ALERT):
            assert widest.passes(purpose) == frozenset()
        for purpose in (Purpose.CRM_LEAD, Purpose.CRM_COMMENT):
            assert {str(label) for label in widest.passes(purpose)} == {
                *("PERSON", "PHONE", "EMAIL", "BIRTHDATE", "ADDRESS", "USERNAME", "PLATE"),
                *(("HEALTH",) if has_paper else ()),
            }


@given(
    st.dictionaries(st.sampled_from(list(Purpose)), st.frozensets(st.sampled_from(list(Label)))),
    st.booleans(),
)
def test_no_wish_goes_below_a_floor(wish: dict[Purpose, frozenset[Label]], has_paper: bool) -> None:
    """What passes is what was wished and is not locked, for every wish there is."""
    policies = effective(wish, has_paper=has_paper)
    for purpose in Purpose:
        for label in Label:
            is_open = lock_of(purpose, label, has_paper=has_paper) is None
            assert (label in policies.passes(purpose)) is (is_open and label in wish.get(purpose, frozenset()))


@pytest.mark.parametrize(
    "place", [Cell(p, label) for p in Purpose for label in Label if p not in CRM_PURPOSES or label in NEVER]
)
def test_no_decision_opens_what_is_locked(place: Cell) -> None:
    """By command, page or API: they all decide here."""
    rules = replace(PRODUCT_RULES, health=PAPER)
    with pytest.raises(ConfigurationError) as refused:
        decide(rules, opened=[place], closed=(), reason="очень нужно")
    assert refused.value.code == "policy.locked"


def test_health_is_locked_until_there_is_paper() -> None:
    """A clinic without consents on file may not, a clinic with them may."""
    cell = Cell(Purpose.CRM_LEAD, Label.HEALTH)
    for health in (Health(), Health(mode=HealthMode.CLINIC)):
        with pytest.raises(ConfigurationError, match="written consents"):
            decide(replace(PRODUCT_RULES, health=health), opened=[cell], closed=(), reason="нужно")
    assert decide(replace(PRODUCT_RULES, health=PAPER), opened=[cell], closed=(), reason="нужно").opened == (str(cell),)
    assert {lock_of(Purpose.CRM_LEAD, label, has_paper=False) for label in ON_PAPER} == {Lock.PAPER}


def test_opening_needs_a_reason_and_closing_does_not() -> None:
    """Who lets less out need not explain."""
    cell = Cell(Purpose.CRM_COMMENT, Label.ADDRESS)
    closed = decide(PRODUCT_RULES, opened=(), closed=[cell], reason="")
    after = replace(PRODUCT_RULES, wish=closed.wish)
    with pytest.raises(ConfigurationError) as refused:
        decide(after, opened=[cell], closed=(), reason="  ")
    assert refused.value.code == "policy.reason_missing"
    assert decide(after, opened=[cell], closed=(), reason="курьеру").opened == ("crm_comment:ADDRESS",)


@pytest.mark.parametrize("slot", [Slot(thing, name) for thing in CrmObject for name in sorted(FIXED[thing])])
def test_what_makes_leads_once_cannot_be_taken_out(slot: Slot) -> None:
    """Without it the CRM fills with doubles, and then with people who delete the wrong ones."""
    with pytest.raises(ConfigurationError) as refused:
        decide(PRODUCT_RULES, opened=(), closed=[slot], reason="не нужно")
    assert refused.value.code == "policy.needed"


@pytest.mark.parametrize(
    "word", ["crm_lead:DIAGNOSIS", "lead.passport", "x", "", "model", "lead:email", "contact.message:PHONE"]
)
def test_a_place_that_does_not_exist_is_refused(word: str) -> None:
    """A slip of the finger must not look like a decision."""
    with pytest.raises(ConfigurationError):
        read_place(word)


@pytest.mark.parametrize("reason", ["Ирина Ахметова просила", "звонить 8 900 000-01-01", "x" * 301])
def test_a_reason_with_a_person_in_it_or_without_end_is_refused(reason: str) -> None:
    """It is kept for years and goes into papers."""
    with pytest.raises(ConfigurationError):
        read_reason(reason, is_needed=True)


def test_nothing_is_decided_when_nothing_changes() -> None:
    """No version and no line in the journal for a button that was pressed twice."""
    with pytest.raises(ConfigurationError, match="already"):
        decide(PRODUCT_RULES, opened=[Cell(Purpose.CRM_LEAD, Label.PERSON)], closed=(), reason="x")
    with pytest.raises(ConfigurationError, match="already"):
        decide_health(Health(), mode=HealthMode.NONE, document=None, reason="x")


def test_what_is_kept_is_read_back() -> None:
    """The document of a decision is the decision."""
    closed = decide(
        PRODUCT_RULES, opened=(), closed=[read_place("lead.email"), read_place("crm_lead:PLATE")], reason=""
    )
    read = rules_of(stored(policies_body(closed.wish, closed.fields, ())), stored(health_body(PAPER, ()), name=HEALTH))
    assert (read.wish, read.fields, read.health) == (closed.wish, closed.fields, PAPER)
    assert not read.policies_standing.is_refused
    assert read.policies_standing.version == 3


HOSTILE: dict[str, Callable[[dict[str, Any]], object]] = {
    "not json": lambda _: b"{",
    "not utf-8": lambda _: b"\xff\xfe",
    "a list": lambda _: [],
    "deep": lambda _: b"[" * 100_000,
    "the model reads names": lambda rule: {**rule, "passes": {**rule["passes"], "model": ["PERSON"]}},
    "alarms instead of comments": lambda rule: {**rule, "passes": {"alert": ["PERSON"], "crm_lead": []}},
    "a card passes": lambda rule: {**rule, "passes": {**rule["passes"], "crm_lead": ["PERSON", "CARD"]}},
    "a passport passes": lambda rule: {**rule, "passes": {**rule["passes"], "crm_comment": ["PASSPORT"]}},
    "a kind nobody knows": lambda rule: {**rule, "passes": {**rule["passes"], "crm_lead": ["EVERYTHING"]}},
    "one reader is missing": lambda rule: {**rule, "passes": {"crm_lead": []}},
    "a field for an object that has none": lambda rule: {
        **rule,
        "fields": {**rule["fields"], "lead": ["origin", "channel", "phone", "channel_user_id"]},
    },
    "no phone on the lead": lambda rule: {**rule, "fields": {**rule["fields"], "lead": ["origin", "channel"]}},
    "no origin on the entry": lambda rule: {**rule, "fields": {**rule["fields"], "entry": ["message", "channel"]}},
    "an object is missing": lambda rule: {**rule, "fields": {"lead": rule["fields"]["lead"]}},
    "a field nobody knows": lambda rule: {**rule, "floors": "off"},
    "passes is no table": lambda rule: {**rule, "passes": "everything"},
}


@pytest.mark.parametrize("harm", HOSTILE)
def test_a_rule_that_was_edited_by_hand_is_not_obeyed(harm: str) -> None:
    """The default holds, the log says so once, and names and cards do not get out by any of it."""
    rules = rules_of(stored(HOSTILE[harm](sound())), None)
    assert (rules.wish, rules.fields) == (PRODUCT_RULES.wish, PRODUCT_RULES.fields)
    assert rules.policies_standing.is_refused
    for purpose in Purpose:
        masked = redact(SECRETS, purpose, rules.policies)
        assert not any(number in masked for number in ("134677", "4111", "445 95"))
    live = LiveRules()
    with capture_logs() as lines:
        for _ in range(3):
            live.follow(rules, ())
    assert [(line["event"], line["kind"], line["version"]) for line in lines] == [
        ("policy.rule_refused", "policies", 3)
    ]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"mode":"spa"}', b'{"mode":"none","x":1}', b'{"mode":"clinic","document":" "}', b"null"]
)
def test_a_damaged_mode_of_health_is_the_stricter_one(body: bytes) -> None:
    """Nothing of health goes to the CRM as in a salon, and no service is named as in a clinic: damage opens no way."""
    rules = rules_of(None, stored(body, name=HEALTH))
    assert (rules.health.mode, rules.health.has_paper, rules.health_standing.is_refused) == (
        HealthMode.CLINIC,
        False,
        True,
    )
    live = LiveRules()
    with capture_logs() as lines:
        live.follow(rules, ["Удаление папиллом"])
    assert live.services.stand_in("Ждём на удаление папиллом")
    assert [(line["event"], line["kind"]) for line in lines] == [("policy.rule_refused", "health")]


def test_paper_in_a_salon_opens_nothing() -> None:
    """Written by hand: mode none with a document."""
    rules = rules_of(None, stored(b'{"mode":"none","document":"\\u043f\\u0430\\u043f\\u043a\\u0430"}', name=HEALTH))
    assert not rules.health.has_paper


def test_every_new_damage_is_told_again() -> None:
    """Mended and broken anew is news."""
    live, broken, fine = LiveRules(), rules_of(stored(b"{"), None), rules_of(stored(sound(), version=4), None)
    again = rules_of(stored(b"{", version=5), None)
    with capture_logs() as lines:
        for rules in (broken, broken, fine, again):
            live.follow(rules, ())
    assert [line["version"] for line in lines] == [3, 5]


def test_the_default_list_is_all_there_is() -> None:
    """An owner can take out and put back, and never beyond what the product writes."""
    assert AllowList().fields == POSSIBLE
    assert not any(AllowList().allows(thing, CrmField.CHANNEL_USER_ID) for thing in CrmObject)
