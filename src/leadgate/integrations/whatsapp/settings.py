"""Keys of a WhatsApp connection: what they look like and how they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from leadgate.intake.addresses import base_address_problem
from leadgate.intake.phones import find_e164
from leadgate.model.connections import OpenConnection
from leadgate.model.renewals import Renewal
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

PHONE_NUMBER_IDS = "phone_number_ids"
WABA_ID = "waba_id"
TEMPLATES = "templates"
PHONE = "phone"

_TEMPLATE = re.compile(r"(?P<word>[a-z0-9_]{1,64})=(?P<name>[a-z0-9_]{1,512}):(?P<language>[A-Za-z_]{2,10})", re.ASCII)

Template = tuple[str, str]
"""Name and language of a template as Meta approved it."""


def templates_problem(value: str) -> str | None:
    """What is wrong with the list of templates, or None."""
    if all(_TEMPLATE.fullmatch(entry) for entry in names_of(value)):
        return None
    return "must be entries such as reminder=visit_reminder:ru, with commas between them"


def numbers(connection: OpenConnection) -> tuple[str, ...]:
    """Ids of the salon's numbers; empty when the connection takes whatever its app hears."""
    return names_of(connection.settings.get(PHONE_NUMBER_IDS, ""))


def templates(connection: OpenConnection) -> Mapping[str, Template]:
    """Approved templates by our word for what the message is."""
    found = (_TEMPLATE.fullmatch(entry) for entry in names_of(connection.settings.get(TEMPLATES, "")))
    return {match["word"]: (match["name"], match["language"]) for match in found if match is not None}


def phone_problem(value: str) -> str | None:
    """What is wrong with the number that clients write to, or None."""
    return None if find_e164(value) == value else "must be the whole number with + and without spaces"


def start_link(connection: OpenConnection, token: str) -> str | None:
    """The link that opens a chat with the number and fills in these words; None until a check has found out the number."""
    phone = connection.settings.get(PHONE)
    return f"https://wa.me/{phone.removeprefix('+')}?text={token}" if phone else None


def _id_problem(value: str) -> str | None:
    return "must be one id" if "," in value else ids_problem(value)


FIELDS = (
    Field(
        name=ACCESS_TOKEN,
        label_ru="Токен доступа",
        label_en="Access token",
        secret=True,
        scopes=("whatsapp_business_messaging", "whatsapp_business_management"),
        required=True,
        problem=secret_problem,
        help_ru="Токен системного пользователя с правами whatsapp_business_messaging и whatsapp_business_management.",
        help_en="The token of a system user with whatsapp_business_messaging and whatsapp_business_management.",
    ),
    Field(
        name=APP_SECRET,
        label_ru="Секрет приложения",
        label_en="App secret",
        secret=True,
        required=True,
        problem=secret_problem,
        help_ru="В приложении Meta: Настройки → Основные. Им подписано каждое сообщение.",
        help_en="In the app at Meta: Settings → Basic. It signs every webhook.",
    ),
    Field(
        name=VERIFY_TOKEN,
        label_ru="Маркер подтверждения",
        label_en="Verify token",
        secret=True,
        renewal=Renewal.REGISTERED,
        required=True,
        make=lambda ids: ids.token(32),
        problem=secret_problem,
        help_ru="Можно не заполнять: Leadgate придумает его и сам передаст Meta.",
        help_en="May stay empty: Leadgate makes one and tells Meta.",
    ),
    Field(
        name=PHONE_NUMBER_IDS,
        label_ru="Идентификаторы номеров",
        label_en="Phone number ids",
        problem=ids_problem,
        help_ru="Phone number ID из WhatsApp → API Setup, через запятую. Это не сам номер телефона.",
        help_en="Phone number ID in WhatsApp → API Setup, with commas. It is not the phone number.",
    ),
    Field(
        name=WABA_ID,
        label_ru="Идентификатор аккаунта WhatsApp Business",
        label_en="WhatsApp Business account id",
        problem=_id_problem,
        help_ru="Там же. Нужен, чтобы Leadgate сам подписался на сообщения и видел шаблоны.",
        help_en="In the same place. With it Leadgate subscribes by itself and sees the templates.",
    ),
    Field(
        name=TEMPLATES,
        label_ru="Одобренные шаблоны",
        label_en="Approved templates",
        problem=templates_problem,
        help_ru="Чем писать, когда клиент молчит больше суток, например reminder=visit_reminder:ru.",
        help_en="What to send when the client has been silent for a day, for instance reminder=visit_reminder:ru.",
    ),
    Field(
        name=PHONE,
        label_ru="Номер для клиентов",
        label_en="Number for clients",
        problem=phone_problem,
        help_ru="Можно не заполнять: спросим у Meta. Нужно для ссылок в WhatsApp.",
        help_en="May stay empty: we ask Meta. It is needed for links to WhatsApp.",
    ),
    Field(
        name=API_BASE,
        label_ru="Адрес Graph API",
        label_en="Graph API address",
        default=DEFAULT_BASE,
        problem=base_address_problem,
        help_ru="Меняйте, только если ходите в Meta через свой шлюз.",
        help_en="Change it only for a gateway of your own to Meta.",
    ),
)
"""Keys of a connection, in the order of the form."""
