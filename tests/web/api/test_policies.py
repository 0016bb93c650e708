"""Programs decide what goes to whom by the same floors, and the journal has it before it holds."""

from __future__ import annotations

from typing import Any

import pytest

from leadgate.app import open_app
from leadgate.errors import ConflictError, JournalUnavailableError
from leadgate.model.journal import JournalEntry, Result, Tag
from leadgate.model.staff import Role
from leadgate.privacy.decisions import read_place
from leadgate.privacy.detect.spans import Label
from leadgate.privacy.policies import NEVER, Purpose
from leadgate.privacy.rules import HealthMode
from leadgate.settings import read_settings
from tests.web.api.conftest import Api


def passing(document: Any) -> set[str]:  # noqa: ANN401 - JSON
    """Places that let through."""
    return {one["place"] for part in ("cells", "fields") for one in document[part] if one["passes"]}


async def test_no_floor_can_be_loosened_by_a_program(api: Api) -> None:
    """Every locked cell, by the owner's own token, even in a clinic with paper; nothing changes and nothing is journaled."""
    paper = {"mode": "clinic", "reason": "клиника", "document": "приказ 12"}
    assert (await api.ask("POST", "/health-mode", json=paper)).status_code == 200
    before = await api.get("/policies")
    for purpose in Purpose:
        for label in Label:
            if purpose in (Purpose.CRM_LEAD, Purpose.CRM_COMMENT) and label not in NEVER:
                continue
            wish = {"open": [f"{purpose}:{label}"], "reason": "очень нужно"}
            answer = await api.ask("POST", "/policies", json=wish)
            assert (answer.status_code, answer.json()["code"]) == (422, "policy.locked"), wish
    assert await api.get("/policies") == before
    assert (before["version"], len(await journal_of(api, "policies"))) == (0, 0)


async def test_a_decision_is_kept_once_under_its_key_and_journaled(api: Api) -> None:
    """The repeat of a program changes nothing more; the entry names version and places, and no word of the reason."""
    close = {"close": ["crm_comment:PLATE", "lead.email"]}
    first = await api.ask("POST", "/policies", json=close, key="one")
    again = await api.ask("POST", "/policies", json=close, key="one")
    assert (first.json(), again.headers["idempotency-replayed"]) == (again.json(), "true")
    wish = {"open": ["lead.email"], "reason": "менеджеру нужна почта"}
    assert (await api.ask("POST", "/policies", json=wish)).json()["version"] == 2
    assert not {"crm_comment:PLATE"} & passing(await api.get("/policies"))
    newest, oldest = await journal_of(api, "policies")
    assert (oldest.tag, oldest.result) == (Tag.POLICY_CHANGED, Result.DONE)
    assert oldest.details == {"version": 1, "closed": "crm_comment:PLATE,lead.email"}
    assert oldest.by.startswith("tok_")
    assert (newest.details["opened"], newest.details["version"]) == ("lead.email", 2)
    assert "почта" not in repr(newest)
    (change, _) = (await api.get("/policies"))["changes"]
    assert (change["reason"], change["opened"]) == ("менеджеру нужна почта", ["lead.email"])


async def test_without_a_journal_nothing_is_decided(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What leaves no trace is not done."""
    async with open_app(read_settings(data=api.salon.gateway.data)) as app:

        async def refuses(_entry: JournalEntry) -> int:
            raise JournalUnavailableError("no disk")

        monkeypatch.setattr(app.journal, "record", refuses)
        with pytest.raises(JournalUnavailableError):
            await app.policies.set_health(mode=HealthMode.CLINIC, document=None, reason="клиника", by="command")
        with pytest.raises(JournalUnavailableError):
            await app.policies.set_policies(opened=(), closed=[read_place("lead.email")], reason="", by="command")
        rules = await app.policies.now()
        assert (rules.health.mode, rules.policies_standing.version) == (HealthMode.NONE, 0)


async def test_of_two_who_decide_at_once_the_second_looks_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the second would undo unseen what the first had closed; the journal says that the second failed."""
    async with open_app(read_settings(data=api.salon.gateway.data)) as app:
        seen = await app.policies.now()
        await app.policies.set_policies(opened=(), closed=[read_place("lead.email")], reason="", by="staff_1")

        async def stale() -> object:
            return seen

        with monkeypatch.context() as patch:
            patch.setattr(app.policies, "now", stale)
            with pytest.raises(ConflictError, match="a moment ago"):
                await app.policies.set_policies(opened=(), closed=[read_place("lead.name")], reason="", by="staff_2")
        assert (await app.policies.now()).fields.fields != seen.fields.fields
    newest = (await journal_of(api, "policies"))[:2]
    assert [(entry.by, entry.result) for entry in newest] == [("staff_2", Result.FAILED), ("staff_2", Result.DONE)]
    assert newest[0].details["code"] == "policy.changed_meanwhile"


async def test_an_auditor_reads_and_decides_nothing(api: Api) -> None:
    """What goes to whom is no secret of the house."""
    assert (await api.get("/policies", Role.AUDITOR))["version"] == 0
    answer = await api.ask("POST", "/health-mode", Role.AUDITOR, json={"mode": "clinic", "reason": "клиника"})
    assert answer.status_code == 403


async def journal_of(api: Api, name: str) -> list[JournalEntry]:
    """Entries about a rule, newest first."""
    async with open_app(read_settings(data=api.salon.gateway.data)) as app:
        return [row.entry for row in await app.journal.newest(limit=100, on=name)]
