"""Backups of a salon that works: made under load, put back, opened after the CRM was asked; nothing lost, doubled or revived."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadgate.testing.gateway import COMMAND, Gateway
from leadgate.testing.waiting import until
from tests.e2e.conftest import Portal, Prepared, Salon
from tests.e2e.sender import BotSender, lead
from tests.e2e.test_kill import Campaign

SEED = int(os.environ.get("SEED", "20261122"))
KILLS = int(os.environ.get("RESTORE_KILLS", "6"))


@dataclass(frozen=True, slots=True)
class Paper:
    """The recovery key as the owner has it."""

    key: str

    def secrets(self) -> dict[str, str]:
        """For `--secrets-file -`."""
        return {"recovery_key": self.key}


@pytest.fixture
def paper(prepared: Prepared) -> Paper:
    """Of the prepared house."""
    return Paper(prepared.made["recovery_key"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the backup goes, outside of the data directory."""
    return tmp_path / "leadgate.backup"


def counts(portal: Portal) -> Counter[str]:
    """How often each origin id stands in the portal."""
    return Counter(str(one["origin_id"]) for one in portal.leads())


async def send_until(campaign: Campaign, over: asyncio.Event) -> int:
    """One lead after the other until it is over; how many."""
    sent = 0
    while not over.is_set():
        await campaign.send(sent)
        sent += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), 0.02)
    return sent


async def create(gateway: Gateway, file: Path) -> dict[str, Any]:
    """`backup create`."""
    return dict(await gateway.ask("backup", "create", str(file)))


async def restore(gateway: Gateway, file: Path, *options: str, secrets: dict[str, str] | None = None) -> dict[str, Any]:
    """`backup restore`, which must succeed."""
    return dict(await gateway.ask("backup", "restore", str(file), *options, secrets=secrets))


async def test_a_copy_under_load_refuses_nobody_and_adds_up(
    salon: Salon, file: Path, tmp_path: Path, paper: Paper
) -> None:
    """A backup that needs a quiet hour is not made."""
    campaign, over = Campaign(salon, people=30), asyncio.Event()
    sending = asyncio.create_task(send_until(campaign, over))
    await until(lambda: len(campaign.acknowledged) > 10, what="the load")
    before = len(campaign.acknowledged)
    made = await create(salon.gateway, file)
    after = len(campaign.acknowledged)
    over.set()
    sent = await sending
    assert (campaign.attempts, len(campaign.acknowledged)) == (sent, sent), "somebody was refused"
    assert before < made["rows"]["events"] <= after
    assert (mode_of(file), hidden_beside(file)) == (0o600, [])
    await campaign.arrived(timeout_s=60)
    await salon.idle()

    checked = await salon.gateway.ask("backup", "verify", str(file))
    assert (checked["rows"], checked["sha256"]) == (made["rows"], made["sha256"])
    assert checked["keys"] == made["rows"]["data_keys"]

    async with Gateway(tmp_path / "elsewhere") as other:
        back = await restore(other, file, secrets=paper.secrets())
        assert back["swept"]["differences"] == back["swept"]["strangers"]
        in_portal = counts(salon.portal)
        await salon.gateway.stop()
        await other.start()
        moved = Salon(other, salon.portal, salon.bot, salon.crm, salon.bot_connection)
        await moved.idle(timeout_s=60)
        assert counts(salon.portal) == in_portal, "what the copy had still to send was sent again"
        answered = await other.command("reconcile", "--json")
        balance = answered.json()
        assert balance["received"] == made["rows"]["events"]
        assert {found["code"] for found in balance["differences"]} <= {"stranger_in_crm"}
        assert campaign.doubles() == []


