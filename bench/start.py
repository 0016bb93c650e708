"""How long a command and the demo take to start, warm."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench.house import LEADGATE, run_command, run_server
from bench.report import Figure


def measure_start(folder: Path, *, rounds: int) -> list[Figure]:
    """Medians; the demo's first start, which makes the data directory, is not counted."""
    demo = [_demo_s(folder) for _ in range(rounds + 1)][1:]
    return [
        Figure("start: import of the whole product", median(_import_s() for _ in range(rounds)), "s"),
        Figure("start: leadgate --help", median(_help_s() for _ in range(rounds)), "s"),
        Figure("start: leadgate init", median(_init_s(folder, number) for number in range(rounds)), "s"),
        Figure("start: leadgate demo, warm, to ready", median(demo), "s", at_most=3),
    ]


def _demo_s(folder: Path) -> float:
    options = ("--json", "--listen", "127.0.0.1:0", "--data", str(folder / "demo"))
    started = time.perf_counter()
    with run_server((*LEADGATE, "demo", *options), announced_by="bot_webhook", log=folder / "demo.log"):
        return time.perf_counter() - started


def _import_s() -> float:
    return _run_s(sys.executable, "-c", "import leadgate.app, leadgate.web.server")


def _help_s() -> float:
    return _run_s(*LEADGATE, "--help")


def _run_s(*command: str) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _init_s(folder: Path, number: int) -> float:
    started = time.perf_counter()
    run_command("init", "--data", str(folder / f"init-{number}"))
    return time.perf_counter() - started
