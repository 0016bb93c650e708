"""Serves a house: one uvicorn in the process's own event loop, the workers beside it, an orderly end on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Callable, Generator
from typing import Any

import uvicorn

from leadgate import __version__
from leadgate.app import App
from leadgate.errors import ConfigurationError
from leadgate.observability import get_logger
from leadgate.settings import Address
from leadgate.web.asgi import build_asgi
from leadgate.web.bounds import bounded_protocol
from leadgate.web.door_protocol import door_protocol
from leadgate.web.webhooks import WebhookDoor

ROLES = ("all", "intake", "worker", "web")
_REQUESTS_GRACE_S = 5
_END_GRACE_S = 8.0
_SWITCH_INTERVAL_S = 0.0005
_log = get_logger("gateway")


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to us and says when it accepts requests."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Nothing: `stop_on_signals` takes them."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self._on_ready()


def bind(address: Address) -> socket.socket:
    """Open the listening socket before anything else, so that a taken port is a clear error.

    Raises:
        ConfigurationError: the port is taken, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Cannot listen on {address}: {error.strerror}.",
            code="configuration.listen_taken",
            hint="Choose another address with --listen, for instance 127.0.0.1:0 for any free port.",
        ) from None
    return listener


def address_of(listener: socket.socket) -> Address:
    """Where a bound socket listens."""
    host, port = listener.getsockname()[:2]
    return Address(host, port)


def stop_on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and Ctrl-C set `stop`."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def serve_house(
    app: App, listener: socket.socket, *, role: str, stop: asyncio.Event, on_ready: Callable[[Address], None]
) -> None:
    """Serve until `stop` is set; then stop accepting, finish or hand back what is in hand.

    Args:
        app: an opened house; the caller closes it.
        listener: a bound socket.
        role: `all`, or `intake` and `web` (which take requests) or `worker` (which answers health checks only).
        stop: set by a signal.
        on_ready: called once with the real address when requests are accepted.
    """
    address = address_of(listener)
    # The writer's thread and the event loop share one interpreter lock: a loop that waits five milliseconds (the default) for its
    # turn makes a sender wait as long. Measured with `make bench`: p99 at 50 webhooks a second falls by a third.
    sys.setswitchinterval(_SWITCH_INTERVAL_S)

    def ready() -> None:
        gc.freeze()  # what start-up made stays for good: sweeping through it again and again costs pauses of tens of milliseconds
        _log.info("gateway.ready", listen=str(address), role=role, version=__version__)
        on_ready(address)

    config = uvicorn.Config(
        build_asgi(app, role),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        loop="uvloop",
        http=bounded_protocol() if role == "worker" else door_protocol(WebhookDoor(app)),
        ws="none",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_REQUESTS_GRACE_S,
        proxy_headers=False,
    )
    server = _Server(config, ready)
    tasks = [asyncio.create_task(app.run_upkeep(stop), name="upkeep")]
    if role in ("all", "worker"):
        tasks.append(asyncio.create_task(app.run_workers(stop), name="workers"))
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="server")
    await _until_stopped(stop, [serving, *tasks])
    server.should_exit = True
    app.hang_up_chats()
    # Requests and calls in hand end side by side: their times of grace must not add up.
    _, late = await asyncio.wait([serving, *tasks], timeout=_END_GRACE_S)
    for task in late:
        task.cancel()
    await asyncio.gather(serving, *tasks, return_exceptions=True)
    _log.info("gateway.stopped", listen=str(address), role=role)


async def _until_stopped(stop: asyncio.Event, tasks: list[asyncio.Task[Any]]) -> None:
    """Wait for the signal, or for a part that ended by itself, which is a failure."""
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in tasks:
        if task.done() and not stop.is_set():
            stop.set()
            task.result()
