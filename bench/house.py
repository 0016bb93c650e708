"""A house to measure: a data directory made by the product's own commands, and servers as processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
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
SERVER_CORE, LOAD_CORE = 0, 1


@dataclass(frozen=True, slots=True)
class House:
    """A data directory with a bot and a Telegram connection."""

    data: Path
    bot_path: str
    bot_secret: str
    telegram_path: str
    telegram_secret: str = TELEGRAM_SECRET


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    address: str
    process: subprocess.Popen[str]

    def resident_mb(self) -> float:
        """Resident memory now, in megabytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6


def make_house(data: Path, *, telegram_base: str = "http://127.0.0.1:1", crm_url: str | None = None) -> House:
    """`init` and `connect`; nothing is asked over the network. Without `crm_url` leads wait in the gateway."""
    _command("init", "--data", str(data))
    if crm_url is not None:
        _connect(data, "bitrix24", {"webhook_url": crm_url})
    bot = _connect(data, "bot", {})
    secrets = {"bot_token": TELEGRAM_TOKEN, "webhook_secret": TELEGRAM_SECRET}
    telegram = _connect(data, "telegram", secrets, "--setting", f"api_base={telegram_base}")
    return House(data, bot["webhook_path"], bot["webhook_secret"], telegram["webhook_path"])


@contextlib.contextmanager
def run_gateway(house: House, *, role: str = "all") -> Iterator[Server]:
    """`leadgate run`; its log goes to a file beside the data."""
    arguments = ("run", "--data", str(house.data), "--listen", "127.0.0.1:0", "--role", role, "--json")
    with (house.data / "bench.log").open("w", encoding="utf-8") as log:
        with run_server((*LEADGATE, *arguments), log=log) as server:
            yield server


@contextlib.contextmanager
def run_bare() -> Iterator[Server]:
    """The bare ASGI application."""
    with run_server((sys.executable, "-m", "bench.bare")) as server:
        yield server


@contextlib.contextmanager
def run_server(command: tuple[str, ...], *, log: Any = None) -> Iterator[Server]:
    """Start a server on its core, wait until it says `gateway.ready`, end it afterwards."""
    out, log_path = (log, Path(log.name)) if log is not None else (subprocess.PIPE, None)
    process = subprocess.Popen(command, stdout=out, stderr=out if log is not None else None, text=True, encoding="utf-8")
    try:
        os.sched_setaffinity(process.pid, {SERVER_CORE % (os.cpu_count() or 1)})
        yield Server(_listen_address(process, log_path), process)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _listen_address(process: subprocess.Popen[str], log: Path | None) -> str:
    if log is None:
        assert process.stdout is not None
        return str(json.loads(process.stdout.readline())["listen"])
    with log.open(encoding="utf-8") as lines:
        while process.poll() is None:
            line = lines.readline()
            if '"gateway.ready"' in line:
                return str(json.loads(line)["listen"])
    raise RuntimeError(f"the gateway did not start, see {log}")


def _connect(data: Path, kind: str, secrets: Mapping[str, str], *options: str) -> dict[str, str]:
    arguments = ("connect", kind, "--data", str(data), "--name", kind, "--no-check", "--secrets-file", "-", *options)
    return _command(*arguments, given=json.dumps(secrets))


def _command(*arguments: str, given: str | None = None) -> dict[str, Any]:
    done = subprocess.run((*LEADGATE, *arguments, "--json"), input=given, capture_output=True, text=True, check=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document
