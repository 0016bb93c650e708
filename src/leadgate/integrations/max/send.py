"""The sending half of MAX: messages, the live check and the registration of our address."""

from __future__ import annotations

import httpx

from leadgate.errors import ConfigurationError
from leadgate.intake.untrusted import text_at
from leadgate.integrations.max import standing
from leadgate.integrations.max.errors import to_failure
from leadgate.integrations.max.messages import send_bodies
from leadgate.integrations.max.parse import USER_PREFIX
from leadgate.integrations.max.settings import BOT_TOKEN, WEBHOOK_SECRET, api_base
from leadgate.integrations.max.wire import MaxApi, find_trust, is_done
from leadgate.model.connections import CheckReport, FindingState, OpenConnection
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.ports.clock import Clock
from leadgate.wire.client import Answered
from leadgate.wire.pace import Pace, Rate

_BOT_RATE, _CHAT_RATE = Rate(per_second=20, burst=10), Rate(per_second=1, burst=2)
"""MAX takes 30 requests a second in all and 2 into one dialogue (channels fact sheet): no second ever holds more, and the
acknowledgement of a press and its answer go at once."""

_NOTICED = {"notification": "✓"}
"""The acknowledgement of a press: MAX wants a notification or a message in it, and shows the former for a moment."""


class MaxChannel:
    """One bot; see `leadgate.ports.channel.Channel`."""

    def __init__(
        self, connection: OpenConnection, *, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Take the connection; `transport` replaces the wire in tests.

        Raises:
            ConfigurationError: the connection has no bot token.
        """
        token = connection.secret(BOT_TOKEN)
        if token is None:
            raise ConfigurationError("This MAX connection has no `bot_token`.", hint="Set it anew.")
        self._connection = connection
        self._api = MaxApi(
            api_base(connection),
            token,
            trust=find_trust(connection),
            transport=transport,
            own_hosts=connection.own_hosts,
        )
        self._pace = Pace(clock, bot=_BOT_RATE, chat=_CHAT_RATE)

    def can_repeat(self) -> bool:
        """False: MAX has no idempotency key, so a repeat would show the client the same words twice."""
        return False

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Send one message, in pieces when it is long, after acknowledging the button press it answers.

        When a later piece fails, the whole is an unknown outcome: a repeat would double the first pieces.
        """
        bodies = send_bodies(message)
        if not bodies:
            return Refused("max.text_empty")
        held_up = await self._acknowledge(message)
        if held_up is not None:
            return held_up
        sent_id: str | None = None
        for number, body in enumerate(bodies):
            outcome = await self._send_piece(message.chat_id, body)
            if not isinstance(outcome, Delivered):
                return outcome if number == 0 else OutcomeUnknown("max.partly_sent")
            sent_id = outcome.external_id
        return Delivered(sent_id)

    async def check(self) -> CheckReport:
        """Is the token alive, and does MAX post to this connection?"""
        me = await self._api.get("/me")
        account = standing.account_finding(me)
        if account.state is FindingState.FAIL:
            return CheckReport((account,))
        subscriptions = await self._api.get("/subscriptions")
        found = standing.gravest_first(account, *standing.subscription_findings(subscriptions, self._connection))
        return CheckReport(found.findings, standing.learned_from(me))

    async def register(self, webhook_url: str) -> CheckReport:
        """Tell MAX our address, the newest secret and what we want to hear; what waits there is kept."""
        secret = self._connection.secret(WEBHOOK_SECRET)
        if secret is None:
            return CheckReport((standing.SECRET_MISSING,))
        wishes = {"url": webhook_url, "update_types": standing.WANTED_UPDATES, "secret": secret.reveal()}
        return CheckReport((standing.registration_finding(await self._api.post("/subscriptions", wishes)),))

    async def unregister(self) -> None:
        """Take our address away; what waits at MAX stays there. Failures are ignored."""
        subscription = standing.find_subscription(await self._api.get("/subscriptions"), self._connection)
        if subscription is not None:
            await self._api.delete("/subscriptions", {"url": text_at(subscription, "url", limit=2048) or ""})

    async def close(self) -> None:
        """Close the connections to MAX."""
        await self._api.close()

    async def _acknowledge(self, message: OutgoingMessage) -> Outcome | None:
        """Stop the spinner of a button; None when the message may follow. A press too old is no error."""
        if message.callback_id is None:
            return None
        wait = await self._pace.turn(message.chat_id)
        if wait is not None:
            return RetryLater("max.paced", Scope.ITEM, after=wait)
        answer = await self._api.post("/answers", _NOTICED, {"callback_id": message.callback_id})
        if is_done(answer):
            return None
        failure = to_failure(answer)
        return failure if isinstance(failure, RetryLater) else None

    async def _send_piece(self, chat_id: str, body: dict[str, object]) -> Outcome:
        wait = await self._pace.turn(chat_id)
        if wait is not None:
            return RetryLater("max.paced", Scope.ITEM, after=wait)
        answer = await self._api.post("/messages", body, _address(chat_id))
        if isinstance(answer, Answered) and is_done(answer):
            return Delivered(text_at(answer.body, "message", "body", "mid"))
        failure = to_failure(answer)
        if isinstance(failure, RetryLater) and failure.scope is Scope.TARGET and failure.after is not None:
            self._pace.hold(failure.after)
        return failure


def _address(chat_id: str) -> dict[str, str]:
    if chat_id.startswith(USER_PREFIX):
        return {"user_id": chat_id.removeprefix(USER_PREFIX)}
    return {"chat_id": chat_id}
