"""The load: requests made beforehand, sent over raw sockets with keep-alive, one answer awaited at a time per connection.

The generator must cost less than the server, so an answer is not parsed beyond its status and its length.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

CONNECTIONS = 32
_LENGTH = b"content-length: "


@dataclass(slots=True)
class Round:
    """What one round of load saw."""

    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies_s) / self.seconds if self.seconds else 0.0

    def quantile_ms(self, share: float) -> float:
        """The latency, in milliseconds, that this share of the answers did not exceed."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class _Line(asyncio.Protocol):
    """One connection; `send` resolves to the status of the answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._buffer.find(_LENGTH, 0, end + 2) + len(_LENGTH)
        length = int(self._buffer[at : self._buffer.find(b"\r", at)])
        if len(self._buffer) >= end + 4 + length and self._answer is not None:
            status, self._buffer = int(self._buffer[9:12]), b""
            self._answer.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("the server hung up"))

    async def send(self, request: bytes) -> int:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def _open(address: str) -> list[_Line]:
    host, _, port = address.rpartition(":")
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(_Line, host, int(port)))[1] for _ in range(CONNECTIONS)]


async def press(address: str, requests: Sequence[bytes]) -> Round:
    """Send every request as fast as the answers come: each connection sends its next one after the answer to the last."""
    lines, result, rest = await _open(address), Round(), iter(requests)
    started = time.perf_counter()
    await asyncio.gather(*(_press(line, rest, result) for line in lines))
    result.seconds = time.perf_counter() - started
    _close(lines)
    return result


async def _press(line: _Line, rest: Iterator[bytes], result: Round) -> None:
    for request in rest:
        sent = time.perf_counter()
        _note(result, await line.send(request), time.perf_counter() - sent)


async def pace(address: str, requests: Sequence[bytes], *, per_second: float) -> Round:
    """Send at fixed moments, whatever the answers do; latency counts from the moment a request was due."""
    lines, result = await _open(address), Round()
    free: asyncio.Queue[_Line] = asyncio.Queue()
    for line in lines:
        free.put_nowait(line)
    started = time.perf_counter()
    tasks = []
    for number, request in enumerate(requests):
        due = started + number / per_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(_send_due(free, request, due, result)))
    await asyncio.gather(*tasks)
    result.seconds = time.perf_counter() - started
    _close(lines)
    return result


def _close(lines: list[_Line]) -> None:
    for line in lines:
        line.close()


async def _send_due(free: asyncio.Queue[_Line], request: bytes, due: float, result: Round) -> None:
    line = await free.get()
    _note(result, await line.send(request), time.perf_counter() - due)
    free.put_nowait(line)


def _note(result: Round, status: int, latency_s: float) -> None:
    if status < 300:
        result.latencies_s.append(latency_s)
    else:
        result.refused += 1


def together(rounds: Sequence[Round]) -> Round:
    """Several rounds as one."""
    whole = Round()
    for part in rounds:
        whole.seconds += part.seconds
        whole.latencies_s += part.latencies_s
        whole.refused += part.refused
    return whole
