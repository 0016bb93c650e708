"""Where to answer: the salon's account and the client in one text, as an id of a client is good for one account. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from leadgate.wire.graph_webhooks import joined_key

OUR_ACCOUNT = "me"
"""Meta's word for the account that the token is for."""


@dataclass(frozen=True, slots=True)
class Address:
    """A chat: `account` is the salon's, `person` the client's Instagram-scoped id."""

    account: str
    person: str


def chat_of(account: str | None, person: str | None) -> str | None:
    """The chat's id in our house, or None when the person is not known."""
    return None if person is None else joined_key(account, person)


def address_of(chat_id: str, accounts: tuple[str, ...]) -> Address:
    """The address that a chat's id means; one that names no account is answered from the first of the settings."""
    account, colon, person = chat_id.partition(":")
    if not colon:
        account, person = "", chat_id
    return Address(account or (accounts[0] if accounts else OUR_ACCOUNT), person)
