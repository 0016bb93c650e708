"""Keys of a connection to Meta as WhatsApp and Instagram share them: names, mistakes, how they are read. Pure."""

from __future__ import annotations

import re

from leadgate.model.connections import OpenConnection

ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a key, not a secret
APP_SECRET = "app_secret"  # noqa: S105 - the name of a key, not a secret
VERIFY_TOKEN = "verify_token"  # noqa: S105 - the name of a key, not a secret
API_BASE = "api_base"
DEFAULT_BASE = "https://graph.facebook.com"

_ID = re.compile(r"[0-9]{5,25}", re.ASCII)
_SHORTEST_SECRET = 8


def names_of(setting: str) -> tuple[str, ...]:
    """The entries of a setting with commas between them."""
    return tuple(entry for entry in (part.strip() for part in setting.split(",")) if entry)


def ids_problem(value: str) -> str | None:
    """What is wrong with a list of ids, or None."""
    is_good = all(_ID.fullmatch(entry) for entry in names_of(value))
    return None if is_good else "must be ids of digits as Meta shows them, with commas between them"


def secret_problem(value: str) -> str | None:
    """What is wrong with a secret or a token, or None."""
    if len(value) < _SHORTEST_SECRET or not value.isascii() or not value.isprintable() or " " in value:
        return "must be at least 8 visible characters without spaces"
    return None


def api_base(connection: OpenConnection) -> str:
    """Base address of the Graph API."""
    return connection.settings.get(API_BASE) or DEFAULT_BASE
