"""Keys of a MAX connection: what they look like and how they are read."""

from __future__ import annotations

import re
import ssl

from leadgate.intake.addresses import base_address_problem
from leadgate.model.connections import OpenConnection
from leadgate.model.renewals import Renewal
from leadgate.ports.clock import IdSource
from leadgate.ports.integration import Field

BOT_TOKEN = "bot_token"  # noqa: S105 - the name of a key, not a secret
WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - the name of a key, not a secret
API_BASE = "api_base"
BOT_NAME = "bot_name"
CA_FILE = "ca_file"
DEFAULT_API_BASE = "https://platform-api2.max.ru"

_BOT_TOKEN = re.compile(r"[A-Za-z0-9_.=-]{8,512}", re.ASCII)
_BOT_NAME = re.compile(r"[A-Za-z0-9_.-]{2,128}", re.ASCII)
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{5,256}", re.ASCII)


def bot_token_problem(value: str) -> str | None:
    """What is wrong with a bot token, or None."""
    return (
        None if _BOT_TOKEN.fullmatch(value) else "must be the token as MAX shows it: letters, digits, dashes and dots"
    )


def webhook_secret_problem(value: str) -> str | None:
    """What is wrong with a webhook secret, or None."""
    return None if _WEBHOOK_SECRET.fullmatch(value) else "must be 5 to 256 characters of A-Z a-z 0-9 _ -"


def ca_file_problem(value: str) -> str | None:
    """What is wrong with a file of root certificates, or None; it is opened to see."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=value)
    except (OSError, ValueError):  # OSError: also what ssl says of a file without certificates
        return "must be the path of a readable file with root certificates in PEM on this machine"
    return None


def make_webhook_secret(ids: IdSource) -> str:
    """A fresh webhook secret: 43 characters, 256 random bits."""
    return ids.token(32)


def api_base(connection: OpenConnection) -> str:
    """Base address of the Bot API, without a slash at the end."""
    return (connection.settings.get(API_BASE) or DEFAULT_API_BASE).rstrip("/")


def bot_name_problem(value: str) -> str | None:
    """What is wrong with a bot's name in addresses, or None."""
    return None if _BOT_NAME.fullmatch(value) else "must be the name of the bot as it stands behind max.ru/"


def start_link(connection: OpenConnection, token: str) -> str | None:
    """The link that opens the bot and starts it with this payload; None until a check has found out the bot's name."""
    name = connection.settings.get(BOT_NAME)
    return f"https://max.ru/{name}?start={token}" if name else None


FIELDS = (
    Field(
        name=BOT_TOKEN,
        label_ru="Токен бота",
        label_en="Bot token",
        secret=True,
        required=True,
        problem=bot_token_problem,
        help_ru="Его показывают на business.max.ru: раздел «Чат-боты», настройки бота, «Токен».",
        help_en="It is shown at business.max.ru: chat bots, settings of the bot, token.",
    ),
    Field(
        name=WEBHOOK_SECRET,
        label_ru="Секрет вебхука",
        label_en="Webhook secret",
        secret=True,
        renewal=Renewal.REGISTERED,
        make=make_webhook_secret,
        problem=webhook_secret_problem,
        help_ru="Можно не заполнять: Leadgate придумает его и сам передаст MAX.",
        help_en="May stay empty: Leadgate makes one and tells MAX.",
    ),
    Field(
        name=CA_FILE,
        label_ru="Файл корневых сертификатов",
        label_en="File of root certificates",
        problem=ca_file_problem,
        help_ru="Путь на сервере к сертификатам Минцифры в формате PEM, если система их не знает.",
        help_en="Path on the server to the root certificates of the Russian state authority in PEM, if the system lacks them.",
    ),
    Field(
        name=BOT_NAME,
        label_ru="Имя бота в адресе",
        label_en="Name of the bot in its address",
        problem=bot_name_problem,
        help_ru="Можно не заполнять: спросим у MAX. Нужно для ссылок на бота.",
        help_en="May stay empty: we ask MAX. It is needed for links to the bot.",
    ),
    Field(
        name=API_BASE,
        label_ru="Адрес Bot API",
        label_en="Bot API address",
        default=DEFAULT_API_BASE,
        problem=base_address_problem,
        help_ru="Обычно менять не нужно.",
        help_en="Usually stays as it is.",
    ),
)
"""Keys of a connection, in the order of the form."""
