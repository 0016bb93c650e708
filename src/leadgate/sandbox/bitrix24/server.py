"""Serving the sandbox on a socket of this machine, inside an asyncio loop that is already running.

uvicorn without signal handlers, access log or Date header. Its HTTP protocol is taught one trick more:
dropping the connection without an answer, which ASGI itself cannot say.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from leadgate.sandbox.bitrix24.exchange import CUT_EXTENSION

if TYPE_CHECKING:
    from uvicorn._types import ASGIApplication

    from leadgate.sandbox.bitrix24.sandbox import Sandbox


_GRACE_S = 0.5


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files of a TLS certificate and its key; some clients, the official SDK among them, speak only https."""

    chain: Path
    key: Path


@asynccontextmanager
async def serve(
    sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0, *, certificate: Certificate | None = None
) -> AsyncIterator[str]:
    """Serves the sandbox while the block runs; gives the base address, without a slash at the end.

    Port 0 takes a free one. Leaving the block ends open requests, drops commits that are still late, and
    closes the socket.

    Raises:
        OSError: the address is taken or not of this machine.
    """
    listener = _listen(host, port)
    server = _Server(_config(sandbox, certificate))
    task = asyncio.create_task(server.serve(sockets=[listener]), name="bitrix24-sandbox")
    try:
        await server.wait_until_ready(task)
        scheme = "https" if certificate else "http"
        shown = f"[{host}]" if ":" in host else host
        yield f"{scheme}://{shown}:{listener.getsockname()[1]}"
    finally:
        await sandbox.aclose()
        server.stop()
        await task
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio only then turns off Nagle's algorithm;
    # else every answer takes 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def _config(sandbox: Sandbox, certificate: Certificate | None) -> uvicorn.Config:
    return uvicorn.Config(
        cast("ASGIApplication", sandbox.app),
        http=_DroppableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )


class _DroppableProtocol(HttpToolsProtocol):
    """Offers the application a way to drop the connection, and never writes an address into a log."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows it so
        super().connection_made(transport)
        self.access_log = False  # the option alone does not hold once the root logger has a handler

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CUT_EXTENSION: {"drop": self.transport.abort}}


class _Server(uvicorn.Server):
    """A server in someone else's loop: no signals, no ticking, one event for ready and one for stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ready = asyncio.Event()
        self._stopping = asyncio.Event()

    async def wait_until_ready(self, task: asyncio.Task[None]) -> None:
        """Returns when requests are accepted; raises what the server's task raised if it ended before."""
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if task.done():
            await task

    def stop(self) -> None:
        """Asks the server to end."""
        self.should_exit = True
        self._stopping.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def main_loop(self) -> None:
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - the caller closes its own socket
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            _, hanging = await asyncio.wait(self.server_state.tasks, timeout=_GRACE_S)
            for request in hanging:
                request.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
