"""The sending half of VK: messages, the live check and the registration of our address."""

from __future__ import annotations

import httpx

from leadgate.errors import ConfigurationError
from leadgate.intake.untrusted import identifier_at
from leadgate.integrations.vk.callback import CallbackServers
from leadgate.integrations.vk.errors import Failure, to_failure
from leadgate.integrations.vk.messages import Piece, to_pieces
from leadgate.integrations.vk.settings import ACCESS_TOKEN, api_base
from leadgate.integrations.vk.wire import VkApi, is_done
from leadgate.model.connections import CheckReport, OpenConnection
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, Refused, RetryLater, Scope
from leadgate.ports.clock import Clock
from leadgate.wire.client import Answered
from leadgate.wire.pace import Pace, Rate

_BOT_RATE = Rate(per_second=15, burst=5)
"""VK takes 20 calls a second with a community key (channels fact sheet): no second ever holds more. It publishes no limit for one
dialogue."""

_KEYBOARD_REFUSALS = frozenset({"vk.keyboard_refused", "vk.bot_features_off"})


class VkChannel:
    """One community; see `leadgate.ports.channel.Channel`."""

    def __init__(
        self, connection: OpenConnection, *, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Take the connection; `transport` replaces the wire in tests.

        Raises:
            ConfigurationError: the connection has no access key.
        """
        token = connection.secret(ACCESS_TOKEN)
        if token is None:
            raise ConfigurationError("This VK connection has no `access_token`.", hint="Set it anew.")
        self._api = VkApi(api_base(connection), token, transport, own_hosts=connection.own_hosts)
        self._servers = CallbackServers(self._api, connection)
        self._pace = Pace(clock, bot=_BOT_RATE)

    def can_repeat(self) -> bool:
        """True: VK drops a second message with the same `random_id`, and ours is made of the id of the message."""
        return True

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Send one message, in pieces when it is long, after acknowledging the button press it answers.

        Each piece has a mark of its own, so the whole may be repeated after any failure.
        """
        pieces = to_pieces(message)
        if not pieces:
            return Refused("vk.text_empty")
        held_up = await self._acknowledge(message)
        if held_up is not None:
            return held_up
        outcome: Outcome = Delivered()
        for piece in pieces:
            outcome = await self._send_piece(piece)
            if not isinstance(outcome, Delivered):
                break
        return outcome

    async def check(self) -> CheckReport:
        """Is the key alive, has it the rights, and does VK post to this connection without errors?"""
        return await self._servers.check()

    async def register(self, webhook_url: str) -> CheckReport:
        """Tell VK our address, the newest secret and what we want to hear; other servers of the community stay."""
        return await self._servers.register(webhook_url)

    async def unregister(self) -> None:
        """Take our address away; other servers of the community stay. Failures are ignored."""
        await self._servers.unregister()

    async def close(self) -> None:
        """Close the connections to VK."""
        await self._api.close()

    async def _acknowledge(self, message: OutgoingMessage) -> Outcome | None:
        """Stop the spinner of a button; None when the message may follow. A press too old is no error."""
        if message.callback_id is None:
            return None
        wait = await self._pace.turn(message.chat_id)
        if wait is not None:
            return RetryLater("vk.paced", Scope.ITEM, after=wait)
        answer = await self._api.call(
            "messages.sendMessageEventAnswer",
            {"event_id": message.callback_id, "user_id": message.chat_id, "peer_id": message.chat_id},
        )
        if is_done(answer):
            return None
        failure = self._noted(to_failure(answer))
        return failure if isinstance(failure, RetryLater) else None

    async def _send_piece(self, piece: Piece) -> Outcome:
        """With its keyboard; where the community has switched that off, with the choices as words."""
        outcome = await self._call_send(piece.chat_id, piece.parameters())
        if isinstance(outcome, Refused) and outcome.code in _KEYBOARD_REFUSALS and piece.titles:
            return await self._call_send(piece.chat_id, piece.parameters(with_keyboard=False))
        return outcome

    async def _call_send(self, chat_id: str, parameters: dict[str, str]) -> Outcome:
        wait = await self._pace.turn(chat_id)
        if wait is not None:
            return RetryLater("vk.paced", Scope.ITEM, after=wait)
        answer = await self._api.call("messages.send", parameters)
        if isinstance(answer, Answered) and is_done(answer):
            return Delivered(identifier_at(answer.body, "response"))
        return self._noted(to_failure(answer))

    def _noted(self, failure: Failure) -> Failure:
        """The failure, after the pace has heard of it when the limit is the community's."""
        if isinstance(failure, RetryLater) and failure.scope is Scope.TARGET and failure.after is not None:
            self._pace.hold(failure.after)
        return failure
