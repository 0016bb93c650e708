from __future__ import annotations

import asyncio

import httpx
import pytest

from leadgate.sandbox.bitrix24 import FaultName, Faults, Sandbox, UnknownFaultError, parse_fault
from tests.sandbox.bitrix24.driver import ManualClock, PortalClient

ADD = ("crm.item.add", {"entityTypeId": 1, "fields": {"name": "Лейла", "originId": "evt_1"}})


@pytest.mark.parametrize(("name", "leads"), [("drop-answer", 1), ("down", 0)])
async def test_a_cut_connection_gives_no_answer(portal: PortalClient, sandbox: Sandbox, name: str, leads: int) -> None:
    """From outside both look the same; only one of them has written."""
    sandbox.faults.add(name, count=1)
    with pytest.raises(httpx.TransportError):
        await portal.ask(*ADD)
    assert len(sandbox.portal.leads) == leads
    assert (await portal.ask("server.time")).status_code == 200
    assert sandbox.portal.counters.faults == {name: 1}


async def test_a_late_commit_happens_after_the_look_up(
    portal: PortalClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """This is why a client must wait before it looks: too early it finds nothing, and repeats."""
    sandbox.faults.add("late-commit", delay_s=30, count=1)
    with pytest.raises(httpx.TransportError):
        await portal.ask(*ADD)
    await clock.someone_sleeps.wait()
    assert len(sandbox.portal.leads) == 0

    clock.advance(30)
    await sandbox.settle()
    assert len(sandbox.portal.leads) == 1


async def test_a_late_commit_is_dropped_when_the_sandbox_closes(
    portal: PortalClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """Nothing goes on behind the back of whoever stopped the sandbox."""
    sandbox.faults.add("late-commit", delay_s=30)
    with pytest.raises(httpx.TransportError):
        await portal.ask(*ADD)
    await clock.someone_sleeps.wait()
    await sandbox.aclose()
    clock.advance(60)
    assert len(sandbox.portal.leads) == 0


@pytest.mark.parametrize(
    ("name", "status", "code", "leads"),
    [
        ("error-500", 500, "INTERNAL_SERVER_ERROR", 0),
        ("error-500-after", 500, "INTERNAL_SERVER_ERROR", 1),
        ("limit-503", 503, "QUERY_LIMIT_EXCEEDED", 0),
        ("operation-429", 429, "OPERATION_TIME_LIMIT", 0),
        ("revoked", 401, "NO_AUTH_FOUND", 0),
        ("expired-plan", 403, "ACCESS_DENIED", 0),
    ],
)
async def test_a_refusal_on_demand(
    portal: PortalClient, sandbox: Sandbox, name: str, status: int, code: str, leads: int
) -> None:
    """The code as the portal gives it, and whether the work was done behind it."""
    sandbox.faults.add(name)
    answer = await portal.ask(*ADD)
    assert (answer.status_code, answer.json()["error"], len(sandbox.portal.leads)) == (status, code, leads)
    assert sandbox.portal.counters.refused[code] == 1


async def test_a_page_of_a_proxy(portal: PortalClient, sandbox: Sandbox) -> None:
    """Not JSON: a client that parses first and looks at the status later must survive it."""
    sandbox.faults.add("html-502")
    answer = await portal.ask(*ADD)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert answer.text.startswith("<html>")
    assert len(sandbox.portal.leads) == 0


async def test_a_slow_answer_waits_before_the_work(portal: PortalClient, sandbox: Sandbox, clock: ManualClock) -> None:
    """A client that gives up meanwhile cannot know what will become of it."""
    sandbox.faults.add("slow", delay_s=40)
    asked = asyncio.create_task(portal.ask(*ADD))
    await clock.someone_sleeps.wait()
    assert len(sandbox.portal.leads) == 0
    clock.advance(40)
    assert (await asked).status_code == 200
    assert len(sandbox.portal.leads) == 1


async def test_a_renamed_portal_redirects_with_the_same_path(portal: PortalClient, sandbox: Sandbox) -> None:
    """The real one does this, and naive clients turn the POST into a GET."""
    sandbox.faults.add("moved", host="new.bitrix24.example")
    answer = await portal.ask(*ADD)
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://new.bitrix24.example/rest/1/inventedsecret1/crm.item.add"


async def test_a_huge_answer_flows_until_the_client_stops(portal: PortalClient, sandbox: Sandbox) -> None:
    """A client must bound what it reads."""
    sandbox.faults.add("huge", size_mb=1)
    read = 0
    async with portal.http.stream("POST", portal.webhook_url + "server.time") as answer:
        async for part in answer.aiter_bytes():
            read += len(part)
    assert "content-length" not in answer.headers
    assert read == 1024 * 1024 + len('{"result":')


async def test_wrong_types_are_wrong_everywhere(portal: PortalClient, sandbox: Sandbox) -> None:
    """Numbers as text, objects as lists, lists as objects."""
    sandbox.faults.add("wrong-types")
    body = (await portal.ask("crm.lead.add", {"fields": {}})).json()
    listed = (await portal.ask("crm.lead.list", {"select": ["ID"]})).json()
    assert body["result"] == "101"
    assert listed["result"] == {"0": [["101"]]}


async def test_a_fault_may_wait_for_one_method_also_inside_a_batch(portal: PortalClient, sandbox: Sandbox) -> None:
    """So a test can lose exactly the answer to the creation of a lead."""
    sandbox.faults.add("error-500", method="crm.item.add")
    assert (await portal.ask("server.time")).status_code == 200
    assert (await portal.ask("batch", {"cmd": {"a": "profile"}})).status_code == 200
    assert (await portal.ask("batch", {"cmd": {"a": "crm.item.add?entityTypeId=1"}})).status_code == 500


def test_a_share_of_requests_is_struck_the_same_way_each_run() -> None:
    """Dice with a seed: a failure found once can be found again."""

    def run(seed: int) -> list[bool]:
        faults = Faults()
        faults.add("down", probability=0.3, seed=seed)
        return [faults.draw({"profile"}) is not None for _ in range(200)]

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert 30 < sum(run(1)) < 90


def test_faults_are_written_in_one_line() -> None:
    """The form of the command line."""
    name, plan = parse_fault("drop-answer:count=3,method=CRM.item.add,probability=0.5,seed=7")
    assert name is FaultName.DROP_ANSWER
    assert (plan.count, plan.method, plan.probability, plan.seed) == (3, "crm.item.add", 0.5, 7)
    assert parse_fault("down")[0] is FaultName.DOWN


@pytest.mark.parametrize(
    "line", ["dwon", "", "down:size=3", "down:count=0", "down:count=x", "slow:delay_s=-1", "moved:host=a/b"]
)
def test_a_fault_written_wrongly_is_refused_with_what_is_known(line: str) -> None:
    """A typo must not run a test without its fault."""
    with pytest.raises(UnknownFaultError):
        parse_fault(line)


async def test_faults_are_switched_over_http(portal: PortalClient, sandbox: Sandbox) -> None:
    """For tests that run in another process."""
    url = portal.base_url + "/sandbox/faults"
    made = await portal.http.post(url, json={"name": "error-500", "count": 2, "method": "crm.item.add"})
    assert made.status_code == 201
    assert (await portal.ask(*ADD)).status_code == 500
    items = (await portal.http.get(url)).json()["items"]
    assert [(item["name"], item["hits"], item["left"]) for item in items] == [("error-500", 1, 1)]

    assert (await portal.http.delete(f"{url}/{made.json()['id']}")).json() == {"items": []}
    sandbox.faults.add("down")
    assert (await portal.http.delete(url)).status_code == 200
    assert (await portal.ask(*ADD)).status_code == 200
    assert (await portal.http.post(url, json={"name": "flood"})).status_code == 400
    assert (await portal.http.delete(url + "/77")).status_code == 404


async def test_another_site_in_the_browser_cannot_press_the_buttons(portal: PortalClient, sandbox: Sandbox) -> None:
    """A page of any other origin is refused."""
    url = portal.base_url + "/sandbox/switch"
    for said in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        answer = await portal.http.post(url, data={"to": "down"}, headers=said)
        assert answer.status_code == 403
    assert len(sandbox.faults) == 0

    # What Chromium says of the page's own form.
    own = {"origin": portal.base_url, "sec-fetch-site": "same-origin"}
    assert (await portal.http.post(url, data={"to": "down"}, headers=own)).status_code == 303


async def test_controls_are_for_this_machine_alone(sandbox: Sandbox) -> None:
    """The sandbox may listen on a network; its switches do not."""
    transport = httpx.ASGITransport(app=sandbox.app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as http:
        assert (await http.get("/sandbox/faults")).status_code == 403
        assert (await http.get("/leads.json")).status_code == 200


async def test_the_portal_is_set_up_over_http(portal: PortalClient) -> None:
    """Mode, plan and rights, for tests in another process."""
    answer = await portal.http.post(portal.base_url + "/sandbox/portal", json={"mode": 2, "is_admin": True})
    assert (answer.json()["mode"], answer.json()["is_admin"]) == (2, True)
    assert await portal.result("crm.settings.mode.get") == 2
    assert (await portal.http.post(portal.base_url + "/sandbox/portal", json={"mode": 3})).status_code == 400
