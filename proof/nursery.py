"""A process that has the product imported and forks one life of it after the other: `python -m proof.nursery`.

A start of the interpreter and its imports cost a second, of which a thousand kills would make a quarter of an hour. A forked
life has a process id, memory, sockets and database connections of its own and runs the command `leadgate …` from its first
line; what it spares is reading the modules from disk. A job that asks for `cold` is a new interpreter (`exec`), as a service
manager would start it.

One line of JSON on standard input is one job. Standard output carries what the lives print, and a line for each start and end.
This file runs in the child; `proof.lives` is the other end.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import signal
import sys
import threading
from typing import Any

PRELOADED = (
    "leadgate.app",
    "leadgate.cli.connect",
    "leadgate.cli.init",
    "leadgate.cli.main",
    "leadgate.cli.reconcile",
    "leadgate.cli.run",
    "leadgate.testing.fault_points",
    "leadgate.web.asgi",
    "leadgate.web.server",
    "sqlalchemy.dialects.sqlite",
    "uvicorn.loops.uvloop",
)
_DIE_WITH_PARENT = 1


def main() -> None:
    """Work on jobs until standard input ends."""
    _die_with_parent()
    for module in PRELOADED:
        importlib.import_module(module)
    if threading.active_count() != 1:
        raise RuntimeError("a module started a thread while it was imported: its fork would be half a process")
    _say(nursery="ready")
    for line in sys.stdin:
        job = json.loads(line)
        process_id = os.fork()
        if process_id == 0:
            _live(job)
        _say(nursery="started", pid=process_id)
        _, status = os.waitpid(process_id, 0)
        _say(nursery="ended", pid=process_id, status=os.waitstatus_to_exitcode(status))


def _live(job: dict[str, Any]) -> None:
    """Become the process that the job asks for; never returns."""
    _die_with_parent()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
    os.environ.update(job["environment"])
    if job["cold"]:
        command = [sys.executable, "-m", "leadgate", *job["arguments"]]
        os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted
    from leadgate.cli import main as run_command  # noqa: PLC0415 - imported long ago; named where it is used
    from leadgate.testing.fault_points import install, spoil  # noqa: PLC0415 - as above

    code: object = 1
    try:
        if job["strike"] is not None:
            install(**job["strike"])
        if job["spoilt"] is not None:
            spoil(job["spoilt"])
        run_command(job["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException as error:  # noqa: BLE001 - as the interpreter ends
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _say(**fields: object) -> None:
    print(json.dumps(fields), flush=True)


def _die_with_parent() -> None:
    """A campaign that is broken off leaves nothing behind."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


if __name__ == "__main__":
    main()
