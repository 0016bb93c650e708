"""Telegram as data, and how its parts are made."""

from __future__ import annotations

from leadgate.integrations.telegram.receive import TelegramReceiver
from leadgate.integrations.telegram.send import TelegramChannel
from leadgate.integrations.telegram.settings import FIELDS, SOURCE_RANGES, WEBHOOK_SECRET, start_link
from leadgate.model.connections import OpenConnection
from leadgate.model.recipients import DataKind
from leadgate.ports.integration import Flow, Integration, Manifest, Surroundings


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
        flow=Flow(
            hosts=("telegram.org",),
            host_keys=("api_base",),
            goes=(DataKind.CHANNEL_ID, DataKind.ANSWERS),
            comes=(DataKind.NAME, DataKind.PHONE, DataKind.USERNAME, DataKind.CHANNEL_ID, DataKind.WORDS),
        ),
        source_ranges=SOURCE_RANGES,
        message_ids_per_chat=True,
    ),
    receiver=TelegramReceiver(),
    open_channel=_open_channel,
    start_link=start_link,
)
