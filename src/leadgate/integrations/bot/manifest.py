"""A bot builder as data, and how its parts are made. The builder answers its clients itself."""

from __future__ import annotations

from leadgate.integrations.bot.receive import BotReceiver
from leadgate.integrations.bot.settings import FIELDS, SIGNING_SECRET
from leadgate.model.recipients import DataKind
from leadgate.ports.integration import Flow, Integration, Manifest

INTEGRATION = Integration(
    manifest=Manifest(
        kind="bot",
        title="Bot builder",
        title_ru="Конструктор ботов",
        mark="BOT",
        fields=FIELDS,
        webhook_secret=SIGNING_SECRET,
        source_id="WEB",
        public_url_needed=True,
        flow=Flow(
            comes=(
                DataKind.NAME,
                DataKind.PHONE,
                DataKind.EMAIL,
                DataKind.USERNAME,
                DataKind.CHANNEL_ID,
                DataKind.WORDS,
                DataKind.REQUEST,
                DataKind.ADVERTISING_TAGS,
                DataKind.CONSENT,
            )
        ),
    ),
    receiver=BotReceiver(),
)
