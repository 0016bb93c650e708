"""Verified webhook in, committed event out: the way from the door to the disk. Work comes later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook
from leadgate.ports.channel import WebhookReceiver
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.stores import INBOX_PARTS, NewEvent, Storage
from leadgate.vault.envelope import INTAKE, Vault

MAX_BODY_BYTES = 1024 * 1024
"""Largest webhook that is taken (contract, section 2)."""

CROWD = 8
"""So many senders at once are a flood; a salon's busy hour has one or two."""


class Intake:
    """Keeps genuine webhooks."""

    def __init__(
        self,
        storage: Storage,
        vault: Vault,
        *,
        workspace_id: str,
        clock: Clock,
        ids: IdSource,
        on_event: Callable[[], None],
    ) -> None:
        """Call `on_event` after each new event is on disk."""
        self._storage = storage
        self._vault = vault
        self._workspace_id = workspace_id
        self._clock = clock
        self._ids = ids
        self._on_event = on_event
        self._under_way = 0

    @property
    def is_crowded(self) -> bool:
        """True while so many senders wait for the disk at once that work on earlier events should step back."""
        return self._under_way >= CROWD

    def receive(
        self, receiver: WebhookReceiver, request: RawWebhook, opened: OpenConnection
    ) -> asyncio.Future[Receipt]:
        """Verify, seal and keep one webhook; done after it is on disk. A redelivery changes nothing.

        Raises:
            WebhookRejectedError: not genuine or malformed; nothing is kept.
            OverloadedError: too much is waiting; nothing is kept. Also raised by the future: could not commit.
        """
        webhook = receiver.verify(request, opened, now=self._clock.now())
        connection_id = opened.connection.connection_id
        if webhook.split:
            parts = [self._keep(part, connection_id) for part in webhook.split]
            return asyncio.ensure_future(_all_kept(parts))
        return self._keep(webhook, connection_id)

    def _keep(self, webhook: VerifiedWebhook, connection_id: str) -> asyncio.Future[Receipt]:
        kept = self._storage.receive(self._seal(webhook, connection_id))
        self._under_way += 1
        kept.add_done_callback(self._note_kept)
        return kept

    def _note_kept(self, kept: asyncio.Future[Receipt]) -> None:
        self._under_way -= 1
        if not kept.cancelled() and kept.exception() is None and not kept.result().duplicate:
            self._on_event()

    def _seal(self, webhook: VerifiedWebhook, connection_id: str) -> NewEvent:
        event_id = self._ids.new("evt")
        natural_key = self._vault.index(self._workspace_id, f"event:{connection_id}", webhook.natural_key)
        # Any part will do for events without an order to keep; their own key spreads them.
        order = natural_key
        if webhook.conversation_key is not None:
            order = self._vault.index(self._workspace_id, f"order:{connection_id}", webhook.conversation_key)
        return NewEvent(
            event_id=event_id,
            connection_id=connection_id,
            natural_key=natural_key,
            part=order[0] % INBOX_PARTS,
            received_at=self._clock.now(),
            key_scope=INTAKE,
            sealed_body=self._vault.seal_arrival(self._workspace_id, f"events.body:{event_id}", webhook.body),
        )


async def _all_kept(parts: Sequence[asyncio.Future[Receipt]]) -> Receipt:
    """The receipt of a batch: the first event's, a duplicate only when all of it was known.

    When a part could not be kept the vendor sends the whole again; the parts that were kept are known by then.
    """
    receipts = await asyncio.gather(*parts, return_exceptions=True)
    for receipt in receipts:
        if isinstance(receipt, BaseException):
            raise receipt
    kept = [receipt for receipt in receipts if isinstance(receipt, Receipt)]
    return Receipt(event_id=kept[0].event_id, duplicate=all(receipt.duplicate for receipt in kept))
