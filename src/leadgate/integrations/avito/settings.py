"""Keys of an Avito connection: what they look like and how they are read."""

from __future__ import annotations

import re

from leadgate.intake.addresses import base_address_problem
from leadgate.model.connections import OpenConnection
from leadgate.model.renewals import Renewal
from leadgate.ports.clock import IdSource
from leadgate.ports.integration import Field

CLIENT_ID = "client_id"
CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a key, not a secret
WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - the name of a key, not a secret
ACCOUNT_ID = "account_id"
API_BASE = "api_base"
DEFAULT_API_BASE = "https://api.avito.ru"
SECRET_PARAMETER = "key"  # noqa: S105 - the name of a query parameter
"""Where the secret stands in the address that Avito posts to: `…/webhooks/avito/conn_…?key=…`."""

_VISIBLE = re.compile(r"[!-~]{1,200}", re.ASCII)
# It travels in an address and is the whole proof: characters that no proxy rewrites, and too many to be guessed.
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{24,256}", re.ASCII)
_ACCOUNT_ID = re.compile(r"[0-9]{1,19}", re.ASCII)


def client_key_problem(value: str) -> str | None:
    """What is wrong with a client id or secret, or None."""
    return None if _VISIBLE.fullmatch(value) else "must be up to 200 letters, digits and signs without spaces"


def webhook_secret_problem(value: str) -> str | None:
    """What is wrong with a webhook secret, or None."""
    return None if _WEBHOOK_SECRET.fullmatch(value) else "must be 24 to 256 characters of A-Z a-z 0-9 _ -"


def account_id_problem(value: str) -> str | None:
    """What is wrong with an account id, or None; empty is fine."""
    return None if not value or _ACCOUNT_ID.fullmatch(value) else "must be digits, as Avito shows the profile's number"


def make_webhook_secret(ids: IdSource) -> str:
    """A fresh webhook secret: 43 characters, 256 random bits."""
    return ids.token(32)


def api_base(connection: OpenConnection) -> str:
    """Base address of the API, without a slash at the end."""
    return (connection.settings.get(API_BASE) or DEFAULT_API_BASE).rstrip("/")


def find_account_id(connection: OpenConnection) -> str | None:
    """The account that the connection is for, or None when it takes any."""
    return connection.settings.get(ACCOUNT_ID) or None


FIELDS = (
    Field(
        name=CLIENT_ID,
        label_ru="Client ID",
        label_en="Client ID",
        secret=True,
        renewal=Renewal.STAYS,
        required=True,
        problem=client_key_problem,
        help_ru="Авито → «Для профессионалов» → «Интеграции»: ключи вашего приложения.",
        help_en="Avito, for professionals, integrations: the keys of your application.",
    ),
    Field(
        name=CLIENT_SECRET,
        label_ru="Client Secret",
        label_en="Client secret",
        secret=True,
        required=True,
        problem=client_key_problem,
        help_ru="Стоит там же, рядом с Client ID.",
        help_en="Stands beside the client ID.",
    ),
    Field(
        name=WEBHOOK_SECRET,
        label_ru="Секрет вебхука",
        label_en="Webhook secret",
        secret=True,
        renewal=Renewal.REGISTERED,
        make=make_webhook_secret,
        problem=webhook_secret_problem,
        help_ru="Можно не заполнять: Leadgate придумает его и сам передаст Авито.",
        help_en="May stay empty: Leadgate makes one and tells Avito.",
    ),
    Field(
        name=ACCOUNT_ID,
        label_ru="Номер профиля",
        label_en="Profile number",
        problem=account_id_problem,
        help_ru="Цифры из личного кабинета. Если указать, сообщения других профилей не примем.",
        help_en="Digits from the profile. When given, messages of other profiles are refused.",
    ),
    Field(
        name=API_BASE,
        label_ru="Адрес API",
        label_en="API address",
        default=DEFAULT_API_BASE,
        problem=base_address_problem,
        help_ru="Менять не нужно.",
        help_en="No need to change it.",
    ),
)
"""Keys of a connection, in the order of the form."""
