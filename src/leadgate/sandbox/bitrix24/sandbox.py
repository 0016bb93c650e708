"""Putting the sandbox together: one portal, its gateway, its faults, its application."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from leadgate.sandbox.bitrix24.app import SandboxApp
from leadgate.sandbox.bitrix24.clock import SandboxClock, SystemClock
from leadgate.sandbox.bitrix24.control import Control
from leadgate.sandbox.bitrix24.faults import Faults
from leadgate.sandbox.bitrix24.gateway import Gateway
from leadgate.sandbox.bitrix24.limits import Limits, Meter
from leadgate.sandbox.bitrix24.portal import Caller, Portal, User
from leadgate.sandbox.bitrix24.rest import RestEndpoint


class LateWork:
    """Work that happens after its request is gone: the late commits."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def schedule(self, delay_s: float, work: Callable[[], object]) -> None:
        """Runs `work` after `delay_s` of the sandbox's clock."""
        task = asyncio.create_task(self._run(delay_s, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Returns when all work scheduled so far is done."""
        await asyncio.gather(*self._tasks)

    async def drop(self) -> None:
        """Gives up what is not done yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, delay_s: float, work: Callable[[], object]) -> None:
        await self._clock.sleep(delay_s)
        work()


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running double of one portal.

    Attributes:
        app: the ASGI application.
        portal: the state; read it and change it freely.
        faults: what goes wrong on demand.
        meter: how much of its limits was used.
        webhook_user_id: the employee on whose behalf the webhook acts.
        webhook_secret: the secret of the webhook; invented, but kept out of logs like a real one.
    """

    app: SandboxApp
    portal: Portal
    faults: Faults
    meter: Meter
    webhook_user_id: int
    webhook_secret: str = field(repr=False)
    late_work: LateWork

    def webhook_url(self, base_url: str) -> str:
        """The webhook's address below `base_url`, with a slash at the end, as Bitrix24 shows it."""
        return f"{base_url.rstrip('/')}/rest/{self.webhook_user_id}/{self.webhook_secret}/"

    async def settle(self) -> None:
        """Returns when every late commit scheduled so far has happened."""
        await self.late_work.settle()

    async def aclose(self) -> None:
        """Drops late commits that have not happened; harmless when called again."""
        await self.late_work.drop()


def build_sandbox(
    *,
    webhook_user_id: int = 1,
    webhook_secret: str | None = None,
    limits: Limits | None = None,
    clock: SandboxClock | None = None,
) -> Sandbox:
    """Makes a fresh, empty portal with one webhook.

    `webhook_secret` None makes a random one, `limits` None are a real portal's, `clock` None is real time.
    """
    clock = clock or SystemClock()
    secret = webhook_secret or secrets.token_hex(8)
    caller = Caller(user_id=webhook_user_id, key="webhook")
    portal = Portal(webhooks={(webhook_user_id, secret): caller}, users={webhook_user_id: User()})
    faults, late_work = Faults(), LateWork(clock)
    gateway = Gateway(portal, limits or Limits(), clock)
    rest = RestEndpoint(gateway, faults, clock=clock, later=late_work.schedule)
    app = SandboxApp(portal, faults, rest, control=Control(portal, faults, clock), clock=clock)
    return Sandbox(app, portal, faults, gateway.meter, webhook_user_id, secret, late_work)
