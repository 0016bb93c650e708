"""Calls of Avito's API with a token that is fetched when it is needed and renewed before its end (it lives 24 hours)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from leadgate.errors import ConfigurationError
from leadgate.intake.untrusted import identifier_at, integer_at, text_at
from leadgate.integrations.avito.errors import to_delay, to_token_delay
from leadgate.integrations.avito.settings import CLIENT_ID, CLIENT_SECRET, api_base
from leadgate.model.connections import OpenConnection
from leadgate.model.outcomes import RetryLater
from leadgate.model.secret import Secret
from leadgate.ports.clock import Clock
from leadgate.wire.client import Answered, Call, VendorClient, WireCodes

_EARLY_S = 600
"""So long before its end a token is renewed, but never in the first half of its life."""

_USUAL_LIFE_S = 86_400
_TOKEN_LIMIT = 8192
_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
_CODES = WireCodes(
    unreachable="avito.unreachable",
    answer_lost="avito.answer_lost",
    answer_unreadable="avito.answer_unreadable",
)


@dataclass(frozen=True, slots=True)
class _Token:
    value: Secret
    good_until_s: float


class AvitoApi:
    """One account at the API."""

    def __init__(
        self, connection: OpenConnection, *, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Open nothing yet; `transport` replaces the wire in tests.

        Raises:
            ConfigurationError: the connection lacks a key.
        """
        client_id, client_secret = connection.secret(CLIENT_ID), connection.secret(CLIENT_SECRET)
        if client_id is None or client_secret is None:
            raise ConfigurationError(
                "This Avito connection lacks `client_id` or `client_secret`.", hint="Set them anew."
            )
        self._client_id, self._client_secret = client_id, client_secret
        self._clock = clock
        self._client = VendorClient(_CODES, api_base(connection), transport=transport, own_hosts=connection.own_hosts)
        self._token: _Token | None = None
        self._fetching = asyncio.Lock()
        self._account_id: str | None = None

    async def call(self, method: str, path: str, json: Mapping[str, object] | None = None) -> Call:
        """Call one method; a token that is refused is fetched anew once (401: nothing was carried out)."""
        refused: _Token | None = None
        while True:
            token = await self._good_token(refused)
            if isinstance(token, RetryLater):
                return token
            headers = {"authorization": f"Bearer {token.value.reveal()}"}
            answer = await self._client.call(method, path, json=json, headers=headers)
            is_refused = isinstance(answer, Answered) and answer.status == httpx.codes.UNAUTHORIZED
            if not is_refused or refused is not None:
                return answer
            refused = token

    async def account_id(self) -> str | RetryLater:
        """The number of the account that the keys belong to; asked once."""
        if self._account_id is None:
            answer = await self.call("GET", "/core/v1/accounts/self")
            found = identifier_at(answer.body, "id") if isinstance(answer, Answered) and answer.is_success else None
            if found is None:
                return to_delay(answer)
            self._account_id = found
        return self._account_id

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _good_token(self, refused: _Token | None) -> _Token | RetryLater:
        """The token, fetched by one caller at a time; never the one that was refused."""
        async with self._fetching:
            known = self._token
            if known is not None and known is not refused and self._clock.monotonic_s() < known.good_until_s:
                return known
            fetched = await self._fetch()
            self._token = fetched if isinstance(fetched, _Token) else None
            return fetched

    async def _fetch(self) -> _Token | RetryLater:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id.reveal(),
            "client_secret": self._client_secret.reveal(),
        }
        asked_at_s = self._clock.monotonic_s()
        answer = await self._client.call("POST", "/token", form=form)
        if not isinstance(answer, Answered) or not answer.is_success:
            return to_token_delay(answer)
        value = text_at(answer.body, "access_token", limit=_TOKEN_LIMIT)
        if value is None or not _VISIBLE.fullmatch(value):
            return to_token_delay(answer)
        life_s = max(integer_at(answer.body, "expires_in") or _USUAL_LIFE_S, 1)
        return _Token(Secret(value), asked_at_s + max(life_s - _EARLY_S, life_s / 2))
