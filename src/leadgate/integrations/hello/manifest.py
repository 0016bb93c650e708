"""Hello as data: what the form asks, and how the parts are made. Copy, rename, fill in."""

from __future__ import annotations

from leadgate.intake.addresses import base_address_problem
from leadgate.integrations.hello.receive import HelloReceiver
from leadgate.integrations.hello.send import HelloChannel
from leadgate.model.recipients import DataKind
from leadgate.ports.integration import Field, Flow, Integration, Manifest

INTEGRATION = Integration(
    manifest=Manifest(
        kind="hello",
        title="Hello",
        title_ru="Привет",
        mark="HI",
        fields=(
            Field(name="token", label_ru="Ключ", label_en="Token", secret=True, required=True),
            Field(
                name="webhook_secret",
                label_ru="Секрет вебхука",
                label_en="Webhook secret",
                secret=True,
                make=lambda ids: ids.token(32),
            ),
            Field(
                name="api_base",
                label_ru="Адрес сервера",
                label_en="Server address",
                default="https://hello.invalid",
                problem=base_address_problem,
            ),
        ),
        webhook_secret="webhook_secret",  # noqa: S106 - the name of a key, not a secret
        public_url_needed=True,
        flow=Flow(
            hosts=("hello.invalid",),
            host_keys=("api_base",),
            goes=(DataKind.CHANNEL_ID, DataKind.ANSWERS),
            comes=(DataKind.CHANNEL_ID, DataKind.WORDS),
        ),
    ),
    receiver=HelloReceiver(),
    open_channel=lambda connection, surroundings: HelloChannel(connection, clock=surroundings.clock),
)
