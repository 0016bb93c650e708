"""Origins of web pages: which page of which site a browser's request comes from.

Pure primitives for everything that a foreign page may call. The list is exact: no wildcard, no "ends with".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

SETTING = "allowed_origins"
"""Name of the setting that holds the list."""

MAX_ORIGINS = 20

# What a browser sends in Origin (RFC 6454): lower case, no path, no user, punycode, never the default port.
_HOST = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])"
_ORIGIN = re.compile(rf"(?:https://{_HOST}(?!:443$)|http://{_HOST}(?!:80$))(?::[1-9][0-9]{{0,4}})?")
_MAX_PORT = 65535
_MAX_ORIGIN_LENGTH = 261


def is_origin(text: str) -> bool:
    """True for an exact origin as browsers send it: `http(s)://host[:port]`, without the default port."""
    if len(text) > _MAX_ORIGIN_LENGTH or not _ORIGIN.fullmatch(text):
        return False
    port = text.rpartition(":")[2]
    return not port.isdigit() or int(port) <= _MAX_PORT


def split_origins(value: str) -> tuple[str, ...]:
    """The origins of a comma list, blanks around them dropped; empty parts are left out."""
    return tuple(part for part in (raw.strip() for raw in value.split(",")) if part)


def origins_problem(value: str) -> str | None:
    """What is wrong with a comma list of origins, in one sentence without the value; None when it is fine."""
    origins = split_origins(value)
    if not origins:
        return "List at least one origin, for instance https://salon.example."
    if len(origins) > MAX_ORIGINS:
        return f"List at most {MAX_ORIGINS} origins."
    bad = [number for number, origin in enumerate(origins, start=1) if not is_origin(origin)]
    if bad:
        return (
            f"Origin number {bad[0]} is not exact: write scheme://host[:port] in lower case, without a path, "
            "a closing slash, a wildcard or the default port; a Cyrillic host in its xn-- form."
        )
    return None


def is_listed(origin: str | None, settings: Mapping[str, str]) -> bool:
    """True when this origin stands in the connection's list. None, `null` and an empty list never do."""
    return origin is not None and is_origin(origin) and origin in split_origins(settings.get(SETTING, ""))
