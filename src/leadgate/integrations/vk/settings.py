"""Keys of a VK connection: what they look like and how they are read."""

from __future__ import annotations

import hashlib
import re

from leadgate.intake.addresses import base_address_problem
from leadgate.model.connections import OpenConnection
from leadgate.model.renewals import Renewal
from leadgate.ports.clock import IdSource
from leadgate.ports.integration import Field

ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a key, not a secret
WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - the name of a key, not a secret
CONFIRMATION = "confirmation"
GROUP_ID = "group_id"
API_BASE = "api_base"
DEFAULT_API_BASE = "https://api.vk.com"

# VK's own length of keys is unpublished, so only what cannot travel in a header is refused.
_ACCESS_TOKEN = re.compile(r"[A-Za-z0-9._-]{8,1000}", re.ASCII)
# VK's form takes up to 50 characters; less than 8 could be guessed.
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{8,50}", re.ASCII)
_CONFIRMATION = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_GROUP_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_MADE_LENGTH = 32


def access_token_problem(value: str) -> str | None:
    """What is wrong with a community key, or None."""
    return (
        None if _ACCESS_TOKEN.fullmatch(value) else "must be the key as VK shows it: letters, digits, dots and dashes"
    )


def webhook_secret_problem(value: str) -> str | None:
    """What is wrong with a secret key, or None."""
    return None if _WEBHOOK_SECRET.fullmatch(value) else "must be 8 to 50 characters of A-Z a-z 0-9 _ -"


def confirmation_problem(value: str) -> str | None:
    """What is wrong with a confirmation string, or None; it is answered as it is, so it must be plain."""
    return None if _CONFIRMATION.fullmatch(value) else "must be the short string that VK shows, letters and digits"


def group_id_problem(value: str) -> str | None:
    """What is wrong with the number of a community, or None."""
    return None if _GROUP_ID.fullmatch(value) else "must be the number of the community, digits only, without a minus"


def make_webhook_secret(ids: IdSource) -> str:
    """A fresh secret key: 32 characters, 128 random bits, letters and digits only because VK's form may refuse others."""
    return hashlib.sha256(ids.token(32).encode()).hexdigest()[:_MADE_LENGTH]


def api_base(connection: OpenConnection) -> str:
    """Base address of the API without a slash and without `/method` at the end."""
    base = (connection.settings.get(API_BASE) or DEFAULT_API_BASE).rstrip("/")
    return base.removesuffix("/method")


def find_group_id(connection: OpenConnection) -> str | None:
    """The community that the connection is for; None when the settings name none."""
    return connection.settings.get(GROUP_ID) or None


def start_link(connection: OpenConnection, token: str) -> str | None:
    """The link that opens a dialogue with the community; its mark comes back as `ref` with the first message."""
    group_id = find_group_id(connection)
    return f"https://vk.me/club{group_id}?ref={token}" if group_id else None


FIELDS = (
    Field(
        name=GROUP_ID,
        label_ru="Номер сообщества",
        label_en="Community number",
        required=True,
        problem=group_id_problem,
        help_ru="Только цифры: Управление → Работа с API → Callback API, строка group_id.",
        help_en="Digits only: Manage → API usage → Callback API, the line group_id.",
    ),
    Field(
        name=ACCESS_TOKEN,
        label_ru="Ключ доступа сообщества",
        label_en="Community access key",
        secret=True,
        scopes=("messages", "manage"),
        required=True,
        problem=access_token_problem,
        help_ru="Управление → Работа с API → Ключи доступа. Право «сообщения»; с правом «управление» мы настроим всё сами.",
        help_en="Manage → API usage → Access tokens. The right to messages; with the right to manage we set up the rest.",
    ),
    Field(
        name=CONFIRMATION,
        label_ru="Строка подтверждения",
        label_en="Confirmation string",
        secret=True,
        renewal=Renewal.STAYS,
        required=True,
        problem=confirmation_problem,
        help_ru="Управление → Работа с API → Callback API, «Строка, которую должен вернуть сервер».",
        help_en="Manage → API usage → Callback API, the string that the server must return.",
    ),
    Field(
        name=WEBHOOK_SECRET,
        label_ru="Секретный ключ",
        label_en="Secret key",
        secret=True,
        renewal=Renewal.REGISTERED,
        make=make_webhook_secret,
        problem=webhook_secret_problem,
        help_ru="Можно не заполнять: Leadgate придумает его. Без права «управление» впишите его в VK сами.",
        help_en="May stay empty: Leadgate makes one. Without the right to manage, enter it at VK yourself.",
    ),
    Field(
        name=API_BASE,
        label_ru="Адрес API",
        label_en="API address",
        default=DEFAULT_API_BASE,
        problem=base_address_problem,
        help_ru="Обычно менять не нужно.",
        help_en="Usually stays as it is.",
    ),
)
"""Keys of a connection, in the order of the form."""
