"""A faithful double of the Bitrix24 REST API: for integrators, for the demo and for tests.

```python
from leadgate.sandbox.bitrix24 import Limits, build_sandbox, serve

sandbox = build_sandbox(webhook_user_id=1, limits=Limits.off())
sandbox.faults.add("drop-answer", count=1, method="crm.item.add")
async with serve(sandbox, "127.0.0.1", 0) as base_url:
    webhook = sandbox.webhook_url(base_url)  # http://127.0.0.1:PORT/rest/1/SECRET/
    ...  # talk to it over HTTP
    assert len(sandbox.portal.leads) == 1
```

`parse_fault("slow:delay_s=2,count=1")` reads a fault from a command line, `sandbox.faults.plan(*…)` switches
it on. State lives in memory and ends with the process, but for `open_kept_sandbox(path)`, which keeps it in a file;
time comes from the clock that is passed in. How it behaves, fault by fault, stands in `docs/howto/sandbox.md`.
"""

from __future__ import annotations

from leadgate.sandbox.bitrix24.clock import SandboxClock, SystemClock
from leadgate.sandbox.bitrix24.faults import (
    Fault,
    FaultName,
    FaultPlan,
    Faults,
    UnknownFaultError,
    parse_fault,
)
from leadgate.sandbox.bitrix24.kept import STATE_FILE, open_kept_sandbox
from leadgate.sandbox.bitrix24.limits import Limits
from leadgate.sandbox.bitrix24.portal import Caller, Portal, User
from leadgate.sandbox.bitrix24.sandbox import Sandbox, build_sandbox
from leadgate.sandbox.bitrix24.server import Certificate, serve

__all__ = [
    "STATE_FILE",
    "Caller",
    "Certificate",
    "Fault",
    "FaultName",
    "FaultPlan",
    "Faults",
    "Limits",
    "Portal",
    "Sandbox",
    "SandboxClock",
    "SystemClock",
    "UnknownFaultError",
    "User",
    "build_sandbox",
    "open_kept_sandbox",
    "parse_fault",
    "serve",
]
