"""Every command at the terminal: help with an example that works, exit codes, one sentence for an error, one JSON document."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App

from leadgate.cli.main import build
from leadgate.testing.gateway import Finished, Gateway
from tests.e2e.conftest import Salon
from tests.e2e.sender import lead

STAYING = {"run", "demo", "sandbox"}
BACKUP = "/mnt/backup/leadgate.backup"
NOT_TRIED = {
    *(("connect",), ("backup", "restore"), ("requests", "assign")),
    *(("keys", "move"), ("keys", "protect"), ("secrets", "set")),
}
"""Examples that ask for secrets, replace a directory, or read what somebody types."""
ID = re.compile(r"(conn|evt|dlv|tok|subj)_01JD…")
PAPERS = ("map.pdf", "act.pdf", "answer.pdf", "notice.pdf", "incident.zip", "kept.txt", "journal.jsonl")
"""What examples write, each into the test's own folder."""


def commands() -> list[tuple[str, ...]]:
    """Every command as it is typed, from the product's own list."""
    return [name for name in _within(build(), ()) if name]


def _within(app: App, above: tuple[str, ...]) -> list[tuple[str, ...]]:
    found = [] if app.default_command is None else [above]
    for name in app:
        if not name.startswith("-"):
            found += _within(app[name], (*above, name))
    return found


async def at_once(gateway: Gateway, calls: list[tuple[str, ...]]) -> list[Finished]:
    """Run some commands side by side, never many: each is a process."""
    gate = asyncio.Semaphore(3)

    async def one(call: tuple[str, ...]) -> Finished:
        async with gate:
            return await gateway.command(*call)

    return list(await asyncio.gather(*map(one, calls)))


def example_of(told: Finished) -> str:
    """The example that a help text gives."""
    text = re.sub(r"\s*\n(?!\n)", " ", told.out)
    found = re.search(r"Example: (.*?)(?: [╭┌]|\n\n|$)", text)
    assert found, told.out
    return found.group(1).strip()


@pytest.mark.timeout(600)  # two processes for each of some eighty commands, on a machine that does other things as well
async def test_every_command_tells_its_full_name_and_an_example_that_works(salon: Salon, tmp_path: Path) -> None:
    """People copy examples; one that fails costs them their trust in the rest of the page."""
    gateway = salon.gateway
    event = await salon.bot.accept(lead(901))
    await salon.idle()
    delivery = (await gateway.ask("deliveries", "list"))["items"][0]["id"]
    files = {"update.json": {"update_id": 1}, "lead.json": lead(902), "owner.json": {"url": "json://127.0.0.1:9/"}}
    files |= {"right.json": {"name": "Алсу Г."}, "person.json": {}, **{paper: {} for paper in PAPERS}}
    for file, content in files.items():
        (tmp_path / file).write_text(json.dumps(content))
    (tmp_path / "news.txt").write_text("Присылать новости? Отозвать согласие можно словом «стоп».")
    places = {file: str(tmp_path / file) for file in (*files, "news.txt")} | {BACKUP: str(tmp_path / "a.backup")}
    await gateway.ask("backup", "create", places[BACKUP])
    token = (await gateway.ask("tokens", "create", "--role", "auditor", "--days", "1"))["id"]
    person = (await gateway.ask("subject", "find", event))["subject"]
    ids = {"conn": salon.bot_connection, "evt": event, "dlv": delivery, "tok": token, "subj": person}
    names = commands()
    assert {("init",), ("run",), ("demo",), ("connect",), ("sandbox", "bitrix24"), ("deliveries", "discard")} <= set(
        names
    )
    helped = await at_once(gateway, [(*name, "--help") for name in names])
    tried: list[tuple[str, ...]] = []
    for name, told in zip(names, helped, strict=True):
        assert told.code == 0, told.err
        assert f"leadgate {' '.join(name)}" in told.out.splitlines()[0] + told.out.splitlines()[1]
        example = example_of(told)
        words = shlex.split(ID.sub(lambda found: ids[found[1]], example.rpartition("| ")[2]))
        assert tuple(words[: 1 + len(name)]) == ("leadgate", *name), example
        if name[0] not in STAYING and name not in NOT_TRIED and "remove" not in name:
            tried.append(tuple(word.replace("http://127.0.0.1:8080", salon.gateway.url) for word in words[1:]))
    done = await at_once(gateway, [tuple(places.get(word, word) for word in call) for call in tried])
    wrong = {
        " ".join(call): (told.code, told.err) for call, told in zip(tried, done, strict=True) if told.code not in {0, 1}
    }
    assert wrong == {}
    assert all("Traceback" not in told.err for told in done)


