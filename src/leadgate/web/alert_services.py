"""Services that owners read alarms in: what is asked for each, and how the answers become an Apprise address. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

_MAIL_RU = frozenset({"mail.ru", "bk.ru", "list.ru", "inbox.ru", "internet.ru"})


@dataclass(frozen=True, slots=True)
class Question:
    """A field of a form; its words are `alerts.new.{service}.{name}` and the same with `.help`."""

    name: str
    is_secret: bool = False
    is_required: bool = True
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Service:
    """A service with its questions and how their answers become an Apprise address."""

    mark: str
    questions: tuple[Question, ...]
    compose: Callable[[Mapping[str, str]], str]


def telegram_address(given: Mapping[str, str]) -> str:
    """`tgram://TOKEN/CHAT`."""
    return f"tgram://{quote(given['token'], safe=':')}/{quote(given['chat'], safe='@')}/"


def max_address(given: Mapping[str, str]) -> str:
    """`max://TOKEN@CHAT`."""
    return f"max://{quote(given['token'], safe='')}@{quote(given['chat'], safe='')}/"


def mail_address(given: Mapping[str, str]) -> str:
    """`mailtos://USER:PASSWORD@DOMAIN?to=…`; the server is known for the usual providers and asked for with others."""
    user, _, domain = given["mail"].partition("@")
    options = {"to": given["to"] or given["mail"], "from": given["mail"]}
    if given["server"]:
        options |= {"smtp": given["server"], "user": given["mail"]}
    elif domain.lower() in _MAIL_RU:  # the library does not know them; they speak TLS from the first byte
        options |= {"smtp": "smtp.mail.ru", "mode": "ssl", "user": given["mail"]}
    login = f"{quote(user, safe='')}:{quote(given['password'], safe='')}"
    return f"mailtos://{login}@{quote(domain, safe='')}/?{urlencode(options)}"


SERVICES = {
    "telegram": Service("TG", (Question("token", is_secret=True), Question("chat")), telegram_address),
    "max": Service("MAX", (Question("token", is_secret=True), Question("chat")), max_address),
    "mail": Service(
        "@",
        (
            Question("mail", kind="email"),
            Question("password", is_secret=True),
            Question("to", is_required=False, kind="email"),
            Question("server", is_required=False),
        ),
        mail_address,
    ),
    "other": Service("…", (Question("address", is_secret=True),), lambda given: given["address"]),
}
"""In the order in which they are offered."""
