"""The proof beside the other tests: 1,000 kills in the gate (`CI=true`), 100 elsewhere, `KILLS=…` at will; all: `make proof`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from leadgate.vault.key_file import open_with_recovery_key
from proof import founding
from proof.lives import open_lives
from proof.sweep import Fault, Series, open_rooms, sweep_series

ROOT = Path(__file__).resolve().parents[2]
IS_GATE = os.environ.get("CI") == "true"
KILLS = int(os.environ.get("KILLS", "1000" if IS_GATE else "100"))


def prove(out: Path, *options: str) -> dict[str, Any]:
    """Run the proof as a user does; its JSON."""
    command = (sys.executable, "-m", "proof", "--out", str(out), *options)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(done.stdout)  # noqa: T201 - the table, for people
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return report


@pytest.mark.timeout(900 + KILLS * 2)
def test_killed_again_and_again_under_load_and_faults_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    """The promise of the product, with real processes, real SIGKILLs and a CRM that drops its answers."""
    report = prove(tmp_path / "proof.json", "--kills", str(KILLS), "--points", "none")
    salons = report["campaign"]
    assert sum(salon["kills"] for salon in salons) == KILLS
    assert [what for salon in salons for what in (*salon["lost"], *salon["doubled"], *salon["wrong"])] == []
    assert sum(salon["events"] for salon in salons) > KILLS
    assert KILLS < 100 or sum(sum(salon["faults"].values()) for salon in salons) > 0
    assert {salon["reconcile"] for salon in salons} == {0}


@pytest.mark.timeout(900)
def test_death_or_failure_at_every_kind_of_fault_point_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Random moments miss narrow gaps; here the process dies and fails exactly before and after writes, calls and answers."""
    report = prove(tmp_path / "proof.json", "--kills", "0", "--points", "some")
    sweeps = report["sweeps"]
    assert [wrong for sweep in sweeps.values() for wrong in sweep["wrong"]] == []
    passes = {**sweeps["one fault"]["passes"], **sweeps["init, connect"]["passes"]}
    assert [name for name, count in passes.items() if count == 0] == []
    assert sweeps["two deaths"]["strikes"] > sweeps["two deaths"]["days"]


async def test_a_gateway_that_sends_again_without_looking_is_found_out(tmp_path: Path) -> None:
    """A proof that cannot go red proves nothing."""
    assert [one for one in await wrong_of(tmp_path, "doubling", "call", "kill-after", most=8) if "doubled" in one]


async def test_a_gateway_that_acknowledges_before_it_keeps_is_found_out(tmp_path: Path) -> None:
    """The other half: who says «принято» too early loses what a power cut takes along."""
    assert [one for one in await wrong_of(tmp_path, "losing", "arrival", "kill-before", most=2) if "lost" in one]


async def wrong_of(folder: Path, spoilt: str, point: str, deed: str, *, most: int) -> list[str]:
    """What the sweep finds wrong with a product that is spoilt."""
    async with open_rooms(folder, 1) as (room,):
        room.spoilt, room.patience_s = spoilt, 15.0
        return (await sweep_series([room], [Series(point, deed, most=most)])).wrong


async def test_the_sweep_of_the_beginnings_finds_a_recovery_key_that_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever keeps the wrong paper learns it on the day of the fire."""
    monkeypatch.setattr(
        founding, "open_with_recovery_key", lambda sealed, _key: open_with_recovery_key(sealed, "A" * 48)
    )
    async with open_lives(tmp_path / "data") as lives:
        struck, wrong = await founding.Workshop(lives, tmp_path).found("init", Fault("print", "kill-before", 1))
    assert struck
    assert [one for one in wrong if "recovery key" in one]
