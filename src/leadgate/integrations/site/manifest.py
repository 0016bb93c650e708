"""What the `site` integration is: facts, fields and parts, no behaviour of its own."""

from __future__ import annotations

from leadgate.intake.origins import SETTING, origins_problem
from leadgate.integrations.site.tokens import SECRET
from leadgate.integrations.site.verify import SiteReceiver
from leadgate.model.recipients import DataKind
from leadgate.model.renewals import Renewal
from leadgate.ports.clock import IdSource
from leadgate.ports.integration import Field, Flow, Integration, Manifest


def _make_token_secret(ids: IdSource) -> str:
    """256 random bits, as long as the hash that they key (RFC 2104)."""
    return ids.token(32)


MANIFEST = Manifest(
    kind="site",
    title="Site",
    title_ru="Сайт",
    mark="WEB",
    fields=(
        Field(
            name=SETTING,
            label_ru="Адреса сайта",
            label_en="Addresses of the site",
            required=True,
            problem=origins_problem,
            help_ru="Начало адреса каждой страницы с чатом, через запятую: https://salon.example",
            help_en="The beginning of the address of each page with the chat, separated by commas: https://salon.example",
        ),
        Field(
            name=SECRET,
            label_ru="Ключ пропусков посетителей",
            label_en="Key of visitors' tokens",
            secret=True,
            renewal=Renewal.OURS,
            make=_make_token_secret,
            help_ru="Делаем сами, вводить не нужно.",
            help_en="We make it ourselves; nothing to type.",
        ),
    ),
    source_id="WEB",
    flow=Flow(goes=(DataKind.ANSWERS,), comes=(DataKind.NAME, DataKind.PHONE, DataKind.WORDS)),
    client_pulls=True,
)

INTEGRATION = Integration(manifest=MANIFEST, receiver=SiteReceiver())
"""Receives only: the widget fetches answers itself, so there is nothing to send to."""
