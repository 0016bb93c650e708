from __future__ import annotations

import pytest

from leadgate.model.connections import FindingState
from leadgate.sandbox.bitrix24.portal import SIMPLE_MODE
from tests.integrations.bitrix24.house import House

CRM_ONLY = frozenset({"crm"})


async def codes(house: House) -> list[str]:
    """Codes of the findings, gravest first."""
    return [finding.code for finding in (await house.crm.check()).findings]


async def test_a_good_webhook_works(house: House) -> None:
    """One request, no writes, one good finding."""
    house.sandbox.portal.scopes = CRM_ONLY
    report = await house.crm.check()
    assert [finding.code for finding in report.findings] == ["bitrix24.works"]
    assert report.state is FindingState.OK
    assert house.requests == 1


async def test_a_webhook_of_an_administrator_is_reported(house: House) -> None:
    """A leaked address of an administrator opens the whole portal."""
    house.sandbox.portal.scopes = CRM_ONLY
    house.sandbox.portal.users[1].is_admin = True
    report = await house.crm.check()
    assert report.state is FindingState.WARN
    assert [finding.code for finding in report.findings] == ["bitrix24.webhook_of_administrator", "bitrix24.works"]


async def test_scopes_beyond_need_are_named(house: House) -> None:
    """The owner must know which box to untick."""
    house.sandbox.portal.scopes = frozenset({"crm", "user", "task"})
    [excess, _] = (await house.crm.check()).findings
    assert excess.code == "bitrix24.scope_excess"
    assert excess.text.endswith("task, user.")


async def test_a_missing_scope_is_reported(house: House) -> None:
    """Nothing would work, and the cure is one tick."""
    house.sandbox.portal.scopes = frozenset({"task"})
    assert await codes(house) == ["bitrix24.scope_missing"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("revoked", "bitrix24.revoked"),
        ("expired-plan", "bitrix24.plan_without_rest"),
        ("down", "bitrix24.unreachable"),
        ("html-502", "bitrix24.unreachable"),
        ("error-500", "bitrix24.unreachable"),
        ("wrong-types", "bitrix24.unreachable"),
        ("limit-503", "bitrix24.busy"),
    ],
)
async def test_what_stands_in_the_way_is_named(house: House, fault: str, code: str) -> None:
    """Each has another cure."""
    house.sandbox.faults.add(fault)
    assert await codes(house) == [code]


async def test_a_portal_without_leads_is_told(house: House) -> None:
    """The owner looks for leads and finds deals."""
    house.sandbox.portal.scopes = CRM_ONLY
    house.sandbox.portal.mode = SIMPLE_MODE
    assert await codes(house) == ["bitrix24.simple_mode", "bitrix24.works"]


async def test_every_bad_finding_has_a_cure(house: House) -> None:
    """A finding without a next step helps nobody."""
    house.sandbox.portal.scopes = frozenset({"task"})
    house.sandbox.portal.users[1].is_admin = True
    report = await house.crm.check()
    assert report.findings[0].state is FindingState.FAIL
    assert all(finding.cure for finding in report.findings)
