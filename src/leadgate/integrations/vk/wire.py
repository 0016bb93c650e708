"""Calls of VK's API: the key in a header and never in an address. What an answer means is in `errors.py`."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from leadgate.intake.untrusted import integer_at
from leadgate.model.secret import Secret
from leadgate.wire.client import Answered, Call, VendorClient, WireCodes

API_VERSION = "5.199"

_CODES = WireCodes(
    unreachable="vk.unreachable",
    answer_lost="vk.answer_lost",
    answer_unreadable="vk.answer_unreadable",
)


class VkApi:
    """One community at VK's API."""

    def __init__(
        self,
        base: str,
        token: Secret,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        own_hosts: frozenset[str] = frozenset(),
    ) -> None:
        """Open nothing yet; `transport` replaces the wire in tests, `own_hosts` as in `VendorClient`."""
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        self._client = VendorClient(_CODES, base, headers=headers, transport=transport, own_hosts=own_hosts)

    async def call(self, method: str, parameters: Mapping[str, str]) -> Call:
        """Call one method; see `VendorClient.call`. Texts travel in the body, so that no address carries them."""
        return await self._client.call("POST", f"/method/{method}", form={**parameters, "v": API_VERSION})

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def is_done(answer: Call) -> bool:
    """The method was carried out: VK says so in the body, the status is 200 for errors too."""
    return isinstance(answer, Answered) and answer.is_success and "response" in answer.body


def error_number(answer: Call) -> int | None:
    """VK's number of the error, or None when it named none."""
    return integer_at(answer.body, "error", "error_code") if isinstance(answer, Answered) else None
