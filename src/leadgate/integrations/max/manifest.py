"""MAX as data, and how its parts are made."""

from __future__ import annotations

from leadgate.integrations.max.receive import MaxReceiver
from leadgate.integrations.max.send import MaxChannel
from leadgate.integrations.max.settings import FIELDS, WEBHOOK_SECRET, start_link
from leadgate.model.connections import OpenConnection
from leadgate.model.recipients import DataKind
from leadgate.ports.integration import Flow, Integration, Manifest, Surroundings


def _open_channel(connection: OpenConnection, surroundings: Surroundings) -> MaxChannel:
    return MaxChannel(connection, clock=surroundings.clock)


INTEGRATION = Integration(
    manifest=Manifest(
        kind="max",
        title="MAX",
        title_ru="MAX",
        mark="MX",
        fields=FIELDS,
        webhook_secret=WEBHOOK_SECRET,
        source_id="OTHER",
        public_url_needed=True,
        flow=Flow(
            hosts=("max.ru",),
            host_keys=("api_base",),
            goes=(DataKind.CHANNEL_ID, DataKind.ANSWERS),
            comes=(DataKind.NAME, DataKind.PHONE, DataKind.USERNAME, DataKind.CHANNEL_ID, DataKind.WORDS),
        ),
    ),
    receiver=MaxReceiver(),
    open_channel=_open_channel,
    start_link=start_link,
)
