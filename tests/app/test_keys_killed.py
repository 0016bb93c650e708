"""A kill in the middle of a rotation or of wrapping anew costs nothing: the next process finishes or nothing has happened."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadgate.app.rewrap import KEYS_AT_ONCE
from leadgate.model.secret import Secret
from leadgate.settings import Settings, read_settings
from leadgate.testing.connections import FixedClock
from leadgate.testing.journal import MemoryJournal
from leadgate.vault.key_file import KEY_FILE, open_with_recovery_key
from tests.app.key_rig import make_directory, open_node

CHILD = Path(__file__).with_name("keys_child.py")
PEOPLE = 3 * KEYS_AT_ONCE
KILLED = -9


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Secret, dict[str, bytes]]:
    """A directory with many people, made once."""
    folder = tmp_path_factory.mktemp("prepared")
    settings, paper = make_directory(folder / "data")

    async def fill() -> dict[str, bytes]:
        clock = FixedClock(datetime.now(UTC))
        node = await open_node(settings, clock, MemoryJournal(clock))
        sealed = await node.add_people(1, PEOPLE)
        node.storage.close()
        return sealed

    return settings.data, paper, asyncio.run(fill())


@pytest.fixture
def settings(prepared: tuple[Path, Secret, dict[str, bytes]], tmp_path: Path) -> Settings:
    """A copy of it."""
    shutil.copytree(prepared[0], tmp_path / "data")
    (tmp_path / "data").chmod(0o700)
    return read_settings(data=tmp_path / "data", environment={})


async def run_child(settings: Settings, work: str, fault: tuple[str, str, int]) -> int:
    """Its exit code."""
    point, deed, passing = fault
    witness = settings.data.parent / "witness"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CHILD),
        str(settings.data),
        work,
        point,
        deed,
        str(passing),
        str(witness),
        env={**os.environ, "LEADGATE_DATA": str(settings.data)},
    )
    return await process.wait()


@pytest.mark.parametrize(
    "fault", [("commit", "kill-before", 2), ("commit", "kill-after", 1), ("statement", "kill-before", 150)]
)
async def test_wrapping_anew_goes_on_after_a_kill(
    prepared: tuple[Path, Secret, dict[str, bytes]], settings: Settings, fault: tuple[str, str, int]
) -> None:
    """Some data keys are wrapped by the new key and some by the old one; everything opens, then the rest follows."""
    clock, sealed = FixedClock(datetime.now(UTC)), prepared[2]
    node = await open_node(settings, clock, MemoryJournal(clock))
    rotated = await node.desk.rotate(by="command")
    node.storage.close()
    assert await run_child(settings, "rewrap", fault) == KILLED
    node = await open_node(settings, clock, node.journal)
    status = await node.desk.status()
    assert status.primary == rotated.primary
    assert 0 < status.waiting < PEOPLE + 3, "it was in the middle"
    assert await node.opens(sealed)
    await node.keeper.look()
    assert (await node.desk.status()).waiting == 0
    assert await node.opens(sealed)
    assert node.tags() == ["key.rotated", "key.rewrapped"]
    node.storage.close()


@pytest.mark.parametrize(
    "fault",
    [
        *(("commit", deed, passing) for passing in (2, 3) for deed in ("kill-before", "kill-after")),
        *(("statement", "kill-before", passing) for passing in (7, 13)),
        *(("file", "kill-before", passing) for passing in range(6, 22, 2)),
    ],
)
async def test_a_killed_rotation_has_happened_or_not(
    prepared: tuple[Path, Secret, dict[str, bytes]], settings: Settings, fault: tuple[str, str, int]
) -> None:
    """Wherever it was struck: everything opens, the paper opens what wraps now, and the next rotation works."""
    _, paper, sealed = prepared
    assert await run_child(settings, "rotate", fault) == KILLED
    clock = FixedClock(datetime.now(UTC))
    node = await open_node(settings, clock, MemoryJournal(clock))
    assert await node.opens(sealed)
    await node.add_people(PEOPLE + 1, 1)
    copy = await node.storage.read(lambda tx: tx.keys.find_recovery())
    assert copy is not None
    assert node.custodian.key_id() in open_with_recovery_key(copy, paper.reveal()).key_ids()
    await node.storage.write(lambda tx: tx.lanes.free(tx.lanes.holders()[0]) if tx.lanes.holders() else 0)
    await node.desk.rotate(by="command")
    await node.keeper.look()
    assert set(await node.counts()) == {node.custodian.key_id()}
    assert await node.opens(sealed)
    assert (settings.data / KEY_FILE).stat().st_mode & 0o777 == 0o600
    node.storage.close()
