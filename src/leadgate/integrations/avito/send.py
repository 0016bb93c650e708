"""The sending half of Avito: texts, the live check and the registration of our address."""

from __future__ import annotations

from urllib.parse import quote

import httpx

from leadgate.intake.untrusted import clean_text, text_at
from leadgate.integrations.avito import standing
from leadgate.integrations.avito.api import AvitoApi
from leadgate.integrations.avito.errors import to_failure
from leadgate.integrations.avito.settings import WEBHOOK_SECRET, find_account_id
from leadgate.model.connections import CheckReport, FindingState, OpenConnection
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.ports.clock import Clock
from leadgate.wire.client import Answered, Call
from leadgate.wire.pace import Pace, Rate
from leadgate.wire.pieces import split_text, with_choices

PIECE_LIMIT = 1000
"""Longest text of one message (the schema of the API says so)."""

MESSAGE_LIMIT = 10_000
_RATE = Rate(per_second=5, burst=5)
"""Avito publishes no limit: gently."""


class AvitoChannel:
    """One account; see `leadgate.ports.channel.Channel`."""

    def __init__(
        self, connection: OpenConnection, *, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Take the connection; `transport` replaces the wire in tests.

        Raises:
            ConfigurationError: the connection lacks a key.
        """
        self._connection = connection
        self._api = AvitoApi(connection, clock=clock, transport=transport)
        self._pace = Pace(clock, bot=_RATE)

    def can_repeat(self) -> bool:
        """False: Avito has no idempotency key, so a repeat would show the client the same words twice."""
        return False

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Send one message, in pieces when it is long; there are no buttons, so choices stand in the text.

        When a later piece fails, the whole is an unknown outcome: a repeat would double the first pieces.
        """
        text = clean_text(with_choices(message.text, message.buttons), limit=MESSAGE_LIMIT)
        pieces = split_text(text, limit=PIECE_LIMIT)
        if not pieces:
            return Refused("avito.text_empty")
        account = await self._api.account_id()
        if isinstance(account, RetryLater):
            return account
        if find_account_id(self._connection) not in {None, account}:
            return RetryLater("avito.other_account", Scope.TARGET, needs_person=True)
        path = f"/messenger/v1/accounts/{account}/chats/{quote(message.chat_id, safe='')}/messages"
        sent_id: str | None = None
        for number, piece in enumerate(pieces):
            outcome = await self._send_piece(path, message.chat_id, piece)
            if not isinstance(outcome, Delivered):
                return outcome if number == 0 else OutcomeUnknown("avito.partly_sent")
            sent_id = outcome.external_id
        return Delivered(sent_id)

    async def check(self) -> CheckReport:
        """Are the keys good and of the right account, and does Avito post to this connection under the newest secret?"""
        me = await self._api.call("GET", "/core/v1/accounts/self")
        account = standing.account_finding(me, expected=find_account_id(self._connection))
        if account.state is FindingState.FAIL:
            return CheckReport((account,))
        webhook = standing.webhook_finding(await self._subscriptions(), self._connection)
        findings = (account, webhook) if webhook.state is FindingState.OK else (webhook, account)
        return CheckReport(findings)

    async def register(self, webhook_url: str) -> CheckReport:
        """Subscribe our address with the newest secret, then take away those of ours with an older one; others stay."""
        secret = self._connection.secret(WEBHOOK_SECRET)
        if secret is None:
            return CheckReport((standing.SECRET_MISSING,))
        address = standing.secret_address(webhook_url, secret)
        known = standing.our_addresses(await self._subscriptions(), self._connection)
        if address not in known:
            answer = await self._api.call("POST", "/messenger/v3/webhook", {"url": address})
            if not (isinstance(answer, Answered) and answer.is_success):
                return CheckReport((standing.not_registered(answer),))
        for old in known - {address}:
            await self._unsubscribe(old)
        return CheckReport((standing.WEBHOOK_SET,))

    async def unregister(self) -> None:
        """Take our addresses away; failures are ignored."""
        for address in standing.our_addresses(await self._subscriptions(), self._connection):
            await self._unsubscribe(address)

    async def close(self) -> None:
        """Close the connections to Avito."""
        await self._api.close()

    async def _subscriptions(self) -> Call:
        return await self._api.call("POST", "/messenger/v1/subscriptions", {})

    async def _unsubscribe(self, address: str) -> None:
        await self._api.call("POST", "/messenger/v1/webhook/unsubscribe", {"url": address})

    async def _send_piece(self, path: str, chat_id: str, text: str) -> Outcome:
        wait = await self._pace.turn(chat_id)
        if wait is not None:
            return RetryLater("avito.paced", Scope.ITEM, after=wait)
        answer = await self._api.call("POST", path, {"type": "text", "message": {"text": text}})
        if isinstance(answer, Answered) and answer.is_success:
            return Delivered(text_at(answer.body, "id"))
        failure = to_failure(answer)
        if isinstance(failure, RetryLater) and failure.after is not None:
            self._pace.hold(failure.after)
        return failure
