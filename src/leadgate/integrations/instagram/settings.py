"""Keys of an Instagram connection: what they look like and how they are read."""

from __future__ import annotations

import re

from leadgate.intake.addresses import base_address_problem
from leadgate.model.connections import OpenConnection
from leadgate.model.renewals import Renewal
from leadgate.model.secret import Secret
from leadgate.ports.integration import Field
from leadgate.wire.graph_keys import (
    ACCESS_TOKEN,
    API_BASE,
    APP_SECRET,
    DEFAULT_BASE,
    VERIFY_TOKEN,
    ids_problem,
    names_of,
    secret_problem,
)

ACCOUNT_IDS = "account_ids"
USER_NAME = "user_name"
_USER_NAME = re.compile(r"[A-Za-z0-9._]{1,30}", re.ASCII)

_INSTAGRAM_TOKEN = "IG"  # noqa: S105 - the beginning of every token of the Instagram login; those of Facebook begin with EAA


def accounts(connection: OpenConnection) -> tuple[str, ...]:
    """Ids of the salon's accounts; empty when the connection takes whatever its app hears."""
    return names_of(connection.settings.get(ACCOUNT_IDS, ""))


def user_name_problem(value: str) -> str | None:
    """What is wrong with the name of an account, or None."""
    return None if _USER_NAME.fullmatch(value) else "must be the name of the account without @"


def start_link(connection: OpenConnection, token: str) -> str | None:
    """The link that opens a chat with the account; its mark comes back as a referral. None until a check has found the name."""
    name = connection.settings.get(USER_NAME)
    return f"https://ig.me/m/{name}?ref={token}" if name else None


def is_instagram_login(token: Secret) -> bool:
    """The token is of the Instagram login (graph.instagram.com); else of a Facebook page (graph.facebook.com)."""
    return token.reveal().startswith(_INSTAGRAM_TOKEN)


FIELDS = (
    Field(
        name=ACCESS_TOKEN,
        label_ru="Токен доступа",
        label_en="Access token",
        secret=True,
        scopes=("instagram_manage_messages", "pages_manage_metadata"),
        required=True,
        problem=secret_problem,
        help_ru="Токен страницы Facebook (начинается с EAA) или аккаунта Instagram (начинается с IG).",
        help_en="The token of the Facebook page (begins with EAA) or of the Instagram account (begins with IG).",
    ),
    Field(
        name=APP_SECRET,
        label_ru="Секрет приложения",
        label_en="App secret",
        secret=True,
        required=True,
        problem=secret_problem,
        help_ru="Для токена страницы: Настройки → Основные. Для токена Instagram: секрет приложения Instagram в разделе Instagram.",
        help_en="For a page token: Settings → Basic. For an Instagram token: the Instagram app secret in the Instagram product.",
    ),
    Field(
        name=VERIFY_TOKEN,
        label_ru="Маркер подтверждения",
        label_en="Verify token",
        secret=True,
        renewal=Renewal.HANDED,
        required=True,
        make=lambda ids: ids.token(32),
        problem=secret_problem,
        help_ru="Можно не заполнять: Leadgate придумает его и покажет один раз.",
        help_en="May stay empty: Leadgate makes one and shows it once.",
    ),
    Field(
        name=ACCOUNT_IDS,
        label_ru="Идентификаторы аккаунтов",
        label_en="Account ids",
        problem=ids_problem,
        help_ru="Идентификатор профессионального аккаунта Instagram, обычно 1784…, через запятую.",
        help_en="The id of the professional Instagram account, mostly 1784…, with commas.",
    ),
    Field(
        name=USER_NAME,
        label_ru="Имя аккаунта",
        label_en="Name of the account",
        problem=user_name_problem,
        help_ru="Можно не заполнять: спросим у Meta. Нужно для ссылок в Instagram.",
        help_en="May stay empty: we ask Meta. It is needed for links to Instagram.",
    ),
    Field(
        name=API_BASE,
        label_ru="Адрес Graph API",
        label_en="Graph API address",
        default=DEFAULT_BASE,
        problem=base_address_problem,
        help_ru="Для токена аккаунта Instagram: https://graph.instagram.com.",
        help_en="For the token of an Instagram account: https://graph.instagram.com.",
    ),
)
"""Keys of a connection, in the order of the form."""