async def test_what_was_on_its_way_is_looked_up_and_not_sent_again(salon: Salon, file: Path) -> None:
    """At the time of the copy one lead is sent, one waits, one is not worked on; at the restore all three are in the CRM."""
    await salon.bot.accept(lead(401))
    await salon.portal.having(1)
    await salon.idle()
    await salon.gateway.ask("connections", "pause", salon.crm)
    await salon.bot.accept(lead(402), webhook_id="msg_waits")

    async def made_a_lead() -> bool:
        items = (await salon.gateway.ask("deliveries", "list"))["items"]
        return any(item["state"] == "waiting" for item in items)

    await until(made_a_lead, what="a delivery that waits")
    await salon.gateway.ask("connections", "pause", salon.bot_connection)
    await salon.bot.accept(lead(403))
    await create(salon.gateway, file)
    for connection in (salon.bot_connection, salon.crm):
        await salon.gateway.ask("connections", "resume", connection)
    await salon.portal.having(3)
    await salon.idle()
    assert await salon.gateway.stop() == 0

    replaced = await restore(salon.gateway, file, "--yes")
    assert replaced["doubtful"] >= 2, "the lead that waited, and its entry"
    assert replaced["swept"] == {"differences": 1, "strangers": 1}, "the lead of the event nobody has worked on here"
    await salon.restart()
    for connection in (salon.bot_connection, salon.crm):
        await salon.gateway.ask("connections", "resume", connection)
    again = await salon.bot.post(lead(402), webhook_id="msg_waits")
    assert again.json()["status"] == "duplicate"

    async def all_known() -> bool:
        finished = await salon.gateway.command("reconcile", "--json")
        return int(finished.json()["in_crm"]) == 3

    await until(all_known, what="three leads that are known again", timeout_s=60)
    await salon.idle()
    assert [len(one["timeline"]) for one in salon.portal.leads()] == [1, 1, 1]
    balance = await salon.balanced()
    assert (balance["received"], balance["in_crm"], balance["waiting"]) == (3, 3, 0)


async def test_a_restored_house_sends_nothing_before_the_crm_was_asked(
    salon: Salon, file: Path, portal: Portal, prepared: Prepared
) -> None:
    """With the CRM away the restore ends with 3; the gateway keeps what comes, and begins to work when the CRM answers."""
    await salon.gateway.ask("connections", "pause", salon.crm)
    await salon.bot.accept(lead(411))
    await create(salon.gateway, file)
    await salon.gateway.ask("connections", "resume", salon.crm)
    await portal.having(1)
    await salon.idle()
    assert await salon.gateway.stop() == 0
    portal.sandbox.faults.add("html-502", probability=1.0, seed=1)

    told = await salon.gateway.command("backup", "restore", str(file), "--yes", "--json")
    assert told.code == 3
    assert (told.json()["restored"], told.json()["swept"]) == (True, None)
    assert told.err.count("\n") == 1
    await salon.restart()
    await salon.gateway.ask("connections", "resume", salon.crm)
    running = salon.gateway.running
    assert running is not None
    await salon.bot.accept(lead(412))
    await running.line(lambda: running.log("restore.not_swept"), what="restore.not_swept")
    assert running.log("event.processed") == []
    assert running.log("delivery.attempted") == []

    portal.sandbox.faults.clear()
    await running.line(lambda: running.log("restore.opened"), what="restore.opened")
    await portal.having(2)
    await salon.idle()
    balance = await salon.balanced()
    assert (balance["received"], balance["in_crm"]) == (2, 2)
    assert len(portal.leads()) == 2


