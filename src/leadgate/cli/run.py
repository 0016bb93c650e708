"""`leadgate run`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Annotated

from cyclopts import Parameter

from leadgate.cli.options import NO_OPTIONS, Common, run_async
from leadgate.cli.output import print_json
from leadgate.errors import ConfigurationError
from leadgate.settings import Address, Settings


def run(
    *,
    listen: Annotated[str | None, Parameter(help="HOST:PORT; port 0 lets the system choose.")] = None,
    role: Annotated[str, Parameter(help="all, intake, worker or web.")] = "all",
    common: Common = NO_OPTIONS,
) -> int:
    """Serve in the foreground until SIGTERM or Ctrl-C.

    One log line `gateway.ready` carries the real address once requests are accepted; `init.unfinished` says that nobody may have
    seen the recovery key yet: `leadgate init` shows another one.

    Example: leadgate run --listen 127.0.0.1:8080
    """
    from leadgate.app import is_unfinished
    from leadgate.observability import configure_logs, get_logger
    from leadgate.web.server import ROLES

    if role not in ROLES:
        raise ConfigurationError(f"--role is one of {', '.join(ROLES)}.")
    configure_logs(as_json=True if common.json else None)
    settings = common.settings(listen=listen)
    if is_unfinished(settings.data):
        get_logger("gateway").warning("init.unfinished")
    run_async(_serve(settings, role))
    return 0


async def _serve(settings: Settings, role: str) -> None:
    from leadgate.app import open_app
    from leadgate.web.server import bind, serve_house, stop_on_signals

    stop = asyncio.Event()
    stop_on_signals(stop)
    with bind(settings.listen) as listener:
        async with open_app(settings) as app:
            await serve_house(app, listener, role=role, stop=stop, on_ready=_say_ready)


def _say_ready(address: Address) -> None:
    """A program that started us reads on standard output where we listen, without the log beside it.

    A standard output that takes nothing (a file on a full disk) does not keep leads out.
    """
    if not sys.stdout.isatty():
        with contextlib.suppress(OSError):
            print_json({"event": "gateway.ready", "listen": str(address)})
