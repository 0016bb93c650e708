"""Who holds leases: a name for this process, and which holders of this machine are dead.

A lease of a killed process runs out by itself after ten seconds. On one machine we need not wait: a process that is gone cannot
come back, so a starting worker frees its lanes at once. Across machines nobody can tell dead from slow, and there the time
decides.
"""

from __future__ import annotations

import os
import socket


def own_holder(token: str) -> str:
    """The name of this process: machine, process id, and a token, because process ids are used again."""
    return f"{_machine()}:{os.getpid()}:{token}"


def is_dead(holder: str, own: str) -> bool:
    """True when the holder was a process of this machine that is gone for certain."""
    if holder == own:
        return False
    machine, _, rest = holder.partition(":")
    pid, _, _ = rest.partition(":")
    if machine != _machine() or not pid.isdecimal():
        return False
    if int(pid) == os.getpid():
        return True  # our own number, given to another process before us
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _machine() -> str:
    return socket.gethostname().replace(":", "-")[:40]
