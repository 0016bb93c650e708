"""Sends to Hello: one POST for each piece of a message, and every answer becomes an outcome."""

from __future__ import annotations

import httpx

from leadgate.errors import ConfigurationError
from leadgate.intake.untrusted import clean_text, text_at
from leadgate.integrations.hello import standing
from leadgate.integrations.hello.errors import to_failure
from leadgate.model.connections import CheckReport, OpenConnection
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, Refused, RetryLater, Scope
from leadgate.ports.clock import Clock
from leadgate.wire.client import Answered, VendorClient, WireCodes
from leadgate.wire.pace import Pace, Rate
from leadgate.wire.pieces import split_text, with_choices

PIECE_LIMIT = 1000
BUTTONS_LIMIT = 10
_MESSAGE_LIMIT = 10_000
_BOT_RATE, _CHAT_RATE = Rate(per_second=20, burst=20), Rate(per_second=1, burst=10)
_CODES = WireCodes(
    unreachable="hello.unreachable",
    answer_lost="hello.answer_lost",
    answer_unreadable="hello.answer_unreadable",
)


class HelloChannel:
    """The sending half; see `leadgate.ports.channel.Channel`."""

    def __init__(
        self, connection: OpenConnection, *, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Take the connection; `transport` replaces the wire in tests.

        Raises:
            ConfigurationError: the connection has no token.
        """
        token = connection.secret("token")
        if token is None:
            raise ConfigurationError("This Hello connection has no `token`.", hint="Set it anew.")
        self._connection = connection
        base = connection.settings.get("api_base", "https://hello.invalid").rstrip("/")
        headers = {"x-hello-token": token.reveal()}
        self._client = VendorClient(_CODES, base, headers=headers, transport=transport, own_hosts=connection.own_hosts)
        self._pace = Pace(clock, bot=_BOT_RATE, chat=_CHAT_RATE)

    def can_repeat(self) -> bool:
        """True: Hello drops a second message with the same id."""
        return True

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Send one message in as many pieces as it needs.

        Each piece has an id of its own, so the whole may be repeated after any failure. A vendor without such ids needs
        `OutcomeUnknown` when a later piece fails: see Telegram.
        """
        shown, hidden = message.buttons[:BUTTONS_LIMIT], message.buttons[BUTTONS_LIMIT:]
        pieces = split_text(clean_text(with_choices(message.text, hidden), limit=_MESSAGE_LIMIT), limit=PIECE_LIMIT)
        outcome: Outcome = Refused("hello.text_empty")
        for number, piece in enumerate(pieces):
            answers = list(shown) if number == len(pieces) - 1 else []
            body: dict[str, object] = {
                "id": f"{message.message_id}/{number}",
                "to": message.chat_id,
                "text": piece,
                "answers": answers,
            }
            outcome = await self._send_piece(message.chat_id, body)
            if not isinstance(outcome, Delivered):
                break
        return outcome

    async def check(self) -> CheckReport:
        """Is the token alive, and does Hello post to this connection?"""
        connection_id = self._connection.connection.connection_id
        return standing.checked(await self._client.call("GET", "/me"), connection_id=connection_id)

    async def register(self, webhook_url: str) -> CheckReport:
        """Tell Hello our address and the newest secret; what waits there is kept."""
        secret = self._connection.secret("webhook_secret")
        if secret is None:
            return standing.SECRET_MISSING
        body = {"url": webhook_url, "secret": secret.reveal()}
        return standing.registered(await self._client.call("PUT", "/webhook", json=body))

    async def unregister(self) -> None:
        """Take our address away; failures are ignored."""
        await self._client.call("DELETE", "/webhook")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _send_piece(self, chat_id: str, body: dict[str, object]) -> Outcome:
        wait = await self._pace.turn(chat_id)
        if wait is not None:
            return RetryLater("hello.paced", Scope.ITEM, after=wait)
        answer = await self._client.call("POST", "/messages", json=body)
        if isinstance(answer, Answered) and answer.is_success:
            return Delivered(text_at(answer.body, "id"))
        failure = to_failure(answer)
        if isinstance(failure, RetryLater) and failure.after is not None:
            self._pace.hold(failure.after)
        return failure
