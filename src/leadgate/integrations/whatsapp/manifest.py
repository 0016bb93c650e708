"""WhatsApp as data, and how its parts are made."""

from __future__ import annotations

from leadgate.integrations.whatsapp.receive import WhatsAppReceiver
from leadgate.integrations.whatsapp.send import WhatsAppChannel
from leadgate.integrations.whatsapp.settings import FIELDS, start_link
from leadgate.model.connections import OpenConnection
from leadgate.model.recipients import DataKind
from leadgate.ports.integration import Flow, Integration, Manifest, Surroundings
from leadgate.wire.graph_keys import VERIFY_TOKEN


def _open_channel(connection: OpenConnection, surroundings: Surroundings) -> WhatsAppChannel:
    return WhatsAppChannel(connection, clock=surroundings.clock)


INTEGRATION = Integration(
    manifest=Manifest(
        kind="whatsapp",
        title="WhatsApp",
        title_ru="WhatsApp",
        mark="WA",
        fields=FIELDS,
        webhook_secret=VERIFY_TOKEN,
        source_id="OTHER",
        public_url_needed=True,
        flow=Flow(
            hosts=("facebook.com", "whatsapp.com"),
            host_keys=("api_base",),
            goes=(DataKind.PHONE, DataKind.CHANNEL_ID, DataKind.ANSWERS),
            comes=(DataKind.NAME, DataKind.PHONE, DataKind.CHANNEL_ID, DataKind.WORDS),
        ),
    ),
    receiver=WhatsAppReceiver(),
    open_channel=_open_channel,
    start_link=start_link,
)
