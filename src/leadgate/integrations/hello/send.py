"""Sends to Hello: one POST for each message, and every answer becomes an outcome."""

from __future__ import annotations

import httpx

from leadgate.model.connections import CheckReport, OpenConnection
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, OutcomeUnknown, Refused, RetryLater, Scope

_FAILURES: dict[int, Outcome] = {
    403: Refused("hello.blocked"),
    429: RetryLater("hello.too_many_requests", Scope.TARGET),
}
"""The vendor's refusals and our outcomes. Any other failure may have been carried out: unknown."""


class HelloChannel:
    """The sending half; see `leadgate.ports.channel.Channel`."""

    def __init__(self, connection: OpenConnection, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Take the connection; `transport` replaces the wire in tests."""
        base = connection.settings.get("api_base", "https://hello.invalid")
        self._client = httpx.AsyncClient(base_url=base, transport=transport, timeout=10.0)

    def can_repeat(self) -> bool:
        """True: Hello drops a second message with the same id."""
        return True

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Send one message."""
        body = {"id": message.message_id, "to": message.chat_id, "text": message.text}
        try:
            # The answer's body is never read: its status says all, and nobody can make us read without end.
            async with self._client.stream("POST", "/messages", json=body) as answer:
                status = answer.status_code
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return RetryLater("hello.unreachable", Scope.TARGET)
        except httpx.HTTPError:
            return OutcomeUnknown("hello.answer_lost")
        return Delivered() if httpx.codes.is_success(status) else _FAILURES.get(status, OutcomeUnknown("hello.error"))

    async def check(self) -> CheckReport:
        """Hello has nothing to ask."""
        return CheckReport(())

    async def register(self, webhook_url: str) -> CheckReport:
        """Hello is told the address by hand."""
        _ = webhook_url
        return CheckReport(())

    async def unregister(self) -> None:
        """Nothing to take away."""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
