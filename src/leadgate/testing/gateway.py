"""The product as its users run it: commands and `leadgate run` as processes of their own, with a data directory of their own.

Nothing here looks inside: what is known of the process is its exit codes, its output and what it answers over HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

COMMAND = (sys.executable, "-m", "leadgate")
READY = "gateway.ready"
COMMAND_TIMEOUT_S = 60.0
START_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401 - JSON may be anything
        """The one JSON document that it printed; fails when there is anything else on standard output."""
        if self.code != 0 and not self.out:
            raise AssertionError(f"exit code {self.code}: {self.err}")
        return json.loads(self.out)


@dataclass(slots=True)
class Running:
    """A process that serves, and everything it has printed so far."""

    process: asyncio.subprocess.Process
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _readers: list[asyncio.Task[None]] = field(default_factory=list)

    def listen(self) -> None:
        """Start to collect what it prints."""
        for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            if stream is not None:
                self._readers.append(asyncio.create_task(self._collect(stream, lines)))

    def log(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """Log lines with this event and these fields, oldest first."""
        parsed = [json.loads(line) for line in self.err if line.startswith("{")]
        wanted = {"event": event, **fields}
        return [line for line in parsed if wanted.items() <= line.items()]

    async def line(self, find: Callable[[], Any], *, what: str, timeout_s: float = START_TIMEOUT_S) -> Any:  # noqa: ANN401 - whatever `find` finds
        """Wait until `find` finds something in what was printed.

        Raises:
            AssertionError: the process ended first, or the time is over; shows what it wrote.
        """
        try:
            async with asyncio.timeout(timeout_s), self._news:
                while not (found := find()):
                    if self.has_ended and all(reader.done() for reader in self._readers):
                        break
                    await self._news.wait()
        except TimeoutError:
            found = None
        if not found:
            raise AssertionError(f"{what} did not come; it wrote:\n{''.join(self.err[-40:])}")
        return found

    @property
    def has_ended(self) -> bool:
        """True after its end."""
        return self.process.returncode is not None

    async def end(self, number: signal.Signals, *, timeout_s: float = 30.0) -> int:
        """Send a signal, wait for the end and return the exit code; harmless when it ended already."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        async with asyncio.timeout(timeout_s):
            code = await self.process.wait()
        await asyncio.gather(*self._readers)
        return code

    async def _collect(self, stream: asyncio.StreamReader, lines: list[str]) -> None:
        while True:
            line = await stream.readline()
            async with self._news:
                if line:
                    lines.append(line.decode(errors="replace"))
                self._news.notify_all()
            if not line:
                await self.process.wait()
                async with self._news:
                    self._news.notify_all()
                return


class Gateway:
    """One data directory and the processes that work on it; use as `async with Gateway(folder) as gateway`.

    Attributes:
        data: the data directory; `init` makes it.
        environment: `LEADGATE_…` settings for every process.
        runner: how the product is called; another one serves to prove that a test can fail.
        output: everything that every process printed, for hunts.
    """

    def __init__(
        self, data: Path, *, environment: Mapping[str, str] | None = None, runner: Sequence[str] = COMMAND
    ) -> None:
        """Nothing runs yet."""
        self.data = data
        self.environment = {"LEADGATE_DATA": str(data), **(environment or {})}
        self.runner = tuple(runner)
        self.output: list[str] = []
        self.url = ""
        self.running: Running | None = None
        self._others: list[Running] = []

    async def __aenter__(self) -> Self:
        """Nothing to open."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill what still runs."""
        for running in [*self._others, *([self.running] if self.running else [])]:
            if not running.has_ended:
                await running.end(signal.SIGKILL)

    async def command(self, *arguments: str, secrets: Mapping[str, str] | None = None, stdin: str = "") -> Finished:
        """Run one command to its end; `secrets` go to its standard input as JSON."""
        options: tuple[str, ...] = ()
        if secrets is not None:
            options, stdin = ("--secrets-file", "-"), json.dumps(secrets)
        process = await self._spawn((*COMMAND, *arguments, *options), stdin=asyncio.subprocess.PIPE)
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                out, err = await process.communicate(stdin.encode())
        except TimeoutError:
            process.kill()
            raise
        finished = Finished(process.returncode or 0, out.decode(), err.decode())
        self.output += [finished.out, finished.err]
        return finished

    async def ask(self, *arguments: str, secrets: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Run one command with `--json` and return its document; it must end with 0."""
        finished = await self.command(*arguments, "--json", secrets=secrets)
        if finished.code != 0:
            raise AssertionError(f"{' '.join(arguments)}: exit code {finished.code}: {finished.err}")
        return finished.json()

    async def connect(
        self, kind: str, name: str, *, secrets: Mapping[str, str] | None = None, check: bool = True, **settings: str
    ) -> Any:  # noqa: ANN401 - JSON
        """`leadgate connect`; returns its document."""
        pairs = [part for key, value in settings.items() for part in ("--setting", f"{key}={value}")]
        options = () if check else ("--no-check",)
        return await self.ask("connect", kind, "--name", name, *pairs, *options, secrets=secrets)

    async def start(self, *options: str, listen: str = "127.0.0.1:0") -> Running:
        """`leadgate run`, ready to accept requests; `url` is where."""
        self.running = await self.launch("run", "--listen", listen, "--json", *options)
        ready = await self.running.line(lambda: self.running and self.running.log(READY), what=READY)
        self.url = f"http://{ready[0]['listen']}"
        return self.running

    async def launch(self, *arguments: str) -> Running:
        """Start a command that stays, beside those that run already."""
        process = await self._spawn((*self.runner, *arguments), stdin=asyncio.subprocess.DEVNULL)
        running = Running(process)
        self._others.append(running)
        running.listen()
        return running

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> int:
        """SIGKILL, in the middle of whatever it does."""
        return await self._end(signal.SIGKILL)

    def printed(self) -> str:
        """Everything that all processes printed so far."""
        return "".join([*self.output, *(line for running in self._others for line in (*running.out, *running.err))])

    async def _end(self, number: signal.Signals) -> int:
        if self.running is None:
            raise AssertionError("nothing runs")
        return await self.running.end(number)

    async def _spawn(self, arguments: Sequence[str], *, stdin: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *arguments,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
            limit=2**22,
        )