async def test_an_erased_person_does_not_come_back(salon: Salon, file: Path, tmp_path: Path) -> None:
    """The list of the directory is kept, another one is taken along, and the key that opened their data is gone."""
    events = [await salon.bot.accept(lead(number)) for number in (421, 422, 423)]
    await salon.portal.having(3)
    await salon.idle()
    subjects = [subject_of(salon.gateway.data, event) for event in events]
    await create(salon.gateway, file)
    assert await salon.gateway.stop() == 0
    own = {"erasure": "era_1", "at": "2026-11-22T12:00:00+00:00", "subjects": [subjects[0]]}
    handed = {"erasure": "era_2", "at": "2026-11-22T13:00:00+00:00", "subjects": [subjects[1]]}
    (salon.gateway.data / "erased.jsonl").write_text(json.dumps(own) + "\n")
    (tmp_path / "other.jsonl").write_text(json.dumps(handed) + "\n")

    back = await restore(salon.gateway, file, "--yes", "--erased-list", str(tmp_path / "other.jsonl"))
    assert back["erased_again"] == 2
    kept = [json.loads(line) for line in (salon.gateway.data / "erased.jsonl").read_text().splitlines()]
    assert [one["erasure"] for one in kept] == ["era_1", "era_2"]
    with sqlite3.connect(salon.gateway.data / "leadgate.sqlite3") as database:
        scopes = {row[0] for row in database.execute("SELECT scope FROM data_keys")}
        known = {row[0] for row in database.execute("SELECT subject_id FROM identifiers")}
    database.close()
    assert {f"subject:{subject}" for subject in subjects} & scopes == {f"subject:{subjects[2]}"}
    assert known & set(subjects) == {subjects[2]}

    (salon.gateway.data / "erased.jsonl").write_text("{}\n")
    refused = await salon.gateway.command("backup", "restore", str(file), "--yes")
    assert refused.code == 2
    assert "Line 1" in refused.err


async def test_a_directory_in_use_is_not_replaced(salon: Salon, file: Path, tmp_path: Path) -> None:
    """Neither while a gateway runs nor without --yes; what is there stays as it was, and the journal tells of the restore."""
    await salon.bot.accept(lead(431))
    await salon.portal.having(1)
    await salon.idle()
    await create(salon.gateway, file)
    running = await salon.gateway.command("backup", "restore", str(file), "--yes")
    assert (running.code, "works with this database" in running.err) == (1, True)
    assert await salon.gateway.stop() == 0
    filled = await salon.gateway.command("backup", "restore", str(file))
    assert (filled.code, "--yes" in filled.err) == (1, True)
    await restore(salon.gateway, file, "--yes")
    tags = [tag for tag in journal_tags(salon.gateway.data) if tag.startswith("backup.")]
    assert tags == ["backup.created", "backup.restored"]
    await salon.restart()
    await salon.balanced()
    missing = await salon.gateway.command("backup", "restore", str(tmp_path / "none"), "--yes")
    assert missing.code == 2


async def test_the_paper_alone_opens_a_backup(idle_salon: Salon, file: Path, tmp_path: Path, paper: Paper) -> None:
    """The server is gone and the key file with it."""
    await create(idle_salon.gateway, file)
    async with Gateway(tmp_path / "new") as new:
        keyless = await new.command("backup", "verify", str(file))
        assert keyless.code == 2
        wrong = await new.command("backup", "verify", str(file), secrets={"recovery_key": "AAAA-" * 11 + "AAAA"})
        assert (wrong.code, wrong.err.count("\n")) == (2, 1)
        assert (await new.command("backup", "verify", str(file), secrets=paper.secrets())).code == 0
        assert not new.data.exists()
        await new.ask("init")
        other_key = await new.command("backup", "verify", str(file))
        assert (other_key.code, "another key" in other_key.err) == (2, True)
        await restore(new, file, "--yes", secrets=paper.secrets())
        for name in ("key-encryption-key",):
            assert (new.data / name).read_bytes() == (idle_salon.gateway.data / name).read_bytes()
            assert (new.data / name).stat().st_mode & 0o777 == 0o600
        names = {item["name"] for item in (await new.ask("connections", "list"))["items"]}
        assert names == {"CRM", "Конструктор", "Сайт"}


