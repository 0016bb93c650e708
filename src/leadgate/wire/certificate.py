"""The certificate that our public address shows: vendors stop delivering the moment it ends, and none of them tells us before."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from leadgate.model.connections import Finding, FindingState

TIMEOUT_S = 10.0
WARN_BEFORE, FAIL_BEFORE = timedelta(days=21), timedelta(days=7)
"""Caddy and certbot renew a month before the end; three weeks before it something is wrong, a week before it is urgent."""

_HTTPS = 443


async def certificate_finding(public_url: str, *, now: datetime, trust: ssl.SSLContext | None = None) -> Finding | None:
    """What is wrong with the certificate of an https address; None when it is good, or the address cannot be asked from here.

    Args:
        public_url: our address as the world sees it; of plain http nothing is asked.
        now: aware UTC.
        trust: certificates to believe; None the system's.
    """
    parts = urlsplit(public_url)
    if parts.scheme != "https" or parts.hostname is None:
        return None
    context = trust or ssl.create_default_context()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            ends_at = await _read_end(parts.hostname, parts.port or _HTTPS, context)
    except ssl.SSLCertVerificationError:
        return Finding(
            "connection.certificate_wrong",
            FindingState.FAIL,
            "The certificate of our public address is not valid: vendors refuse to deliver to it.",
            "Renew it on the proxy, with the full chain and the right name.",
        )
    except (OSError, TimeoutError, ValueError):
        # Many networks do not let a server reach its own public address; the vendors' own words tell whether it works.
        return None
    if ends_at - now > WARN_BEFORE:
        return None
    state = FindingState.FAIL if ends_at - now <= FAIL_BEFORE else FindingState.WARN
    return Finding(
        "connection.certificate_ending",
        state,
        f"The certificate of our public address ends on {ends_at:%Y-%m-%d} and was not renewed.",
        "Look at the proxy's log: it renews certificates by itself when it can.",
    )


async def _read_end(host: str, port: int, context: ssl.SSLContext) -> datetime:
    _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    try:
        shown = writer.get_extra_info("peercert")
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
