"""Lives of the product, one after the other on one data directory: started, awaited, killed. The other end of `proof.nursery`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_NURSERY = '{"nursery"'
COMMAND_TIMEOUT_S = 40.0


@dataclass(slots=True)
class Life:
    """One process.

    Attributes:
        pid: known from the start.
        ready: set when it accepts requests.
        ended: its exit code, or the number of the signal that killed it, below zero.
        printed: lines on standard output.
    """

    pid: int
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    printed: list[str] = field(default_factory=list)

    async def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; harmless when it ended already."""
        if not self.ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
        return await self.ended

    async def ready_or_ended(self) -> bool:
        """True when it is ready, False when it ended before."""
        ready = asyncio.create_task(self.ready.wait())
        waited: set[asyncio.Future[Any]] = {ready, self.ended}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        return self.ready.is_set()


class Lives:
    """The lives on one data directory, at most one at a time; use `open_lives`."""

    def __init__(self, process: asyncio.subprocess.Process, data: Path) -> None:
        """Speak to a nursery that was started."""
        self.data = data
        self.log = data.parent / "log.jsonl"
        self._process = process
        self._life: Life | None = None
        self._started: asyncio.Future[Life] | None = None
        self._is_open = asyncio.Event()

    async def start(
        self,
        *arguments: str,
        cold: bool = False,
        strike: Mapping[str, object] | None = None,
        spoilt: str | None = None,
    ) -> Life:
        """Start a command; returns as soon as there is a process.

        Args:
            arguments: as on the command line, behind `leadgate`.
            cold: a new interpreter instead of a fork.
            strike: what the fault points are to do; the arguments of `fault_points.install`.
            spoilt: spoil the product; one of `fault_points.SPOILS`.
        """
        await self._is_open.wait()
        if self._life is not None and not self._life.ended.done():
            raise RuntimeError("the life before has not ended")
        self._started = asyncio.get_running_loop().create_future()
        job = {
            "arguments": arguments,
            "environment": {"LEADGATE_DATA": str(self.data)},
            "log": str(self.log),
            "cold": cold,
            "strike": strike,
            "spoilt": spoilt,
        }
        if self._process.stdin is None:
            raise RuntimeError("the nursery cannot hear")
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        await self._process.stdin.drain()
        return await self._started

    async def command(self, *arguments: str, strike: Mapping[str, object] | None = None) -> tuple[int, Any]:
        """Run a command to its end; its exit code and the JSON document that it printed (None when there is none).

        Raises:
            TimeoutError: it hung, and was killed.
        """
        life = await self.start(*arguments, "--json", strike=strike)
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                code = await asyncio.shield(life.ended)
        except TimeoutError:
            await life.end(signal.SIGKILL)
            raise
        return code, json.loads(life.printed[-1]) if life.printed else None

    async def ask(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON may be anything
        """Run a command that must end with 0; its document."""
        code, document = await self.command(*arguments)
        if code != 0:
            raise RuntimeError(f"{arguments[0]} ended with {code}:\n{self.last_words()}")
        return document

    def last_words(self, lines: int = 30) -> str:
        """The end of the log of all lives."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    async def listen(self) -> None:
        """Sort what comes from the nursery, until it ends."""
        if self._process.stdout is None:
            raise RuntimeError("the nursery cannot speak")
        async for raw in self._process.stdout:
            # A life that was struck in the middle of a line leaves the nursery to go on behind it.
            printed, mark, said = raw.decode(errors="replace").strip().partition(_NURSERY)
            if printed and self._life is not None:
                self._life.printed.append(printed)
                if '"gateway.ready"' in printed:
                    self._life.ready.set()
            if mark:
                self._note(json.loads(mark + said))

    def _note(self, said: Mapping[str, Any]) -> None:
        match said["nursery"]:
            case "ready":
                self._is_open.set()
            case "started":
                self._life = Life(said["pid"])
                if self._started is not None:
                    self._started.set_result(self._life)
            case _ if self._life is not None:
                self._life.ended.set_result(said["status"])


@asynccontextmanager
async def open_lives(data: Path) -> AsyncIterator[Lives]:
    """A nursery for one data directory; it and whatever still lives are killed in the end."""
    command: Sequence[str] = (sys.executable, "-m", "proof.nursery")
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        limit=2**24,
    )
    lives = Lives(process, data)
    listening = asyncio.create_task(lives.listen(), name=f"nursery of {data.name}")
    try:
        yield lives
    finally:
        process.kill()
        await process.wait()
        await listening
