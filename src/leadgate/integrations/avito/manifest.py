"""Avito as data, and how its parts are made."""

from __future__ import annotations

from leadgate.integrations.avito.receive import AvitoReceiver
from leadgate.integrations.avito.send import AvitoChannel
from leadgate.integrations.avito.settings import FIELDS, WEBHOOK_SECRET
from leadgate.model.connections import OpenConnection
from leadgate.model.recipients import DataKind
from leadgate.ports.integration import Flow, Integration, Manifest, Surroundings


def _open_channel(connection: OpenConnection, surroundings: Surroundings) -> AvitoChannel:
    return AvitoChannel(connection, clock=surroundings.clock)


INTEGRATION = Integration(
    manifest=Manifest(
        kind="avito",
        title="Avito",
        title_ru="Авито",
        mark="AV",
        fields=FIELDS,
        webhook_secret=WEBHOOK_SECRET,
        source_id="OTHER",
        public_url_needed=True,
        flow=Flow(
            hosts=("avito.ru",),
            host_keys=("api_base",),
            goes=(DataKind.CHANNEL_ID, DataKind.ANSWERS),
            comes=(DataKind.NAME, DataKind.CHANNEL_ID, DataKind.WORDS),
        ),
    ),
    receiver=AvitoReceiver(),
    open_channel=_open_channel,
)
