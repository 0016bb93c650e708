"""Telegram as data, and how its parts are made."""

from __future__ import annotations

from leadgate.integrations.telegram.receive import TelegramReceiver
from leadgate.integrations.telegram.send import TelegramChannel
from leadgate.integrations.telegram.settings import FIELDS, SOURCE_RANGES, WEBHOOK_SECRET, start_link
from leadgate.model.connections import OpenConnection
from leadgate.ports.integration import Integration, Manifest, Surroundings


def _open_channel(connection: OpenConnection, surroundings: Surroundings) -> TelegramChannel:
    return TelegramChannel(connection, clock=surroundings.clock)


INTEGRATION = Integration(
    manifest=Manifest(
        kind="telegram",
        title="Telegram",
        title_ru="Telegram",
        mark="TG",
        fields=FIELDS,
        webhook_secret=WEBHOOK_SECRET,
        source_id="OTHER",
        public_url_needed=True,
        source_ranges=SOURCE_RANGES,
        message_ids_per_chat=True,
    ),
    receiver=TelegramReceiver(),
    open_channel=_open_channel,
    start_link=start_link,
)
