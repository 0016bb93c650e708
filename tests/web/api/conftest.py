"""A running salon with dead letters of invented people, and a token of each role."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from leadgate.app import open_app
from leadgate.model.deliveries import DeliveryState
from leadgate.model.staff import Role
from leadgate.settings import read_settings
from leadgate.testing.waiting import until
from tests.e2e.conftest import Salon, gateway, http, idle_salon, portal, prepared
from tests.e2e.sender import lead

__all__ = ["gateway", "http", "idle_salon", "portal", "prepared"]

NAME, PHONE, WORDS = "Алсу Гарипова", "+79000000501", "Хочу на маникюр в четверг"
"""What no role may see that may not see it, and no log at all."""


@dataclass(slots=True)
class Api:
    """The API of a running salon, as programs of every role see it.

    Attributes:
        seen: every answer, for hunts.
        usual: how many leads the CRM usually takes.
    """

    salon: Salon
    client: httpx.AsyncClient
    tokens: dict[Role, str] = field(default_factory=dict)
    seen: list[tuple[Role | None, httpx.Response]] = field(default_factory=list)
    usual: int = 0

    async def ask(
        self,
        method: str,
        path: str,
        role: Role | None = Role.OWNER,
        *,
        key: str | None = None,
        **more: Any,  # noqa: ANN401 - what httpx takes
    ) -> httpx.Response:
        """One request; without a token when the role is None."""
        headers = {} if role is None else {"authorization": f"Bearer {self.tokens[role]}"}
        if key is not None:
            headers["idempotency-key"] = key
        headers |= more.pop("headers", {})
        url = f"{self.salon.gateway.url}/api/v1{path}"
        answer = await self.client.request(method, url, headers=headers, **more)
        self.seen.append((role, answer))
        return answer

    async def get(self, path: str, role: Role = Role.OWNER) -> Any:  # noqa: ANN401 - JSON
        """The document; the answer must be 200."""
        answer = await self.ask("GET", path, role)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def dead_letter(self, number: int) -> tuple[str, str]:
        """A lead that the CRM refuses: its event and its dead delivery."""
        store = self.salon.portal.sandbox.portal.leads
        self.usual, store.limit = self.usual or store.limit, 0
        event_id = await self.salon.bot.accept(lead(number))

        async def is_dead() -> str:
            event = await self.get(f"/events/{event_id}")
            dead = [one["id"] for one in event["deliveries"] if one["state"] == "dead"]
            return dead[0] if dead else ""

        return event_id, await until(is_dead, what="a dead letter", timeout_s=30)

    async def cure(self) -> None:
        """The CRM takes leads again."""
        self.salon.portal.sandbox.portal.leads.limit = self.usual

    async def uncertain(self, delivery_id: str) -> None:
        """Make a delivery one whose outcome only a person can clear up."""
        async with open_app(read_settings(data=self.salon.gateway.data)) as app:
            at = app.clock.now()
            outcome: dict[str, Any] = {"error_code": None, "error_detail": None, "external_id": None}
            await app.storage.write(
                lambda tx: tx.deliveries.settle(
                    delivery_id, state=DeliveryState.UNCERTAIN, due_at=None, failures=1, at=at, **outcome
                )
            )

    async def undone_event(self) -> str:
        """An event that came while its connection was paused, which was then removed; returns its id."""
        await self.ask("POST", f"/connections/{self.salon.bot_connection}/pause")
        event_id = await self.salon.bot.accept(lead(599))
        await self.salon.gateway.ask("connections", "remove", self.salon.bot_connection)
        assert (await self.get(f"/events/{event_id}"))["state"] == "failed"
        return event_id


@pytest.fixture
async def api(idle_salon: Salon, http: httpx.AsyncClient) -> Api:
    """The salon is started; its CRM takes leads."""
    made = Api(idle_salon, http)
    async with open_app(read_settings(data=idle_salon.gateway.data)) as app:
        for role in Role:
            _, secret = await app.tokens.create(role=role, days=1, name=role.value)
            made.tokens[role] = secret.reveal()
    await idle_salon.restart()
    return made
