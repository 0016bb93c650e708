"""Facts about Bitrix24 and how its parts are made."""

from __future__ import annotations

from leadgate.integrations.bitrix24.crm import Bitrix24Crm
from leadgate.integrations.bitrix24.settings import (
    DEFAULT_QUIET_TIME_S,
    DEFAULT_TIMEOUT_S,
    portal_of,
    read_settings,
    seconds_problem,
    webhook_url_problem,
)
from leadgate.model.connections import OpenConnection
from leadgate.model.recipients import DataKind
from leadgate.ports.crm import Crm
from leadgate.ports.integration import Field, Flow, Integration, Manifest, Surroundings


def _open_crm(connection: OpenConnection, surroundings: Surroundings) -> Crm:
    return Bitrix24Crm(read_settings(connection), surroundings.clock, own_hosts=connection.own_hosts)


INTEGRATION = Integration(
    manifest=Manifest(
        kind="bitrix24",
        title="Bitrix24",
        title_ru="Битрикс24",
        mark="Б24",
        flow=Flow(
            host_keys=("webhook_url", "portal", "oauth_base"),
            goes=(
                DataKind.NAME,
                DataKind.PHONE,
                DataKind.EMAIL,
                DataKind.WORDS,
                DataKind.REQUEST,
                DataKind.ADVERTISING_TAGS,
                DataKind.CONSENT,
            ),
        ),
        fields=(
            Field(
                name="webhook_url",
                label_ru="Адрес входящего вебхука",
                label_en="Address of the inbound webhook",
                secret=True,
                account_of=portal_of,
                scopes=("crm",),
                required=True,
                problem=webhook_url_problem,
                help_ru="Битрикс24 → Разработчикам → Входящий вебхук, право «CRM». "
                "Адрес — это пароль: никому его не показывайте.",
                help_en="Bitrix24 → Developer resources → Inbound webhook, permission CRM. The address is a password.",
            ),
            Field(
                name="timeout_s",
                label_ru="Сколько секунд ждать ответа",
                label_en="Seconds to wait for an answer",
                default=f"{DEFAULT_TIMEOUT_S:g}",
                problem=seconds_problem,
                help_ru="Обычно хватает 30.",
                help_en="30 is enough as a rule.",
            ),
            Field(
                name="quiet_time_s",
                label_ru="Сколько секунд выждать, если ответ потерялся",
                label_en="Seconds to wait after a lost answer",
                default=f"{DEFAULT_QUIET_TIME_S:g}",
                problem=seconds_problem,
                help_ru="Битрикс24 может дописать лид и после обрыва связи: сначала пауза, потом проверка.",
                help_en="Bitrix24 may finish writing after a lost connection: first this pause, then a look.",
            ),
        ),
    ),
    open_crm=_open_crm,
)
