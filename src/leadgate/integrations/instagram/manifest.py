"""Instagram as data, and how its parts are made."""

from __future__ import annotations

from leadgate.integrations.instagram.receive import InstagramReceiver
from leadgate.integrations.instagram.send import InstagramChannel
from leadgate.integrations.instagram.settings import FIELDS, start_link
from leadgate.model.connections import OpenConnection
from leadgate.model.recipients import DataKind
from leadgate.ports.integration import Flow, Integration, Manifest, Surroundings
from leadgate.wire.graph_keys import VERIFY_TOKEN


def _open_channel(connection: OpenConnection, surroundings: Surroundings) -> InstagramChannel:
    return InstagramChannel(connection, clock=surroundings.clock)


INTEGRATION = Integration(
    manifest=Manifest(
        kind="instagram",
        title="Instagram",
        title_ru="Instagram",
        mark="IG",
        fields=FIELDS,
        webhook_secret=VERIFY_TOKEN,
        source_id="OTHER",
        public_url_needed=True,
        flow=Flow(
            hosts=("facebook.com", "instagram.com"),
            host_keys=("api_base",),
            goes=(DataKind.CHANNEL_ID, DataKind.ANSWERS),
            comes=(DataKind.NAME, DataKind.PHONE, DataKind.USERNAME, DataKind.CHANNEL_ID, DataKind.WORDS),
        ),
    ),
    receiver=InstagramReceiver(),
    open_channel=_open_channel,
    start_link=start_link,
)
