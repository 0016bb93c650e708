"""One service that keeps keys, over HTTP from any thread: short time-outs, bounded answers, and one error when it cannot be asked.

Calls come from within units of work on the database, so they wait for moments only; who decides what to do meanwhile is
`vault.custodians`.
"""

from __future__ import annotations

import json
import ssl
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from leadgate.errors import ConfigurationError, CustodianUnavailableError

CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 4.0
ANSWER_LIMIT_BYTES = 64 * 1024
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_BUSY = 429
_FAULT = 500


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """What the service said; `body` is the JSON object, empty when there was none."""

    status: int
    body: Mapping[str, object] = field(repr=False)

    @property
    def is_success(self) -> bool:
        """The status is one of 200 to 299."""
        return httpx.codes.is_success(self.status)


class KeyService:
    """Never logs and never repeats an address, a token or a body."""

    def __init__(self, base: str, *, ca_file: Path | None = None) -> None:
        """Open nothing yet.

        Args:
            base: address without a slash at the end; https, or http on this machine.
            ca_file: certificates to believe, where the usual authorities do not do.

        Raises:
            ConfigurationError: the address is none, or plain http to another machine, or the certificates cannot be read.
        """
        _check_address(base)
        try:
            trust = True if ca_file is None else ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError):
            raise ConfigurationError("The certificates of ca_file cannot be read.", code="custodian.ca_file") from None
        self._client = httpx.Client(
            base_url=base,
            verify=trust,
            trust_env=False,
            timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        )
        weakref.finalize(self, self._client.close)  # whoever drops a custodian need not know that it has connections

    def ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None
    ) -> KeyAnswer:
        """Call one method; `path` begins with a slash.

        Raises:
            CustodianUnavailableError: not reached, too slow, busy, or it failed itself (429 and 5xx).
        """
        content = b"" if body is None else json.dumps(body).encode()
        wire_headers = {"content-type": "application/json", **(headers or {})}
        try:
            with self._client.stream(method, path, content=content, headers=wire_headers) as answer:
                read = _read(answer)
                status = answer.status_code
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL):
            raise away() from None
        if status == _BUSY or status >= _FAULT:
            raise away()
        return KeyAnswer(status, read)


def away() -> CustodianUnavailableError:
    """The one sentence about a custodian that cannot be asked."""
    return CustodianUnavailableError(
        "The custodian of the key encryption key does not answer.",
        hint="See that it runs and can be reached from here; nothing is lost meanwhile.",
    )


def refused() -> CustodianUnavailableError:
    """The one sentence about a custodian that does not know us any more."""
    return CustodianUnavailableError(
        "The custodian of the key encryption key does not let us in.",
        code="custodian.refused",
        hint="Its token or role has ended or may not use the key: see docs/howto/key-custodians.md.",
    )


def _read(answer: httpx.Response) -> Mapping[str, object]:
    content = b""
    for piece in answer.iter_bytes():
        content += piece
        if len(content) > ANSWER_LIMIT_BYTES:
            raise away()
    try:
        found = json.loads(content) if content else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _check_address(base: str) -> None:
    try:
        parts = urlsplit(base)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_safe or not parts.hostname or parts.username or parts.query:
        raise ConfigurationError(
            "The custodian's address must begin with https:// (http:// only on this machine).", code="custodian.address"
        )
