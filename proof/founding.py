"""The sweep over the fault points of `init` and `connect`: struck at every place, and called once more as a person would.

What must hold in the end, whatever was struck: the directory works, the recovery key that was printed last opens the key
encryption key, the address that was printed last lets the owner in, and a lead signed with the secret that was printed last
arrives. A command that could not be finished says so in a sentence, and the sentence's advice works.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import signal
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from leadgate.errors import LeadgateError
from leadgate.sandbox.bitrix24 import Limits, build_sandbox, serve
from leadgate.sandbox.bitrix24.views import contacts, leads
from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.waiting import until
from leadgate.vault.key_file import open_key_file, open_with_recovery_key
from proof.balance import Seen, strike_balance
from proof.lives import Lives, open_lives
from proof.salon import PORTAL_SECRET, Salon, free_ports, is_idle
from proof.sweep import Fault, SweepResult, crashes
from proof.traffic import Traffic

COMMANDS = ("init", "connect bitrix24", "connect bot")
DEEDS = (
    *((point, deed) for point in ("commit", "print") for deed in ("kill-before", "kill-after", "fail-before")),
    ("commit", "fail-after"),
    ("statement", "fail-before"),
    ("read", "fail-before"),
    ("file", "kill-before"),
    ("file", "fail-before"),
)
_ADVICE = re.compile(r"leadgate (connections remove conn_\w+)")
_TRIES = 3
_TIMEOUT_S = 30.0


class Workshop:
    """A place where one salon after the other is made, in a fresh folder each, and then tried out."""

    def __init__(self, lives: Lives, folder: Path) -> None:
        """Nothing is made yet."""
        self._lives = lives
        self._folder = folder
        self._number = 0
        self._printed: dict[str, dict[str, Any]] = {}
        self._wrong: list[str] = []

    async def found(self, command: str, fault: Fault) -> tuple[bool, list[str]]:
        """One salon, one command of which is struck; whether the fault struck, and what was wrong."""
        self._number += 1
        place = self._folder / f"salon-{self._number}"
        place.mkdir()
        self._lives.data = place / "data"
        self._printed, self._wrong = {}, []
        witness, log_starts_at = place / "struck", self._log_size()
        strike = {"point": fault.point, "deed": fault.deed, "passing": fault.passing, "witness": str(witness)}
        port, portal_port = free_ports(2)
        for one in COMMANDS:
            arguments = _arguments(one, place, portal_port)
            await self._run_until_it_works(one, arguments, strike if one == command else None, witness)
        if not self._wrong:
            await self._try_out(port, portal_port)
        self._wrong += crashes(self._lives.log, log_starts_at)
        has_struck = witness.exists()
        shutil.rmtree(place)
        return has_struck, self._wrong

    async def _run_until_it_works(
        self, command: str, arguments: Sequence[str], strike: Mapping[str, object] | None, witness: Path
    ) -> None:
        """As a person would: call it again when it failed, and follow what it advises."""
        for attempt in range(_TRIES):
            size = self._log_size()
            try:
                code, printed = await self._lives.command(*arguments, strike=strike if attempt == 0 else None)
            except TimeoutError:
                self._wrong.append(f"{command} hung")
                continue
            if printed is not None and printed.get("recovery_key", printed.get("connection")) is not None:
                self._printed[command] = printed
            if code == 0:
                return
            said = self._lives.log.read_bytes()[size:].decode(errors="replace").strip()
            if code != -signal.SIGKILL and "." not in said:
                self._wrong.append(f"{command} ended with {code} and said nothing")
            advice = _ADVICE.search(said)
            if advice is not None:
                await self._lives.command(*advice[1].split())
            elif attempt and code != -signal.SIGKILL:
                self._wrong.append(f"{command} ended with {code} once more: {said}")
        if not witness.exists():  # noqa: ASYNC240 - one look at a local disk
            self._wrong.append(f"{command} did not work, and nothing struck it")

    async def _try_out(self, port: int, portal_port: int) -> None:
        made, bot = self._printed.get("init"), self._printed.get("connect bot")
        if made is None or bot is None:
            self._wrong.append("nobody has seen what was made")
            return
        self._wrong += _try_recovery_key(self._lives.data, made["recovery_key"])
        sandbox = build_sandbox(limits=Limits.off(), webhook_secret=PORTAL_SECRET)
        async with serve(sandbox, "127.0.0.1", portal_port), TelegramServer() as messenger:
            salon = Salon(
                lives=self._lives,
                messenger=messenger,
                port=port,
                portal_port=portal_port,
                bot=f"/webhooks/bot/{bot['connection']}",
                bot_secret=bot["webhook_secret"],
                telegram="",
            )
            life = await salon.run()
            if not await life.ready_or_ended():
                self._wrong.append(f"run ended with {life.ended.result()}")
                return
            traffic = Traffic(salon, random.Random(0))  # noqa: S311 - pauses of senders
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    await self._try_address(salon, made["setup_url"])
                    await traffic.send_lead(1, person=1)
                    await until(lambda: bool(sandbox.portal.comments), what="a lead", timeout_s=_TIMEOUT_S)
                    await until(lambda: is_idle(self._lives.data), what="rest", timeout_s=_TIMEOUT_S)
            except (TimeoutError, RuntimeError, AssertionError) as error:
                self._wrong.append(f"no lead arrived: {error}")
            finally:
                await traffic.close()
            await life.end(signal.SIGTERM)
            balance = strike_balance(traffic.acknowledged, Seen(leads(sandbox.portal), contacts(sandbox.portal)))
            self._wrong += [*balance.lost, *balance.doubled]

    async def _try_address(self, salon: Salon, setup_url: str) -> None:
        """The one-time address shows its page; it was printed for another port."""
        async with httpx.AsyncClient(trust_env=False, timeout=10.0) as http:
            answer = await http.get(salon.url + "/setup/" + setup_url.rpartition("/")[2])
        if not answer.is_success:
            self._wrong.append(f"the owner's address answers {answer.status_code}")

    def _log_size(self) -> int:
        return self._lives.log.stat().st_size if self._lives.log.exists() else 0


def _arguments(command: str, place: Path, portal_port: int) -> list[str]:
    name, _, kind = command.partition(" ")
    if not kind:
        return [name, "--workspace-name", "Салон «Лимон»"]
    file = place / f"{kind}.secrets"
    webhook_url = f"http://127.0.0.1:{portal_port}/rest/1/{PORTAL_SECRET}/"
    file.write_text(json.dumps({"webhook_url": webhook_url} if kind == "bitrix24" else {}), encoding="utf-8")
    return [name, kind, "--name", kind, "--no-check", "--secrets-file", str(file)]


def _try_recovery_key(data: Path, recovery_key: str) -> list[str]:
    connection = sqlite3.connect(data / "leadgate.sqlite3")
    try:
        rows = connection.execute("SELECT sealed_recovery FROM workspaces").fetchall()
    finally:
        connection.close()
    if len(rows) != 1:
        return [f"{len(rows)} workspaces"]
    try:
        if open_with_recovery_key(rows[0][0], recovery_key).key_id() != open_key_file(data).key_id():
            return ["the recovery key opens another key"]
    except LeadgateError as error:
        return [f"the recovery key that was printed last: {error}"]
    spare = [path.name for path in data.glob(".key-encryption-key*")]
    return [f"a spare copy of the key was left: {spare}"] if spare else []


async def sweep_founding(folder: Path, *, stride: int = 1, misses: int = 2, workshops: int = 4) -> SweepResult:
    """Strike each command at the first, second, … pass of each point, until nothing strikes any more.

    Args:
        stride: strike each so-manieth pass.
        misses: so many salons without a strike end a series.
    """
    result, started_s = SweepResult(), time.monotonic()
    waiting = [(command, point, deed) for command in COMMANDS for point, deed in DEEDS]

    async def work(number: int) -> None:
        place = folder / f"workshop-{number}"
        place.mkdir(parents=True)
        async with open_lives(place / "data") as lives:
            workshop = Workshop(lives, place)
            while waiting:
                await _sweep_one(workshop, result, waiting.pop(0), stride=stride, misses=misses)

    await asyncio.gather(*(work(number) for number in range(workshops)))
    result.seconds = time.monotonic() - started_s
    return result


async def _sweep_one(
    workshop: Workshop, result: SweepResult, series: tuple[str, str, str], *, stride: int, misses: int
) -> None:
    command, point, deed = series
    struck, missed, passing = 0, 0, 1
    while missed < misses:
        fault = Fault(point, deed, passing)
        has_struck, wrong = await workshop.found(command, fault)
        result.days += 1
        result.strikes += has_struck
        result.wrong += [f"{command}: {fault}: {one}" for one in wrong]
        struck, missed = struck + has_struck, 0 if has_struck else missed + 1
        passing += stride
    result.passes[f"{command}: {point} {deed}"] = struck