async def test_a_changed_or_cut_file_is_refused_in_one_sentence(idle_salon: Salon, file: Path) -> None:
    """By the command as its user meets it; every place is tried in `tests/app/test_backup_file.py`."""
    gateway = idle_salon.gateway
    await create(gateway, file)
    for damage in damages(file):
        damage()
        for command in ("verify", "restore"):
            options = ("--yes",) if command == "restore" else ()
            refused = await gateway.command("backup", command, str(file), *options)
            assert (refused.code, refused.err.count("\n"), "Traceback" in refused.err) == (1, 1, False), refused.err
    assert not (gateway.data / "restore-unfinished").exists()
    assert hidden_beside(gateway.data / "leadgate.sqlite3") == []


async def test_a_restore_that_is_killed_leaves_the_old_or_is_finished_by_the_next(
    salon: Salon, file: Path, tmp_path: Path
) -> None:
    """SIGKILL at moments all over its life: each time the house starts as it was, or is refused until the restore is repeated."""
    await salon.bot.accept(lead(441))
    await salon.portal.having(1)
    await salon.idle()
    await create(salon.gateway, file)
    await salon.bot.accept(lead(442))
    await salon.portal.having(2)
    await salon.idle()
    assert await salon.gateway.stop() == 0
    before = tmp_path / "before"
    shutil.copytree(salon.gateway.data, before)
    dice, ends = random.Random(SEED), Counter[str]()  # noqa: S311 - a campaign that repeats
    never = asyncio.Event()
    for _ in range(KILLS):
        shutil.rmtree(salon.gateway.data)
        shutil.copytree(before, salon.gateway.data)
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *("backup", "restore", str(file), "--yes", "--no-sweep"),
            env={**os.environ, **salon.gateway.environment},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(never.wait(), dice.uniform(0.3, 2.5))
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
        listed = await salon.gateway.command("events", "list", "--json")
        if listed.code == 2:
            assert "backup restore FILE again" in listed.err
            ends["half"] += 1
        else:
            ends["old" if len(listed.json()["items"]) == 2 else "new"] += 1
        await restore(salon.gateway, file, *(() if listed.code == 2 else ("--yes",)))
        assert len((await salon.gateway.ask("events", "list"))["items"]) == 1
    print(ends)  # noqa: T201 - which moments were met
    assert ends["old"], "no kill came early enough"


async def test_a_half_restored_directory_is_refused_until_the_restore_is_repeated(
    idle_salon: Salon, file: Path
) -> None:
    """The mark stands from before the first file changes its place; every command that works on the directory sees it."""
    gateway = idle_salon.gateway
    await create(gateway, file)
    (gateway.data / "restore-unfinished").touch()
    for arguments in (
        ("run", "--listen", "127.0.0.1:0"),
        ("events", "list"),
        ("init",),
        ("backup", "create", str(file)),
    ):
        refused = await gateway.command(*arguments)
        assert (refused.code, "cut off" in refused.err) == (2, True)
    await restore(gateway, file)  # without --yes: that was said before
    await gateway.ask("events", "list")


async def test_a_create_that_is_killed_leaves_no_backup_and_the_next_takes_its_place(salon: Salon, file: Path) -> None:
    """Half a backup must not look like one, and must not fill the disk either."""
    dice = random.Random(SEED)  # noqa: S311 - a campaign that repeats
    never = asyncio.Event()
    for _ in range(KILLS):
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "backup", "create", str(file)),
            env={**os.environ, **salon.gateway.environment},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(never.wait(), dice.uniform(0.2, 1.5))
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
        if is_there(file):
            assert (await salon.gateway.command("backup", "verify", str(file))).code == 0
            remove(file)
    await create(salon.gateway, file)
    assert hidden_beside(file) == []


