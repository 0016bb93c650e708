"""An integration: our adapter to one vendor, described as data so that forms, masking, routes and docs follow from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from leadgate.model.connections import OpenConnection
from leadgate.model.recipients import DataKind
from leadgate.model.renewals import Renewal
from leadgate.ports.channel import Channel, WebhookReceiver
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.crm import Crm


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key of a connection.

    Attributes:
        name: as in `--setting name=value` or the secrets file.
        label_ru: what the form calls it; `label_en` likewise.
        secret: kept encrypted, never printed; otherwise a public setting.
        required: must be given, unless `make` fills it.
        default: of an absent setting; "" when there is none.
        make: makes the secret when it is absent (shown once); None when it cannot be made.
        problem: says in one English sentence what is wrong with a value, or None when it is fine; never repeats the value.
        help_ru: one sentence under the field; `help_en` likewise.
        renewal: how a secret is replaced; the clicks of those that a person replaces stand in the catalogue `secrets`.
        scopes: what a token needs, in the vendor's own words; empty when it knows no scopes.
        account_of: the part of a secret that names the account at the vendor, which a new value must keep.
    """

    name: str
    label_ru: str
    label_en: str
    secret: bool = False
    required: bool = False
    default: str = ""
    make: Callable[[IdSource], str] | None = None
    problem: Callable[[str], str | None] | None = None
    help_ru: str = ""
    help_en: str = ""
    renewal: Renewal = Renewal.BY_HAND
    scopes: tuple[str, ...] = ()
    account_of: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Which personal data travels between us and a vendor, and to which host.

    Attributes:
        hosts: the vendor's own; what we send goes to the first one while no key says otherwise. Empty when it has none for all.
        host_keys: settings and secrets that hold the address in use.
        goes: what goes there, in the order of `DataKind`; `comes` what comes from there.
    """

    hosts: tuple[str, ...] = ()
    host_keys: tuple[str, ...] = ()
    goes: tuple[DataKind, ...] = ()
    comes: tuple[DataKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Facts about an integration.

    Attributes:
        kind: in addresses and commands.
        title: the vendor's name in Latin or as people write it, for instance `Telegram`; `title_ru` in Russian.
        mark: two or three letters instead of a logo, for instance `TG`.
        fields: keys of a connection, in the order of the form.
        webhook_secret: name of the generated secret that `connect` shows once, or None.
        source_id: default SOURCE_ID in the CRM for leads of this channel.
        public_url_needed: the vendor must reach us from outside.
        message_ids_per_chat: the vendor counts messages in each chat by itself.
        client_pulls: clients fetch our messages themselves (the site's widget), so nothing is sent.
        source_ranges: the addresses that the vendor publishes as its senders', as CIDR; empty when it publishes none.
        flow: what travels to it and from it; None when it speaks to nobody.
    """

    kind: str
    title: str
    title_ru: str
    mark: str
    fields: tuple[Field, ...]
    webhook_secret: str | None = None
    source_id: str = "OTHER"
    public_url_needed: bool = False
    client_pulls: bool = False
    message_ids_per_chat: bool = False
    source_ranges: tuple[str, ...] = ()
    flow: Flow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an integration may use of the house when it opens a connection."""

    clock: Clock
    ids: IdSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One vendor: what it is and how its parts are made.

    Attributes:
        receiver: reads webhooks; None when the vendor posts none.
        open_channel: makes the sender of a connection; None when it is no channel (or only receives).
        open_crm: makes the CRM of a connection; None when it is none.
        start_link: the address by which a client begins to write to a connection, with this token in what we hear of them first;
            None while the settings do not tell enough. Pure. No function: such links are not known there.
    """

    manifest: Manifest
    receiver: WebhookReceiver | None = None
    open_channel: Callable[[OpenConnection, Surroundings], Channel] | None = None
    open_crm: Callable[[OpenConnection, Surroundings], Crm] | None = None
    start_link: Callable[[OpenConnection, str], str | None] | None = None
