"""`leadgate sandbox …`."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import NO_OPTIONS, Common, run_async
from leadgate.cli.output import print_json, print_lines
from leadgate.errors import ConfigurationError
from leadgate.settings import Address, parse_listen

if TYPE_CHECKING:
    from leadgate.sandbox.bitrix24 import FaultName, FaultPlan, Sandbox


def bitrix24(
    *,
    listen: Annotated[str, Parameter(help="HOST:PORT; port 0 lets the system choose.")] = "127.0.0.1:8081",
    fault: Annotated[
        list[str] | None, Parameter(help="What goes wrong, for instance drop-answer:count=1.", negative=())
    ] = None,
    state: Annotated[
        Path | None, Parameter(help="File that keeps the portal between starts; without it all is forgotten.")
    ] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Serve the Bitrix24 double alone until Ctrl-C: a portal that answers like the real one, and fails on demand.

    Example: leadgate sandbox bitrix24 --listen 127.0.0.1:8081 --fault slow:delay_s=2
    """
    from leadgate.sandbox.bitrix24 import UnknownFaultError, parse_fault

    address = parse_listen(listen)
    try:
        faults = [parse_fault(text) for text in fault or []]
    except (UnknownFaultError, ValueError) as error:
        raise ConfigurationError(f"--fault: {error}", hint="See docs/howto/sandbox.md for the names.") from None
    run_async(_run(address, faults, state=state, common=common))
    return 0


async def _run(
    address: Address, faults: list[tuple[FaultName, FaultPlan]], *, state: Path | None, common: Common
) -> None:
    from leadgate.observability import configure_logs
    from leadgate.sandbox.bitrix24 import build_sandbox, open_kept_sandbox

    configure_logs()
    opened = open_kept_sandbox(state) if state else nullcontext(build_sandbox())
    async with opened as sandbox:
        for name, plan in faults:
            sandbox.faults.plan(name, plan)
        await _serve(sandbox, address, is_kept=state is not None, common=common)


async def _serve(sandbox: Sandbox, address: Address, *, is_kept: bool, common: Common) -> None:
    from leadgate.sandbox.bitrix24 import serve
    from leadgate.web.server import stop_on_signals

    stop = asyncio.Event()
    stop_on_signals(stop)
    try:
        async with serve(sandbox, address.host, address.port) as base_url:
            webhook_url = sandbox.webhook_url(base_url)
            if common.json:
                print_json({"sandbox": base_url, "webhook_url": webhook_url})
            else:
                end = "Ctrl-C ends it." if is_kept else "Ctrl-C ends it; it forgets everything."
                print_lines(f"Leads:   {base_url}/", f"Webhook: {webhook_url}", end)
            await stop.wait()
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on {address}: {error.strerror}.", hint="Choose another --listen."
        ) from None
