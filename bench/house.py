"""A house to measure: a data directory made by the product's own commands, and servers as processes of their own.

Servers run on one core and the load on the other (on machines that let us), so that they do not push each other aside.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

LEADGATE = (sys.executable, "-m", "leadgate")
TELEGRAM_TOKEN = "7000000001:DEMO-token"
TELEGRAM_SECRET = "bench-webhook-secret"
_SERVER_CORE, _LOAD_CORE = 0, 1


@dataclass(frozen=True, slots=True)
class House:
    """A data directory with a bot and a Telegram connection."""

    data: Path
    bot: str
    bot_secret: str
    telegram: str
    telegram_secret: str = TELEGRAM_SECRET


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: the line it announced itself with, and its process."""

    ready: Mapping[str, str]
    process: subprocess.Popen[str]

    @property
    def address(self) -> str:
        """`host:port`."""
        return self.ready["listen"]

    def resident_mb(self) -> float:
        """Resident memory now, in megabytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Stand still meanwhile, so that work left over does not slow down the other server on the same core."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


def make_house(data: Path, *, telegram_base: str = "http://127.0.0.1:1", crm_url: str | None = None) -> House:
    """`init` and `connect`; no vendor is asked. Without `crm_url` the leads stay in the gateway."""
    run_command("init", "--data", str(data))
    if crm_url is not None:
        _connect(data, "bitrix24", {"webhook_url": crm_url})
    bot = _connect(data, "bot", {})
    secrets = {"bot_token": TELEGRAM_TOKEN, "webhook_secret": TELEGRAM_SECRET}
    telegram = _connect(data, "telegram", secrets, "--setting", f"api_base={telegram_base}")
    return House(data, bot["connection"], bot["webhook_secret"], telegram["connection"])


@contextlib.contextmanager
def run_vendors(folder: Path) -> Iterator[dict[str, str]]:
    """A messenger and a CRM that answer, on the load's core; gives the options of `make_house`."""
    messenger = (sys.executable, "-m", "bench.messenger")
    sandbox = (*LEADGATE, "sandbox", "bitrix24", "--listen", "127.0.0.1:0", "--json")
    with (
        run_server(
            messenger, announced_by="messenger.ready", log=folder / "messenger.log", core=_LOAD_CORE
        ) as telegram,
        run_server(sandbox, announced_by="webhook_url", log=folder / "sandbox.log", core=_LOAD_CORE) as crm,
    ):
        yield {"telegram_base": telegram.ready["base"], "crm_url": crm.ready["webhook_url"]}


@contextlib.contextmanager
def run_gateway(house: House, *, role: str = "all") -> Iterator[Server]:
    """`leadgate run`; its log goes to a file beside the data, as a service's log would."""
    options = ("--data", str(house.data), "--listen", "127.0.0.1:0", "--role", role, "--json")
    log = house.data / "bench.log"
    with run_server((*LEADGATE, "run", *options), announced_by="gateway.ready", log=log) as server:
        yield server


@contextlib.contextmanager
def run_server(command: tuple[str, ...], *, announced_by: str, log: Path, core: int = _SERVER_CORE) -> Iterator[Server]:
    """Start a server on the servers' core, wait for the line of JSON that contains `announced_by`, end it afterwards."""
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, text=True)
    try:
        _take_core(process.pid, core)
        yield Server(_await_line(process, log, announced_by), process)
    finally:
        process.terminate()
        process.wait(timeout=20)


def take_load_core() -> None:
    """Leave the servers' core to the servers."""
    _take_core(0, _LOAD_CORE)


def run_command(*arguments: str, given: str | None = None) -> dict[str, Any]:
    """One command of the product with its JSON answer."""
    done = subprocess.run((*LEADGATE, *arguments, "--json"), input=given, capture_output=True, text=True, check=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _take_core(process_id: int, core: int) -> None:
    """Stay on one core; 0 is this process. Where there is one core only, or no say in it, nothing changes."""
    if hasattr(os, "sched_setaffinity") and core < (os.cpu_count() or 1):
        os.sched_setaffinity(process_id, {core})


def _await_line(process: subprocess.Popen[str], log: Path, announced_by: str) -> dict[str, str]:
    with log.open(encoding="utf-8") as lines:
        rest = ""
        while process.poll() is None:
            rest += lines.readline()
            if rest.endswith("\n"):
                if announced_by in rest:
                    found: dict[str, str] = json.loads(rest)
                    return found
                rest = ""
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.005)
    raise RuntimeError(f"the server did not start:\n{log.read_text(encoding='utf-8')}")


def _connect(data: Path, kind: str, secrets: Mapping[str, str], *options: str) -> dict[str, str]:
    arguments = ("connect", kind, "--data", str(data), "--name", kind, "--no-check", "--secrets-file", "-", *options)
    return run_command(*arguments, given=json.dumps(secrets))
