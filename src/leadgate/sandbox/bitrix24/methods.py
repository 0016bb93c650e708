"""The one list of methods, and the scope that each needs. `batch` is not here: it calls the others."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from leadgate.sandbox.bitrix24 import duplicates, items, legacy, system, timeline
from leadgate.sandbox.bitrix24.arguments import find, text
from leadgate.sandbox.bitrix24.call import Call, Handler
from leadgate.sandbox.bitrix24.envelope import Reply


def get_method(call: Call) -> Reply:
    """`method.get`: whether the method exists and whether the caller's scopes reach it."""
    name = text(find(call.params, "name")).lower()
    exists = name in METHODS or name == "batch"
    return Reply({"isExisting": exists, "isAvailable": exists and reaches(call, name)})


def reaches(call: Call, name: str) -> bool:
    """Whether the caller's scopes allow the method; the base methods need none."""
    if name.startswith("crm."):
        return "crm" in system.granted(call)
    if name == "user.current":
        return bool(system.granted(call) & system.MAY_READ_USERS)
    return True


METHODS: Mapping[str, Handler] = MappingProxyType(
    {
        **items.METHODS,
        **legacy.METHODS,
        **duplicates.METHODS,
        **timeline.METHODS,
        **system.METHODS,
        "method.get": get_method,
    }
)