async def test_a_cluster_on_postgresql_is_backed_up_and_put_back(
    tmp_path: Path, postgres_database: str, portal: Portal, http: httpx.AsyncClient, file: Path
) -> None:
    """The same commands; a node that runs rules a restore out, and a salon can move from one engine to the other."""
    environment = {"LEADGATE_DATABASE_URL": postgres_database}
    async with Gateway(tmp_path / "node", environment=environment) as node:
        made = await node.ask("init", "--workspace-name", "Салон «Лимон»")
        secrets = {"webhook_url": portal.webhook_url}
        crm = await node.connect("bitrix24", "CRM", secrets=secrets, quiet_time_s="1", timeout_s="5")
        bot = await node.connect("bot", "Бот")
        await node.start()
        sender = BotSender(http, node.url + bot["webhook_path"], bot["webhook_secret"])
        salon = Salon(node, portal, sender, crm["connection"], bot["connection"])
        await salon.bot.accept(lead(451))
        await portal.having(1)
        await salon.idle()
        backup = await create(node, file)
        checked = await node.ask("backup", "verify", str(file))
        assert (checked["engine"], checked["rows"]) == ("postgresql", backup["rows"])
        in_use = await node.command("backup", "restore", str(file), "--yes")
        assert (in_use.code, "works with this database" in in_use.err) == (1, True)
        await node.stop()

        await restore(node, file, "--yes")
        await salon.restart()
        await salon.bot.accept(lead(452))
        await portal.having(2)
        await salon.idle()
        assert (await salon.balanced())["in_crm"] == 2
        await node.stop()

        async with Gateway(tmp_path / "sqlite") as small:
            back = await restore(small, file, secrets={"recovery_key": made["recovery_key"]})
            assert back["swept"]["strangers"] == 1  # the second lead came after the backup
            assert len((await small.ask("events", "list"))["items"]) == 1


def mode_of(path: Path) -> int:
    """Who may do what."""
    return path.stat().st_mode & 0o777


def is_there(path: Path) -> bool:
    """True when the file has its name."""
    return path.exists()


def remove(path: Path) -> None:
    """Take it away."""
    path.unlink()


def hidden_beside(path: Path) -> list[str]:
    """What was left lying there."""
    return [other.name for other in path.parent.iterdir() if other.name.startswith(".")]


def damages(file: Path) -> list[Callable[[], object]]:
    """Ways to spoil a file; each begins with the whole one."""
    whole = file.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    contents = (whole[:middle], flipped, whole + b"\0", b"", b"PK")
    return [partial(file.write_bytes, content) for content in contents]


def subject_of(data: Path, event_id: str) -> str:
    """Whose event this is."""
    with sqlite3.connect(data / "leadgate.sqlite3") as database:
        (subject,) = database.execute("SELECT subject_id FROM events WHERE event_id = ?", (event_id,)).fetchone()
    database.close()
    return str(subject)


def journal_tags(data: Path) -> list[str]:
    """What the audit journal tells, oldest first."""
    with sqlite3.connect(data / "journal.sqlite3") as journal:
        tags = [str(row[0]) for row in journal.execute("SELECT tag FROM journal ORDER BY number")]
    journal.close()
    return tags


async def test_who_was_erased_after_the_copy_stays_erased_and_the_crm_is_told_again(
    salon: Salon, portal: Portal, file: Path
) -> None:
    """The copy knows neither the erasure nor its order: the list does, and the house that comes back orders anew."""
    await salon.bot.accept(lead(461))
    await salon.bot.accept(lead(462))
    await salon.portal.having(2)
    await salon.idle()
    phone = "+79000000461"
    await create(salon.gateway, file)
    salon.portal.sandbox.faults.add("down")
    erased = (await salon.gateway.command("subject", "erase", phone, "--yes", "--json")).json()
    assert erased["crm"]["state"] == "open"
    assert await salon.gateway.stop() == 0
    salon.portal.sandbox.faults.clear()

    back = await restore(salon.gateway, file, "--yes")
    assert back["erased_again"] == 1
    assert (await salon.gateway.command("subject", "find", phone)).code == 1
    await salon.gateway.start()

    async def is_ordered() -> bool:
        (row,) = (await salon.gateway.ask("subject", "erasures"))["items"]
        return bool(row["crm"]["state"] == "done")

    await until(is_ordered, what="the CRM has destroyed its copy", timeout_s=30)
    assert phone not in str(portal.leads())
    balance = await salon.balanced()
    assert balance["received"] == 2
