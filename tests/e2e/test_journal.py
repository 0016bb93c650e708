"""The journal at the terminal: verified live and on a stopped copy, killed in the middle of writing, written by two at once."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from leadgate.storage.journal_archive import JournalArchive
from leadgate.storage.journal_file import FILE
from leadgate.testing.gateway import COMMAND, Finished, Gateway
from leadgate.vault.key_file import KEY_FILE as VAULT_KEY
from tests.e2e.conftest import Salon

WRITER = (sys.executable, str(Path(__file__).with_name("journal_writer.py")))
KILLS = 8


async def start(folder: Path, count: int = 0) -> asyncio.subprocess.Process:
    """A process that adds entries."""
    return await asyncio.create_subprocess_exec(*WRITER, str(folder), str(count), stdout=asyncio.subprocess.PIPE)


async def numbers_of(process: asyncio.subprocess.Process) -> list[int]:
    """What it said it had written, up to its end."""
    out, _ = await process.communicate()
    return [int(line) for line in out.decode().splitlines()]


async def leadgate(*arguments: str | Path) -> Finished:
    """One command, without a gateway."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *map(str, arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return Finished(process.returncode or 0, out.decode(), err.decode())


async def test_what_was_said_to_be_written_is_there_after_each_kill(tmp_path: Path) -> None:
    """Kill -9 between and within writes: nothing confirmed is lost, and the journal verifies."""
    known = 0
    for _ in range(KILLS):
        process = await start(tmp_path)
        assert process.stdout is not None
        for _ in range(5):
            known = int(await process.stdout.readline())
        process.kill()
        rest = await numbers_of(process)
        known = max([known, *rest])
        verdict = await asyncio.to_thread(JournalArchive(tmp_path).verify)
        assert verdict.fault is None
        assert verdict.entries >= known
    assert known >= 5 * KILLS


async def test_two_processes_write_at_once(tmp_path: Path) -> None:
    """A command beside the gateway: no number twice, none left out, one chain."""
    writers = [await start(tmp_path, 60) for _ in range(3)]
    found = await asyncio.gather(*map(numbers_of, writers))
    assert sorted(number for numbers in found for number in numbers) == list(range(1, 181))
    verdict = await asyncio.to_thread(JournalArchive(tmp_path).verify)
    assert (verdict.entries, verdict.fault) == (180, None)


async def test_all_commands_work_on_a_stopped_copy_without_the_key_of_the_vault(salon: Salon, tmp_path: Path) -> None:
    """An auditor gets the directory, not the keys of the salon."""
    gateway = salon.gateway
    first = tmp_path / "first.txt"
    assert (await gateway.command("journal", "head", "--out", str(first))).code == 0
    assert await numbers_of(await start(gateway.data, 3)) == [2, 3, 4], "the first one is the owner's address"
    assert (await gateway.ask("journal", "export", str(tmp_path / "export.jsonl")))["entries"] == 5
    kept = tmp_path / "kept.txt"
    shown = await gateway.command("journal", "head", "--out", str(kept))
    assert shown.out == kept.read_text() != first.read_text()
    assert (await gateway.command("journal", "verify", "--checkpoint", str(kept))).code == 0
    await gateway.stop()
    copy = tmp_path / "copy"
    shutil.copytree(gateway.data, copy)
    (copy / VAULT_KEY).unlink()
    verified = await leadgate("journal", "verify", "--checkpoint", first, "--checkpoint", kept, "--data", copy)
    assert (verified.code, verified.out.splitlines()[0]) == (0, "The journal is as it was written: 5 entries.")
    listed = json.loads((await leadgate("journal", "tail", "--limit", "3", "--json", "--data", copy)).out)
    assert ([item["number"] for item in listed["items"]], listed["next"]) == ([5, 4, 3], "3")
    assert (await leadgate("journal", "head", "--data", copy)).out == kept.read_text()
    proven = await leadgate("journal", "proof", "2", "--data", copy)
    assert json.loads(proven.out)["entries"][0]["fields"]["number"] == 2


async def test_a_changed_copy_is_found_and_the_entry_named(gateway: Gateway, tmp_path: Path) -> None:
    """Exit code 1, the number in the sentence and in the document; a forged checkpoint is refused."""
    kept = tmp_path / "kept.txt"
    assert await numbers_of(await start(gateway.data, 4)) == [2, 3, 4, 5]
    await gateway.command("journal", "head", "--out", str(kept))
    changes = {
        3: "UPDATE journal SET at = at + 1 WHERE number = 3",
        2: "DELETE FROM journal WHERE number = 2",
        5: "DELETE FROM journal WHERE number = 5",
        4: "UPDATE journal SET details = '{}' || ' ' WHERE number = 4",
    }
    for number, change in changes.items():
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(gateway.data, copy)
        with sqlite3.connect(copy / FILE) as file:
            file.execute(change)
        told = await leadgate("journal", "verify", "--json", "--data", copy)
        document = json.loads(told.out)
        assert (told.code, document["verified"], document["first_bad"]) == (1, False, number), change
        assert f"Entry {number} " in document["explained"]
    kept.write_text(kept.read_text().replace("\n5\n", "\n4\n"))
    forged = await gateway.command("journal", "verify", "--checkpoint", str(kept))
    assert (forged.code, "forged" in forged.err) == (1, True)
    assert (await gateway.command("journal", "verify", "--checkpoint", str(tmp_path / "none"))).code == 2
    assert (await leadgate("journal", "verify", "--data", tmp_path / "nowhere")).code == 2


@pytest.mark.parametrize("command", ["verify", "tail", "head"])
async def test_a_new_house_has_a_journal_at_once(gateway: Gateway, command: str) -> None:
    """It tells of the one-time address; the very first checkpoint can be taken before anybody came."""
    told = await gateway.command("journal", command)
    assert (told.code, told.err) == (0, ""), told
