"""The sandbox that remembers: the demo's ledger holds ids of its leads, so a new start must not deal them out again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from leadgate.errors import ConfigurationError
from leadgate.sandbox.bitrix24 import Limits, Sandbox, open_kept_sandbox, serve
from leadgate.sandbox.bitrix24.kept import MAX_STATE_BYTES, PAUSE_S, replace_file
from leadgate.sandbox.bitrix24.snapshot import read_snapshot, write_snapshot
from tests.sandbox.bitrix24.driver import ManualClock, PortalClient


@asynccontextmanager
async def running(path: Path, clock: ManualClock) -> AsyncIterator[tuple[Sandbox, PortalClient]]:
    """A kept sandbox on a free port and a client of it."""
    async with (
        open_kept_sandbox(path, limits=Limits.off(), clock=clock) as sandbox,
        serve(sandbox) as base_url,
        httpx.AsyncClient(timeout=10) as http,
    ):
        yield sandbox, PortalClient(http, base_url, sandbox.webhook_url(base_url))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state will lie."""
    return tmp_path / "sandbox-bitrix24.json"


async def test_everything_is_there_after_a_new_start(path: Path, clock: ManualClock) -> None:
    """Leads, contacts, the timeline, and what the page shows of them."""
    async with running(path, clock) as (_, portal):
        contact = await portal.add_contact("+79000000001", name="Лейла", lastName="С.")
        lead = await portal.add_lead(
            title="Запись", originId="evt_1", contactId=contact, opportunity=12.5, stageId="CONVERTED", observers=[1]
        )
        await portal.result("crm.timeline.comment.add", fields=about(lead, "Здравствуйте!"))
        item = await portal.result("crm.item.get", entityTypeId=1, id=lead)
        page = (await portal.http.get(portal.base_url + "/leads.json")).json()
    async with running(path, clock) as (_, portal):
        assert await portal.result("crm.item.get", entityTypeId=1, id=lead) == item
        assert (await portal.http.get(portal.base_url + "/leads.json")).json() == page
        found = await portal.result("crm.item.list", entityTypeId=1, filter={"originId": "evt_1"})
        assert [row["id"] for row in found["items"]] == [lead]
        people = await portal.result("crm.duplicate.findbycomm", type="PHONE", values=["+79000000001"])
        assert people == {"CONTACT": [contact]}


async def test_an_id_is_never_given_twice(path: Path, clock: ManualClock) -> None:
    """Not even the id of a record that was deleted before the new start: someone may still point at it."""
    async with running(path, clock) as (_, portal):
        lead = await portal.add_lead(fm=[{"typeId": "PHONE", "value": "+79000000001"}])
        comment = await portal.result("crm.timeline.comment.add", fields=about(lead, "раз"))
        gone = await portal.add_lead()
        await portal.result("crm.item.delete", entityTypeId=1, id=gone)
        await portal.result("crm.timeline.comment.delete", id=comment)
    async with running(path, clock) as (sandbox, portal):
        assert await portal.add_lead() > gone
        assert await portal.result("crm.timeline.comment.add", fields=about(lead, "два")) > comment
        before = [entry.id for entry in sandbox.portal.leads.find(lead).multifields]  # type: ignore[union-attr] # it is there
        assert sandbox.portal.new_multifield_id() > max(before)


async def test_the_webhook_stays_the_same_but_for_the_port(path: Path, clock: ManualClock) -> None:
    """Whoever was connected to the sandbox stays connected."""
    async with open_kept_sandbox(path, clock=clock) as first:
        pass
    async with open_kept_sandbox(path, clock=clock, webhook_secret="another") as second:
        assert second.webhook_url("http://127.0.0.1:1") == first.webhook_url("http://127.0.0.1:1")


async def test_what_was_set_up_stays(path: Path, clock: ManualClock) -> None:
    """The way a CRM works does not change because the machine was switched off."""
    wish = {"mode": 2, "is_admin": True, "scopes": ["crm"], "has_rest": False}
    async with running(path, clock) as (_, portal):
        await portal.http.post(portal.base_url + "/sandbox/portal", json=wish)
    async with running(path, clock) as (_, portal):
        described = (await portal.http.post(portal.base_url + "/sandbox/portal", json={})).json()
    assert {name: described[name] for name in wish} == wish


