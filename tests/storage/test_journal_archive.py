"""A journal is verified, exported and proven from its files alone: live, copied, or on a medium that cannot be written."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from leadgate.audit import verifier
from leadgate.audit.checkpoints import read_checkpoint
from leadgate.audit.encoding import canonical
from leadgate.audit.merkle import fits_consistency
from leadgate.errors import ConfigurationError, JournalTamperedError, JournalUnavailableError, NotFoundError
from leadgate.model.journal import JournalEntry, JournalFaultKind, Tag
from leadgate.storage.journal_archive import EXTRACT_FORMAT, JournalArchive
from leadgate.storage.journal_file import FILE, JournalFile
from leadgate.storage.journal_keys import CHECKPOINT_FILE, KEY_FILE, PUBLIC_FILE
from leadgate.system import SystemClock


async def filled(folder: Path, count: int) -> list[str]:
    """A journal of so many entries; the checkpoint after each."""
    journal = JournalFile(folder, SystemClock())
    heads = []
    for number in range(1, count + 1):
        await journal.record(
            JournalEntry(tag=Tag.SUBJECT_SEARCHED, by="staff_1", on=f"subj_{number}", details={"n": number})
        )
        heads.append(await journal.checkpoint() or "")
    await journal.close()
    return heads


def names_in(folder: Path) -> set[str]:
    """Names of the files there."""
    return {path.name for path in folder.iterdir()}


def told(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """What a program says."""
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_every_older_checkpoint_fits(tmp_path: Path) -> None:
    """Whatever day it was taken out on."""
    heads = await filled(tmp_path, 20)
    archive = JournalArchive(tmp_path)
    assert archive.head() == heads[-1] == (tmp_path / CHECKPOINT_FILE).read_text()
    verdict = archive.verify(heads)
    assert (verdict.entries, verdict.fault) == (20, None)


async def test_the_journal_is_proven_to_begin_with_each_older_one(tmp_path: Path) -> None:
    """The proof is that of the RFC, so that a witness needs no journal."""
    heads = await filled(tmp_path, 17)
    archive = JournalArchive(tmp_path)
    last = read_checkpoint(heads[-1], archive.key())
    for head in heads:
        old = read_checkpoint(head, archive.key())
        path = [base64.b64decode(step) for step in archive.prove_consistency(old.size)]
        assert fits_consistency(old.size, last.size, old_root=old.root, root=last.root, path=path)
    with pytest.raises(NotFoundError):
        archive.prove_consistency(18)


async def test_a_copy_is_read_without_any_secret_and_without_writing(tmp_path: Path) -> None:
    """An auditor gets a medium, and no key that opens anything."""
    (tmp_path / "live").mkdir()
    heads = await filled(tmp_path / "live", 5)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (FILE, PUBLIC_FILE, CHECKPOINT_FILE):
        shutil.copy(tmp_path / "live" / name, copy / name)
    before = {name: (copy / name).read_bytes() for name in (FILE, PUBLIC_FILE, CHECKPOINT_FILE)}
    archive = JournalArchive(copy)
    assert archive.verify(heads[:2]).fault is None
    assert archive.head() == heads[-1]
    assert archive.export(tmp_path / "export.jsonl") == 5
    assert [row.number for row in archive.newest(limit=2)] == [5, 4]
    assert archive.checkpoint_at() is not None
    assert {name: (copy / name).read_bytes() for name in before} == before


async def test_a_killed_gateways_directory_is_read_with_what_was_not_yet_tidied(tmp_path: Path) -> None:
    """What was committed stands in the write-ahead log until the end of the process."""
    live = tmp_path / "live"
    live.mkdir()
    journal = JournalFile(live, SystemClock())
    for _ in range(4):
        await journal.record(JournalEntry(tag=Tag.BACKUP_CREATED, by="command"))
    shutil.copytree(live, tmp_path / "copy")
    await journal.close()
    assert (tmp_path / "copy" / f"{FILE}-wal").stat().st_size
    assert JournalArchive(tmp_path / "copy").verify().entries == 4


async def test_the_lone_verifier_takes_the_export_and_an_old_checkpoint(tmp_path: Path) -> None:
    """One file that imports nothing of ours, run as an auditor runs it."""
    heads = await filled(tmp_path, 9)
    archive = JournalArchive(tmp_path)
    archive.export(tmp_path / "export.jsonl")
    (tmp_path / "kept.txt").write_text(heads[3])
    program = tmp_path / "verifier.py"
    shutil.copy(verifier.__file__, program)
    command: list[str | Path] = [
        sys.executable,
        "-I",
        program,
        tmp_path / "export.jsonl",
        "--key",
        tmp_path / PUBLIC_FILE,
    ]
    run = told(*command, "--checkpoint", tmp_path / "kept.txt")
    assert (run.returncode, run.stdout) == (0, "9 entries, all as they were written; 1 kept checkpoints fit.\n"), run
    lines = (tmp_path / "export.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "export.jsonl").write_bytes(b"".join([*lines[:4], *lines[5:]]))
    run = told(*command)
    assert (run.returncode, run.stderr) == (1, "Refused: entry 4 is missing or was changed: 5 stands in its place.\n")
    assert "leadgate" not in {
        line.split()[1].split(".")[0]
        for line in program.read_text().splitlines()
        if line.startswith(("import", "from"))
    }
    missing = told(*command[:3], tmp_path / "none")
    assert missing.returncode == 2


async def test_another_writing_of_the_same_signature_is_a_change_of_its_own_entry(tmp_path: Path) -> None:
    """The last letter of a base64 text holds bits that mean nothing; the leaf of the next entry holds the text."""
    await filled(tmp_path, 3)
    archive, export = JournalArchive(tmp_path), tmp_path / "export.jsonl"
    archive.export(export)
    lines = export.read_text().splitlines(keepends=True)
    signature = json.loads(lines[2])["signature"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = signature[:-3] + letters[letters.index(signature[-3]) + 1] + "=="
    assert base64.b64decode(other) == base64.b64decode(signature)
    lines[2] = lines[2].replace(signature, other)
    export.write_text("".join(lines))
    with pytest.raises(verifier.Refused, match="entry 2 was changed"):
        verifier.check(export, str(archive.key()), [])


async def test_an_extract_proves_its_entries_alone(tmp_path: Path) -> None:
    """The paper of an erasure has to stand without the journal, and a changed word in it is found."""
    await filled(tmp_path, 11)
    archive = JournalArchive(tmp_path)
    found = archive.extract([7, 2, 11])
    entries: list[dict[str, Any]] = [
        {"fields": dict(entry.fields), "proof": list(entry.proof)} for entry in found.entries
    ]
    assert [entry.fields["number"] for entry in found.entries] == [7, 2, 11]
    document: dict[str, object] = {
        "format": EXTRACT_FORMAT,
        "key": found.key,
        "checkpoint": found.checkpoint,
        "entries": entries,
    }
    target = tmp_path / "extract.json"
    target.write_bytes(canonical(document) + b"\n")
    assert "3 entries" in verifier.check(target, found.key, [])
    for entry in entries:
        sound = dict(entry["fields"])
        for name in sound:
            entry["fields"] = {**sound, name: 5 if name != "number" else 6}
            target.write_bytes(canonical(document))
            with pytest.raises(verifier.Refused, match=r"entry|read"):
                verifier.check(target, found.key, [])
        entry["fields"] = sound
    document["checkpoint"] = found.checkpoint.replace("\n11\n", "\n12\n")
    target.write_bytes(canonical(document))
    with pytest.raises(verifier.Refused, match="forged"):
        verifier.check(target, found.key, [])
    for number in (0, 12, -1):
        with pytest.raises(NotFoundError):
            archive.extract([number])


async def test_an_empty_house_has_nothing_to_accuse(tmp_path: Path) -> None:
    """No journal is no damage; but one of which a checkpoint exists was there."""
    archive = JournalArchive(tmp_path)
    assert (archive.verify().entries, archive.is_begun()) == (0, False)
    for work in (archive.head, lambda: archive.extract([1]), lambda: archive.export(tmp_path / "x")):
        with pytest.raises(NotFoundError):
            work()
    (tmp_path / "other").mkdir()
    heads = await filled(tmp_path / "other", 1)
    with pytest.raises(JournalTamperedError) as refused:
        archive.verify(heads)
    assert refused.value.code == "journal.gone"


async def test_nothing_is_handed_out_of_a_changed_journal(tmp_path: Path) -> None:
    """A checkpoint or a proof over a change would vouch for it."""
    await filled(tmp_path, 3)
    import sqlite3  # noqa: PLC0415 - the auditor's opponent alone needs it

    with sqlite3.connect(tmp_path / FILE) as file:
        file.execute("UPDATE journal SET hashes = zeroblob(32) WHERE number = 3")
    archive = JournalArchive(tmp_path)
    for work in (archive.head, lambda: archive.extract([1]), lambda: archive.export(tmp_path / "x")):
        with pytest.raises(JournalUnavailableError):
            work()
    verdict = archive.verify()
    assert verdict.fault is not None
    assert (verdict.fault.number, verdict.fault.kind) == (3, JournalFaultKind.CHANGED)


async def test_verifying_beside_a_gateway_that_writes_comes_to_an_end(tmp_path: Path) -> None:
    """Entries that come meanwhile are neither accused nor waited for."""
    journal = JournalFile(tmp_path, SystemClock())
    act = JournalEntry(tag=Tag.BACKUP_CREATED, by="command")
    for _ in range(600):
        await journal.record(act)
    walking = asyncio.create_task(asyncio.to_thread(journal.archive.verify, pause_s=0.01))
    while not walking.done():
        await journal.record(act)
    verdict = await walking
    await journal.close()
    assert verdict.fault is None
    assert verdict.entries >= 600


async def test_an_export_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither half a file nor the one before."""
    await filled(tmp_path, 2)
    target = tmp_path / "folder"
    target.mkdir()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        JournalArchive(tmp_path).export(target)
    assert not [name for name in names_in(tmp_path) if name.startswith(".folder")]
    export = tmp_path / "export.jsonl"
    JournalArchive(tmp_path).export(export)
    assert export.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(export.read_text().splitlines()[0])) == {"format", "key"}
    assert (tmp_path / KEY_FILE).read_text() not in export.read_text()
