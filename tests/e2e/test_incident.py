"""Incident mode over the real product: what is acknowledged as stopped does not leave, and all of it leaves afterwards, once."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from leadgate.testing.gateway import Gateway
from leadgate.testing.waiting import until
from tests.e2e.conftest import Salon
from tests.e2e.sender import lead

NAME, PHONE = "Алсу Гарипова", "+7900000"


async def stop(salon: Salon, *options: str) -> dict[str, Any]:
    """One button."""
    return dict(await salon.gateway.ask("incident", "open", "--what", "Ключ портала нашли в чате", *options))


async def test_nothing_leaves_after_the_freeze_is_acknowledged_and_all_of_it_once_afterwards(salon: Salon) -> None:
    """Under load: leads come before, while and after sending is stopped."""
    accepted: list[int] = []
    enough = asyncio.Event()

    async def load() -> None:
        while not enough.is_set():
            number = 1000 + len(accepted)
            await salon.bot.accept(lead(number, message=f"слово{number}"))
            accepted.append(number)

    sending = asyncio.create_task(load())
    await salon.portal.having(5)
    view = await stop(salon)
    left, asked, before = len(salon.portal.leads()), salon.portal.sandbox.portal.counters.requests, len(accepted)
    assert (view["on_their_way"], [one["connection"] for one in view["frozen"]]) == (0, [None])
    await until(lambda: len(accepted) >= before + 30, what="thirty more that are kept and answered", timeout_s=30)
    enough.set()
    await sending
    assert left < len(accepted)

    async def all_wait() -> bool:
        return bool((await salon.gateway.ask("incident", "show"))["waiting"] >= len(accepted) - left)

    await until(all_wait, what="everything waits", timeout_s=60)
    assert (len(salon.portal.leads()), salon.portal.sandbox.portal.counters.requests) == (left, asked)

    await salon.gateway.ask("incident", "unfreeze")
    leads = await salon.portal.having(len(accepted), timeout_s=90)
    await salon.idle()
    texts = [entry["text"] for one in leads for entry in one["timeline"]]
    assert [number for number in accepted if sum(f"слово{number}" in text for text in texts) != 1] == []
    assert len(salon.portal.leads()) == len(accepted)
    await salon.balanced()


async def test_a_restart_and_a_second_process_keep_the_freeze(salon: Salon) -> None:
    """A freeze lies in the database: neither a kill nor another node's ignorance ends it."""
    await stop(salon)
    await salon.gateway.kill()
    await salon.restart()
    second = await salon.gateway.launch("run", "--listen", "127.0.0.1:0", "--role", "worker", "--json")
    await second.line(lambda: second.log("gateway.ready"), what="the second process")
    await salon.bot.accept(lead(701))

    async def waits() -> bool:
        return bool((await salon.gateway.ask("incident", "show"))["waiting"] >= 1)

    await until(waits, what="the lead waits", timeout_s=20)
    assert salon.portal.leads() == []
    await salon.gateway.ask("incident", "unfreeze")
    await salon.portal.having(1)


async def test_one_connection_alone_can_be_stopped(salon: Salon) -> None:
    """The leaked one stands still, the others serve on."""
    made = await salon.gateway.connect(
        "bot", "Второй конструктор", secrets={"signing_secret": "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}
    )
    await stop(salon, "--connection", made["connection"])
    await salon.bot.accept(lead(711))
    await salon.portal.having(1)
    await salon.gateway.ask("incident", "freeze", "--connection", salon.crm)
    await salon.bot.accept(lead(712))

    async def waits() -> bool:
        return bool((await salon.gateway.ask("incident", "show"))["waiting"] >= 1)

    await until(waits, what="the second lead waits", timeout_s=20)
    assert len(salon.portal.leads()) == 1
    await salon.gateway.ask("incident", "unfreeze", "--connection", salon.crm)
    await salon.portal.having(2)
    frozen = (await salon.gateway.ask("incident", "show"))["frozen"]
    assert [one["connection"] for one in frozen] == [made["connection"]]


async def test_from_the_finding_to_the_closing(salon: Salon, tmp_path: Path) -> None:
    """Counts, drafts, numbers, export, journal, and a closing that asks for both notices."""
    for number in range(721, 724):
        await salon.bot.accept(lead(number, message="после инсульта и с диабетом, беременна"))
    await salon.portal.having(3)
    await stop(salon, "--drill")
    again = await salon.gateway.command("incident", "open", "--json")
    assert (again.code, "open already" in again.err) == (1, True)

    counted = (await salon.gateway.ask("incident", "count"))["affected"]
    assert (counted["persons"], counted["identifiers"]["phone"]) == (3, 3)
    other = (await salon.gateway.ask("incident", "count", "--until", "2020-01-01T00:00:00+03:00"))["affected"]
    assert (other["persons"], other["identifiers"]) == (0, {})
    await salon.gateway.ask("incident", "count", "--connection", salon.crm)
    await salon.gateway.ask(
        "incident", "note", "--causes", "Пароль в общем чате", "--contact", "Ирина, +7 900 000-00-09"
    )

    text = (await salon.gateway.ask("incident", "notice", "24"))["text"]
    assert text.startswith("УЧЕНИЯ")
    assert all(part in text for part in ("Ключ портала нашли", "Пароль в общем чате", "не более 3", "заполните"))
    pdf = tmp_path / "notice.pdf"
    await salon.gateway.ask("incident", "notice", "72", "--out", str(pdf))
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.stat().st_mode & 0o077 == 0

    early = await salon.gateway.command("incident", "close")
    assert (early.code, "still stopped" in early.err) == (1, True)
    await salon.gateway.ask("incident", "unfreeze")
    early = await salon.gateway.command("incident", "close")
    assert (early.code, "--reason" in early.err) == (2, True)
    for notice, given in (("24", "77-1"), ("72", "77-2")):
        await salon.gateway.ask("incident", "notice", notice, "--sent", given)
    export = tmp_path / "export.zip"
    await salon.gateway.ask("incident", "export", "--out", str(export))
    closed = await salon.gateway.ask("incident", "close")
    assert (closed["open"], [clock["number"] for clock in closed["clocks"]]) == (False, ["77-1", "77-2"])
    assert (await salon.gateway.command("incident", "show")).code == 1

    told = handed_out(export)
    assert {
        "README.txt",
        "journal.jsonl",
        "verifier.py",
        "journal.json",
        "connections.json",
        "access.json",
        "data_map.json",
        "incident.json",
    } <= set(told)
    for name in ("journal.jsonl", "verifier.py"):
        (tmp_path / name).write_text(told[name])
    command = (sys.executable, "verifier.py", "journal.jsonl")
    verified = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL)
    assert await verified.wait() == 0, "whoever gets the zip can check the journal without us"
    tags = [row["entry"]["tag"] for row in json.loads(told["journal.json"])]
    assert {"incident.opened", "incident.changed", "journal.exported"} <= set(tags)
    assert [mark for mark in (NAME, PHONE, "инсульт", "Ирина", "Пароль") if mark in "".join(told.values())] == []


def handed_out(export: Path) -> dict[str, str]:
    """The texts of the zip."""
    with zipfile.ZipFile(io.BytesIO(export.read_bytes())) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.mark.parametrize(
    "words", [("incident", "freeze"), ("incident", "note", "--causes", "x"), ("incident", "close")]
)
async def test_without_an_incident_one_sentence_says_what_to_do(gateway: Gateway, words: tuple[str, ...]) -> None:
    """Nothing is guessed."""
    done = await gateway.command(*words)
    assert (done.code, done.err.strip()) == (1, "No incident is open. Open one with: leadgate incident open --help")
