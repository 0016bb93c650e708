"""VK as data, and how its parts are made."""

from __future__ import annotations

from leadgate.integrations.vk.receive import VkReceiver
from leadgate.integrations.vk.send import VkChannel
from leadgate.integrations.vk.settings import FIELDS, WEBHOOK_SECRET, start_link
from leadgate.model.connections import OpenConnection
from leadgate.model.recipients import DataKind
from leadgate.ports.integration import Flow, Integration, Manifest, Surroundings


def _open_channel(connection: OpenConnection, surroundings: Surroundings) -> VkChannel:
    return VkChannel(connection, clock=surroundings.clock)


INTEGRATION = Integration(
    manifest=Manifest(
        kind="vk",
        title="VK",
        title_ru="ВКонтакте",
        mark="VK",
        fields=FIELDS,
        webhook_secret=WEBHOOK_SECRET,
        source_id="OTHER",
        public_url_needed=True,
        flow=Flow(
            hosts=("vk.com", "vk.ru"),
            host_keys=("api_base",),
            goes=(DataKind.CHANNEL_ID, DataKind.ANSWERS),
            comes=(DataKind.NAME, DataKind.CHANNEL_ID, DataKind.WORDS),
        ),
    ),
    receiver=VkReceiver(),
    open_channel=_open_channel,
    start_link=start_link,
)
