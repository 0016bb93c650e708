"""The API and the commands' `--json` say the same of the same thing."""

from __future__ import annotations

from functools import partial
from typing import Any

from leadgate.intake.normalised import to_public
from leadgate.model.events import PUBLIC_FIELDS, EventKind, NormalisedEvent
from leadgate.testing.connections import NOW
from leadgate.testing.waiting import until
from leadgate.web.api.documents.events import FactDocument, _fact
from leadgate.web.api.documents.plain import plain
from tests.e2e.sender import lead
from tests.web.api.conftest import Api


async def is_same(api: Api, path: str, command: tuple[str, ...], *, but: str = "") -> bool:
    """Asked by a program and by a command, one after the other; `but` names a field that may differ."""
    here, there = await api.get(path), await api.salon.gateway.ask(*command)
    return bool({**here, but: None} == {**there, but: None})


async def test_what_is_read_is_the_same(api: Api) -> None:
    """A script that moves from commands to the API must not have to learn new names."""
    event, delivery = await api.dead_letter(501)
    await api.dead_letter(502)
    await api.ask("POST", "/alerts/addresses", json={"url": "json://127.0.0.1:9/"})
    await api.ask("POST", f"/connections/{api.salon.crm}/pause")
    pairs = {
        "/events": ("events", "list"),
        "/events?state=lead&limit=1": ("events", "list", "--state", "lead", "--limit", "1"),
        f"/events/{event}": ("events", "show", event),
        "/deliveries?state=dead": ("deliveries", "list", "--state", "dead"),
        f"/deliveries/{delivery}": ("deliveries", "show", delivery),
        "/deliveries/causes": ("deliveries", "causes"),
        "/connections": ("connections", "list"),
        "/connections?limit=2": ("connections", "list", "--limit", "2"),
        f"/connections/{api.salon.crm}": ("connections", "show", api.salon.crm),
        "/secrets": ("secrets", "list"),
        "/secret-term": ("secrets", "due"),
        "/policies": ("policies", "show"),
        "/health-mode": ("health", "show"),
    }
    for path, command in pairs.items():
        # A watchdog may have looked at a connection or at an alarm between the two: then both are asked again.
        await until(partial(is_same, api, path, command), what=f"{path} as {' '.join(command)}")
    await until(partial(is_same, api, "/alerts", ("alerts", "list"), but="looked_at"), what="/alerts as alerts list")
    assert (await api.get("/alerts"))["addresses"], "the address that was added stands in both"


async def test_the_journal_is_the_same(api: Api) -> None:
    """A command's entry is read by a program, and both give the checkpoint that it completes."""
    ask = api.salon.gateway.ask
    await ask("journal", "export", str(api.salon.gateway.data / "export.jsonl"))
    there = await ask("journal", "tail", "--kind", "journal", "--limit", "1")
    assert await api.get("/journal?kind=journal&limit=1") == there
    assert there["items"][0]["tag"] == "journal.exported"
    assert (await api.get("/journal?on=subj_none"))["items"] == []
    assert (await api.ask("GET", "/journal?kind=nonsense")).status_code == 422
    checkpoint = (await ask("journal", "head"))["checkpoint"]
    assert (await api.get("/journal/checkpoint"))["checkpoint"] == checkpoint


async def test_what_is_done_answers_the_same(api: Api) -> None:
    """By command or by program: the same words for the same deed."""
    first, second = (await api.dead_letter(501))[1], (await api.dead_letter(502))[1]
    command = api.salon.gateway.ask
    done = await api.ask("POST", f"/deliveries/{first}/discard", json={"reason": "проба"})
    assert renamed(done.json(), first) == renamed(
        await command("deliveries", "discard", second, "--reason", "п"), second
    )
    for verb in ("pause", "resume", "check"):
        answer = await api.ask("POST", f"/connections/{api.salon.crm}/{verb}")
        assert answer.json() == await command("connections", verb, api.salon.crm), verb
    assert (await api.ask("POST", "/deliveries/retry-all")).json() == await command("deliveries", "retry", "--all-dead")
    here = (await api.ask("POST", "/ledger/reconcile")).json()
    there = await command("reconcile")
    assert here.keys() == there.keys()
    assert (here["received"], here["differences"]) == (there["received"], there["differences"])


async def test_a_listing_is_walked_by_its_cursor(api: Api) -> None:
    """Page by page the same as at once, nothing twice, nothing left out."""
    for number in (501, 502, 503):
        await api.salon.bot.accept(lead(number))
    for path in ("/events", "/connections"):
        whole = (await api.get(path))["items"]
        assert len(whole) == 3
        walked: list[Any] = []
        cursor = ""
        while True:
            page = await api.get(f"{path}?limit=1{cursor}")
            walked += page["items"]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert [one["id"] for one in walked] == [one["id"] for one in whole]


def test_a_fact_has_the_fields_of_the_contract() -> None:
    """`parse`, `events show` and the API tell a normalised event alike."""
    assert tuple(FactDocument.__dataclass_fields__) == PUBLIC_FIELDS
    fact = NormalisedEvent(kind=EventKind.TEXT, event_key="k", text="да", phone_verified=True, occurred_at=NOW)
    assert plain(_fact(fact)) == to_public(fact)


def renamed(document: dict[str, Any], delivery: str) -> dict[str, Any]:
    """Without whose it is."""
    assert document["delivery"] == delivery
    return {**document, "delivery": ""}
