"""Starts the product and kills it in the middle of bringing the schema up to date: `python killed_upgrade.py COUNT COMMAND…`.

The process dies by SIGKILL right after the COUNT-th statement of its migrations; with fewer statements than that it lives.
"""

from __future__ import annotations

import os
import signal
import sys
from contextvars import ContextVar

from alembic import command
from sqlalchemy import event
from sqlalchemy.engine import Engine

from leadgate.cli import main

_left = int(sys.argv[1])
_is_upgrading: ContextVar[bool] = ContextVar("is_upgrading", default=False)
_real = command.upgrade


def _upgrade(*args: object, **named: object) -> None:
    _is_upgrading.set(True)
    _real(*args, **named)  # type: ignore[arg-type]  # passed on
    _is_upgrading.set(False)


@event.listens_for(Engine, "after_cursor_execute")
def _count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
    global _left  # noqa: PLW0603 - one process, one count
    if _is_upgrading.get() and statement.lstrip().upper().startswith(("CREATE", "ALTER", "DROP", "INSERT", "UPDATE")):
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


command.upgrade = _upgrade
main(sys.argv[2:])
