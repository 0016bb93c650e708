"""VK as data, and how its parts are made."""

from __future__ import annotations

from leadgate.integrations.vk.receive import VkReceiver
from leadgate.integrations.vk.send import VkChannel
from leadgate.integrations.vk.settings import FIELDS, WEBHOOK_SECRET, start_link
from leadgate.model.connections import OpenConnection
from leadgate.ports.integration import Integration, Manifest, Surroundings


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
    ),
    receiver=VkReceiver(),
    open_channel=_open_channel,
    start_link=start_link,
)