async def test_json_is_one_document_and_listings_page_by_cursor(salon: Salon) -> None:
    """Scripts read standard output whole; a stray line breaks every one of them."""
    for number in range(911, 914):
        await salon.bot.accept(lead(number))
    await salon.idle()
    for kind in ("events", "deliveries", "connections"):
        seen: list[str] = []
        cursor: tuple[str, ...] = ()
        while True:
            page: dict[str, Any] = await salon.gateway.ask(kind, "list", "--limit", "2", *cursor)
            assert set(page) == {"items", "next"}
            assert len(page["items"]) <= 2
            seen += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = ("--cursor", page["next"])
        assert len(seen) == len(set(seen)) >= 2, kind
        if kind != "connections":
            assert seen == sorted(seen, reverse=True), kind


async def test_errors_are_one_sentence_and_an_exit_code_that_means_something(gateway: Gateway, tmp_path: Path) -> None:
    """A script branches on the code, a person reads the sentence; neither can use a traceback."""
    bad_json = tmp_path / "bad.json"
    bad_json.write_text("{not json")
    away = {"webhook_url": "http://127.0.0.1:9/rest/1/abcdef/"}
    expected: dict[tuple[str, ...], set[int]] = {
        ("events", "show", "evt_nothing"): {1},
        ("deliveries", "retry", "dlv_nothing"): {1},
        ("deliveries", "retry"): {2},
        ("deliveries", "list", "--state", "sleeping"): {2},
        ("connections", "check", "conn_nothing"): {1},
        ("connect", "fax", "--name", "X"): {2},
        ("connect", "telegram", "--name", "X"): {2},
        ("connect", "bot", "--name", "X", "--setting", "unknown=1"): {2},
        ("connect", "bot", "--name", "X", "--secrets-file", str(bad_json)): {2},
        ("parse", "telegram", str(tmp_path / "none")): {2},
        ("reconcile", "--since", "yesterday"): {2},
        ("run", "--listen", "nowhere"): {2},
        ("subject", "find", "+79000099999"): {1},
        ("subject", "export", "nobody@example.org"): {1},
        ("subject", "correct", "subj_x", "--values-file", str(bad_json)): {2},
        ("subject", "block", "subj_x", "--reason", "whim"): {2},
        ("sandbox", "bitrix24", "--fault", "nonsense"): {2},
        ("init", "--data", "/proc/leadgate"): {2},
        ("init", "--data", str(tmp_path / "new"), "--time-zone", "Mars/Olympus"): {2},
        ("nonsense",): {2},
        ("events", "list", "--nonsense"): {2},
        ("events", "list", "--cursor", "not-a-cursor"): {0, 2},
        ("events", "list", "--data", str(tmp_path / "empty")): {2},
    }
    done = await at_once(gateway, list(expected))
    unreachable = await gateway.command("connect", "bitrix24", "--name", "X", secrets=away)
    for call, told in [*zip(expected, done, strict=True), (("connect", "away"), unreachable)]:
        wanted = expected.get(call, {1, 3})
        assert told.code in wanted, (call, told)
        if told.code:
            assert told.err.count("\n") == 1, (call, told.err)
            assert told.err.rstrip().endswith((".", "--help", "…")) or ":" in told.err, (call, told.err)
            assert told.out == "", (call, told.out)


async def test_a_database_that_is_away_is_exit_code_three(gateway: Gateway) -> None:
    """Supervisors retry on 3 and give up on 2."""
    gateway.environment["LEADGATE_DATABASE_URL"] = "postgresql://nobody:secret-4711@127.0.0.1:1/nothing"
    calls: list[tuple[str, ...]] = [
        ("events", "list"),
        ("run", "--listen", "127.0.0.1:0"),
        ("init",),
        ("reconcile", "--json"),
    ]
    for call, told in zip(calls, await at_once(gateway, calls), strict=True):
        assert told.code == 3, (call, told)
        assert told.err.count("\n") == 1, told.err
        assert "secret-4711" not in told.err


async def test_init_twice_changes_nothing_and_says_so(gateway: Gateway) -> None:
    """A second `init` in a hurry must not make new keys over old data."""
    before = {path.name: path.read_bytes() for path in gateway.data.iterdir() if "key" in path.name}
    again = await gateway.ask("init")
    assert (again["created"], again["setup_url"], again["recovery_key"]) == (False, None, None)
    assert before
    assert {path.name: path.read_bytes() for path in gateway.data.iterdir() if "key" in path.name} == before
    told = await gateway.command("init")
    assert told.code == 0
    assert "nothing was changed" in told.out
    assert gateway.data.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in gateway.data.iterdir()} == {0}
