"""The sending half of Telegram: messages, the live check and the registration of our address."""

from __future__ import annotations

import httpx

from leadgate.errors import ConfigurationError
from leadgate.intake.untrusted import identifier_at
from leadgate.integrations.telegram.errors import to_failure
from leadgate.integrations.telegram.messages import send_payloads
from leadgate.integrations.telegram.settings import BOT_TOKEN, WEBHOOK_SECRET, api_base
from leadgate.integrations.telegram.standing import ALLOWED_UPDATES, account_finding, learned_from, webhook_findings
from leadgate.integrations.telegram.wire import BotApi, is_ok
from leadgate.model.connections import CheckReport, Finding, FindingState, OpenConnection
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.ports.clock import Clock
from leadgate.wire.client import Answered, Call
from leadgate.wire.pace import Pace, Rate

MAX_CONNECTIONS = 40
"""How many updates Telegram may bring at the same time (its own default)."""

_BOT_RATE, _CHAT_RATE = Rate(per_second=30, burst=30), Rate(per_second=1, burst=10)
"""About 30 a second overall and 1 a second to a chat, short bursts above it are let pass (channels fact sheet)."""


class TelegramChannel:
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
            raise ConfigurationError("This Telegram connection has no `bot_token`.", hint="Set it anew.")
        self._connection = connection
        self._clock = clock
        self._api = BotApi(api_base(connection), token, transport, own_hosts=connection.own_hosts)
        self._pace = Pace(clock, bot=_BOT_RATE, chat=_CHAT_RATE)

    def can_repeat(self) -> bool:
        """False: Telegram has no idempotency key, so a repeat would show the client the same words twice."""
        return False

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Send one message, in pieces when it is long, after acknowledging the button press it answers.

        When a later piece fails, the whole is an unknown outcome: a repeat would double the first pieces.
        """
        payloads = send_payloads(message)
        if not payloads:
            return Refused("telegram.text_empty")
        held_up = await self._acknowledge(message.callback_id)
        if held_up is not None:
            return held_up
        sent_id: str | None = None
        for number, payload in enumerate(payloads):
            outcome = await self._send_piece(payload)
            if not isinstance(outcome, Delivered):
                return outcome if number == 0 else OutcomeUnknown("telegram.partly_sent")
            sent_id = outcome.external_id
        return Delivered(sent_id)

    async def check(self) -> CheckReport:
        """Is the token alive, and does Telegram post to this connection without errors?"""
        me = await self._api.call("getMe")
        account = account_finding(me)
        if account.state is FindingState.FAIL:
            return CheckReport((account,))
        info = await self._api.call("getWebhookInfo")
        connection_id = self._connection.connection.connection_id
        found = webhook_findings(info, connection_id=connection_id, now=self._clock.now())
        return CheckReport(_gravest_first((account, *found)).findings, learned_from(me))

    async def register(self, webhook_url: str) -> CheckReport:
        """Tell Telegram our address, the newest secret and what we want to hear; what waits there is kept."""
        secret = self._connection.secret(WEBHOOK_SECRET)
        if secret is None:
            finding = Finding(
                "telegram.secret_missing",
                FindingState.FAIL,
                "The connection has no webhook secret.",
                "Set one.",
            )
            return CheckReport((finding,))
        answer = await self._api.call(
            "setWebhook",
            {
                "url": webhook_url,
                "secret_token": secret.reveal(),
                "allowed_updates": ALLOWED_UPDATES,
                "max_connections": MAX_CONNECTIONS,
            },
        )
        return CheckReport((_registration_finding(answer),))

    async def unregister(self) -> None:
        """Take our address away; what waits at Telegram stays there. Failures are ignored."""
        await self._api.call("deleteWebhook", {"drop_pending_updates": False})

    async def close(self) -> None:
        """Close the connections to Telegram."""
        await self._api.close()

    async def _acknowledge(self, callback_id: str | None) -> Outcome | None:
        """Stop the spinner of a button; None when the message may follow. A press too old is no error."""
        if callback_id is None:
            return None
        answer = await self._api.call("answerCallbackQuery", {"callback_query_id": callback_id})
        if is_ok(answer):
            return None
        failure = to_failure(answer)
        return failure if isinstance(failure, RetryLater) else None

    async def _send_piece(self, payload: dict[str, object]) -> Outcome:
        wait = await self._pace.turn(str(payload["chat_id"]))
        if wait is not None:
            return RetryLater("telegram.paced", Scope.ITEM, after=wait)
        answer = await self._api.call("sendMessage", payload)
        if isinstance(answer, Answered) and is_ok(answer):
            return Delivered(identifier_at(answer.body, "result", "message_id"))
        failure = to_failure(answer)
        if isinstance(failure, RetryLater) and failure.after is not None:
            self._pace.hold(failure.after)
        return failure


def _registration_finding(answer: Call) -> Finding:
    if is_ok(answer):
        return Finding("telegram.webhook_set", FindingState.OK, "Telegram posts to this connection.")
    failure = to_failure(answer)
    detail = "" if isinstance(failure, OutcomeUnknown) else failure.detail
    return Finding(
        failure.code,
        FindingState.FAIL,
        f"Telegram did not take the address. {detail}".strip(),
        "The address must be public, https, on port 443, 80, 88 or 8443; check the token and the network.",
    )


def _gravest_first(findings: tuple[Finding, ...]) -> CheckReport:
    order = (FindingState.FAIL, FindingState.WARN, FindingState.OK)
    return CheckReport(tuple(sorted(findings, key=lambda finding: order.index(finding.state))))
