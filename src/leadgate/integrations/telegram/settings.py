"""Keys of a Telegram connection: what they look like and how they are read."""

from __future__ import annotations

import re

from leadgate.intake.addresses import base_address_problem
from leadgate.model.connections import OpenConnection
from leadgate.model.renewals import Renewal
from leadgate.ports.clock import IdSource
from leadgate.ports.integration import Field

BOT_TOKEN = "bot_token"  # noqa: S105 - the name of a key, not a secret
WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - the name of a key, not a secret
API_BASE = "api_base"
BOT_NAME = "bot_name"
DEFAULT_API_BASE = "https://api.telegram.org"

SOURCE_RANGES = ("149.154.160.0/20", "91.108.4.0/22")
"""Where Telegram's updates come from (channels fact sheet, aiogram 3.31)."""

_BOT_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{1,200}", re.ASCII)
# Telegram takes 1 to 256 of these characters; less than 8 could be guessed.
_BOT_NAME = re.compile(r"[A-Za-z0-9_]{4,64}", re.ASCII)
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{8,256}", re.ASCII)


def bot_token_problem(value: str) -> str | None:
    """What is wrong with a bot token, or None."""
    return None if _BOT_TOKEN.fullmatch(value) else "must be digits, a colon and letters, as BotFather shows it"


def webhook_secret_problem(value: str) -> str | None:
    """What is wrong with a webhook secret, or None."""
    return None if _WEBHOOK_SECRET.fullmatch(value) else "must be 8 to 256 characters of A-Z a-z 0-9 _ -"


def bot_name_problem(value: str) -> str | None:
    """What is wrong with a bot's user name, or None."""
    return None if _BOT_NAME.fullmatch(value) else "must be the user name of the bot without @"


def start_link(connection: OpenConnection, token: str) -> str | None:
    """The link that opens the bot and gives it this token with `/start`; None until a check has found out the bot's name."""
    name = connection.settings.get(BOT_NAME)
    return f"https://t.me/{name}?start={token}" if name else None


def make_webhook_secret(ids: IdSource) -> str:
    """A fresh webhook secret: 43 characters, 256 random bits."""
    return ids.token(32)


def api_base(connection: OpenConnection) -> str:
    """Base address of the Bot API, without a slash at the end."""
    return (connection.settings.get(API_BASE) or DEFAULT_API_BASE).rstrip("/")


def find_bot_id(connection: OpenConnection) -> str | None:
    """The bot's own id, which is the first part of its token; None without a token."""
    token = connection.secret(BOT_TOKEN)
    if token is None or not _BOT_TOKEN.fullmatch(token.reveal()):
        return None
    return token.reveal().partition(":")[0]


def _bot_id(token: str) -> str:
    """The bot's own id, which a new token of the same bot keeps."""
    return token.partition(":")[0]


FIELDS = (
    Field(
        name=BOT_TOKEN,
        label_ru="Токен бота",
        label_en="Bot token",
        secret=True,
        account_of=_bot_id,
        required=True,
        problem=bot_token_problem,
        help_ru="Его выдаёт @BotFather: команда /newbot или /token.",
        help_en="@BotFather gives it: /newbot or /token.",
    ),
    Field(
        name=WEBHOOK_SECRET,
        label_ru="Секрет вебхука",
        label_en="Webhook secret",
        secret=True,
        renewal=Renewal.REGISTERED,
        make=make_webhook_secret,
        problem=webhook_secret_problem,
        help_ru="Можно не заполнять: Leadgate придумает его и сам передаст Telegram.",
        help_en="May stay empty: Leadgate makes one and tells Telegram.",
    ),
    Field(
        name=BOT_NAME,
        label_ru="Имя бота",
        label_en="Name of the bot",
        problem=bot_name_problem,
        help_ru="Можно не заполнять: спросим у Telegram. Нужно для ссылок на бота.",
        help_en="May stay empty: we ask Telegram. It is needed for links to the bot.",
    ),
    Field(
        name=API_BASE,
        label_ru="Адрес Bot API",
        label_en="Bot API address",
        default=DEFAULT_API_BASE,
        problem=base_address_problem,
        help_ru="Меняйте, только если у вас свой сервер Bot API.",
        help_en="Change it only for a Bot API server of your own.",
    ),
)
"""Keys of a connection, in the order of the form."""