async def test_a_change_is_written_soon_and_not_each_one_by_itself(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed demo forgets half a second at most; a busy one does not write a file per call."""
    writings = []

    def count(path: Path, content: bytes) -> None:
        writings.append(path)
        replace_file(path, content)

    monkeypatch.setattr("leadgate.sandbox.bitrix24.kept.replace_file", count)
    async with running(path, clock) as (_, portal):
        assert len(writings) == 1  # the fresh portal
        await portal.add_lead()
        await clock.someone_sleeps.wait()
        assert len(kept_leads(path)) == 1  # at once
        clock.someone_sleeps.clear()
        for number in range(4):
            await portal.add_lead(title=f"Заявка {number}")
        clock.advance(PAUSE_S)
        await clock.someone_sleeps.wait()
        assert len(writings) == 3
        assert len(kept_leads(path)) == 5


async def test_a_late_commit_is_kept_too(path: Path, clock: ManualClock) -> None:
    """It changes the portal when its request is long gone."""
    async with running(path, clock) as (sandbox, portal):
        sandbox.faults.add("late-commit", count=1, delay_s=5)
        with pytest.raises(httpx.HTTPError):
            await portal.add_lead(title="Поздняя")
        clock.advance(5)
        await sandbox.settle()
    assert len(kept_leads(path)) == 1


async def test_only_the_owner_may_read_the_file(path: Path, clock: ManualClock) -> None:
    """It holds the webhook's secret and people's words."""
    async with open_kept_sandbox(path, clock=clock):
        pass
    assert modes(path.parent) == {path.name: 0o600}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[: len(text) // 2], "not valid JSON"),
        (lambda _: "", "not valid JSON"),
        (lambda _: "[]", "version"),
        (lambda text: text.replace('"version":1', '"version":2'), "version"),
        (lambda text: text.replace('"mode":1', '"mode":"inventedvalue"'), r"\$\.mode"),
        (lambda text: text.replace('"next_id":101', '"next_id":null'), r"\$\.leads\.next_id"),
        (lambda text: text + " " * MAX_STATE_BYTES, "64 MiB"),
    ],
    ids=["cut", "empty", "other", "newer", "mode", "number", "large"],
)
async def test_a_damaged_file_is_one_clear_error(
    path: Path, clock: ManualClock, damage: Callable[[str], str], words: str
) -> None:
    """It names the file and the place, repeats nothing of the content, and leaves the file alone."""
    async with open_kept_sandbox(path, clock=clock):
        pass
    damaged = rewrite(path, damage)
    with pytest.raises(ConfigurationError, match=words) as caught:
        async with open_kept_sandbox(path, clock=clock):
            pass
    assert str(path) in str(caught.value)
    assert "inventedvalue" not in str(caught.value)
    assert rewrite(path, lambda text: text) == damaged


async def test_a_disk_that_is_full_does_not_end_the_sandbox(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on in memory; the next change is written when there is room again."""

    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    async with running(path, clock) as (_, portal):
        with monkeypatch.context() as full:
            full.setattr("leadgate.sandbox.bitrix24.kept.replace_file", refuse)
            await portal.add_lead()
            await clock.someone_sleeps.wait()
            assert kept_leads(path) == []
    assert len(kept_leads(path)) == 1


async def test_a_folder_that_is_not_there_is_one_clear_error(path: Path, clock: ManualClock) -> None:
    """Said at the start, not lost in a log hours later."""
    with pytest.raises(ConfigurationError, match="cannot be written"):
        async with open_kept_sandbox(path / "deeper" / "state.json", clock=clock):
            pass


def test_a_failed_writing_leaves_the_old_file(tmp_path: Path) -> None:
    """And nothing half-written beside it."""
    path = tmp_path / "state.json"
    replace_file(path, b"old")
    path.unlink()
    path.mkdir()  # a folder cannot be replaced by a file
    with pytest.raises(OSError, match="directory"):
        replace_file(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


async def test_half_a_surrogate_pair_is_kept(path: Path, clock: ManualClock) -> None:
    """A broken emoji of one client must not cost everyone's state."""
    async with open_kept_sandbox(path, clock=clock) as sandbox:
        portal = sandbox.portal
        user = portal.users[1]
        user.name = "\ud83d"
        document = write_snapshot(portal)
    assert json.loads(document)["user"]["name"] == "\ud83d"
    assert read_snapshot(document).user.name == "\ud83d"


async def test_the_portal_is_bounded(path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole file is written anew after a change, so it may not grow for ever."""
    monkeypatch.setattr("leadgate.sandbox.bitrix24.kept.MAX_KEPT_RECORDS", 2)
    async with running(path, clock) as (_, portal):
        lead = await portal.add_lead()
        await portal.add_lead()
        assert (await portal.refusal("crm.item.add", entityTypeId=1, fields={"title": "Третья"}))[0] == 400
        for words in ("раз", "два"):
            await portal.result("crm.timeline.comment.add", fields=about(lead, words))
        assert (await portal.refusal("crm.timeline.comment.add", fields=about(lead, "три")))[0] == 400


def about(lead: int, words: str) -> dict[str, object]:
    """The fields of a comment in the timeline of a lead."""
    return {"ENTITY_ID": lead, "ENTITY_TYPE": "lead", "COMMENT": words}


def kept_leads(path: Path) -> list[int]:
    """Ids of the leads in the file."""
    return [record.id for record in read_snapshot(path.read_bytes()).leads.records]


def modes(folder: Path) -> dict[str, int]:
    """Names and access rights of everything in a folder."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def rewrite(path: Path, damage: Callable[[str], str]) -> str:
    """What stands in the file after `damage`."""
    damaged = damage(path.read_text())
    path.write_text(damaged)
    return damaged
