"""What a foreign page may see of our answers: listed origins, echoed exactly, never a wildcard.

Pure. The webhook route calls this too, because the widget posts its messages there.
"""

from __future__ import annotations

from leadgate.intake.origins import is_listed
from leadgate.model.connections import OpenConnection

PREFLIGHT_AGE_S = 7200  # Chromium caps it there


def cors_headers(origin: str | None, connection: OpenConnection | None) -> dict[str, str]:
    """Headers for any answer to a page: leave to read it when its origin is listed. Never credentials.

    Args:
        origin: the Origin header; None when there is none.
        connection: of the address; None when unknown.
    """
    headers = {"Vary": "Origin"}  # also of a refusal, lest a cache hand it to a listed page
    if origin is not None and connection is not None and is_listed(origin, connection.settings):
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = "Retry-After"
    return headers


def preflight(origin: str | None, connection: OpenConnection | None) -> tuple[int, dict[str, str]]:
    """Status and headers of the answer to OPTIONS, which has no body: 204 for a listed origin, else 403."""
    headers = cors_headers(origin, connection)
    if "Access-Control-Allow-Origin" not in headers:
        return 403, headers
    return 204, headers | {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": str(PREFLIGHT_AGE_S),
    }
