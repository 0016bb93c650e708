"""Where a host is and whether personal data may go there. Looks nothing up on the net: names are known, declared, or unknown.

A top-level domain proves nothing, so a host that is neither in `hosts.json` nor declared by the owner counts as foreign.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import msgspec

from leadgate.errors import ConfigurationError
from leadgate.model.recipients import RUSSIA, Decision, HostFacts, Place, Role, Standing
from leadgate.ports.stores import StoredRule, Transaction

RULE = "recipients"
"""Name of the owner's rule that holds the decisions."""

MAX_REASON_LENGTH = 1000
MAX_NOTICE_LENGTH = 100
_COUNTRY_LENGTH = 2
_HOUSE_ENDINGS = (".localhost", ".local", ".internal", ".lan")
_WITHOUT_CLIENTS = frozenset({Role.ALERTS, Role.KEYS})


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    is_allowed: bool
    country: str
    reason: str
    rkn_notice: str
    decided_by: str
    decided_at: datetime


class _Rule(msgspec.Struct, frozen=True, kw_only=True):
    hosts: dict[str, _Kept] = {}


def host_of(address: str) -> str:
    """The host of an address or of a bare name, in lower case without a dot at the end; "" when there is none."""
    text = address.strip()
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    return host.rstrip(".").lower()


def facts_of(host: str) -> HostFacts:
    """What the product knows of a host by itself; of the salon's own machines that they are its own."""
    if _is_of_the_house(host):
        return HostFacts(host=host, place=Place.HOUSE)
    labels = host.split(".")
    for start in range(len(labels)):
        known = _known("hosts").get(".".join(labels[start:]))
        if known is not None:
            return _facts(host, known)
    return HostFacts(host=host, place=Place.UNKNOWN)


def facts_of_service(service: str) -> HostFacts:
    """What the product knows of a service that alarms are sent by, by its own name."""
    known = _known("alert_services").get(service)
    return HostFacts(host="", place=Place.UNKNOWN) if known is None else _facts("", known)


def place_of(facts: HostFacts, decision: Decision | None) -> tuple[Place, str]:
    """Place and country as they count: known ones first, then what the owner declared."""
    if facts.place is not Place.UNKNOWN or decision is None or not decision.country:
        return facts.place, facts.country
    return (Place.RUSSIA if decision.country == RUSSIA else Place.ABROAD), decision.country


def stand(role: Role, facts: HostFacts, decision: Decision | None) -> Standing:
    """Whether data may go to a host in this role."""
    place, _ = place_of(facts, decision)
    if role in {Role.SOURCE, Role.SITE} or place is Place.HOUSE:
        return Standing.FINE
    if decision is not None and not decision.is_allowed:
        return Standing.REFUSED
    if place is Place.RUSSIA:
        return Standing.FINE
    if role in _WITHOUT_CLIENTS:
        return Standing.NOTHING_PERSONAL
    if decision is not None:
        return Standing.ALLOWED
    return Standing.CHANNEL_ABROAD if role is Role.CHANNEL else Standing.UNDECIDED


def make_decision(
    host: str, *, is_allowed: bool, country: str, reason: str, rkn_notice: str, by: str, at: datetime
) -> Decision:
    """A decision whose words are checked.

    Raises:
        ConfigurationError: no reason (`recipient.reason_missing`), the country is no code of two letters
            (`recipient.country_wrong`), or it contradicts what is known (`recipient.country_known`).
    """
    reason, country, notice = " ".join(reason.split()), country.strip().upper(), " ".join(rkn_notice.split())
    if not reason or len(reason) > MAX_REASON_LENGTH or len(notice) > MAX_NOTICE_LENGTH:
        raise ConfigurationError(
            f"A decision about {host or 'a recipient'} needs a reason of 1 to {MAX_REASON_LENGTH} characters.",
            code="recipient.reason_missing",
        )
    if country and not (len(country) == _COUNTRY_LENGTH and country.isascii() and country.isalpha()):
        raise ConfigurationError("A country is two letters, for instance RU or DE.", code="recipient.country_wrong")
    facts = facts_of(host)
    if country and facts.place is not Place.UNKNOWN and (country == RUSSIA) is not (facts.country == RUSSIA):
        raise ConfigurationError(
            f"{host} is known to be {'in Russia' if facts.country == RUSSIA else 'outside Russia'}.",
            code="recipient.country_known",
            hint="Leave the country out.",
        )
    return Decision(
        is_allowed=is_allowed, country=country, reason=reason, rkn_notice=notice, decided_by=by, decided_at=at
    )


def read_decisions(tx: Transaction) -> Mapping[str, Decision]:
    """What the owner decided, by host."""
    return _decisions(tx.rules.find(RULE))


def keep_decision(tx: Transaction, host: str, decision: Decision) -> int:
    """Put a decision in force; the rule's new version."""
    kept = dict(read_decisions(tx)) | {host: decision}
    body = _Rule(hosts={name: _Kept(**{field: getattr(one, field) for field in _FIELDS}) for name, one in kept.items()})
    return tx.rules.set(RULE, msgspec.json.encode(body), by=decision.decided_by, at=decision.decided_at)


_FIELDS = tuple(_Kept.__struct_fields__)


def _decisions(rule: StoredRule | None) -> Mapping[str, Decision]:
    if rule is None:
        return {}
    kept = msgspec.json.decode(rule.body, type=_Rule)
    return {host: Decision(**{field: getattr(one, field) for field in _FIELDS}) for host, one in kept.hosts.items()}


def _is_of_the_house(host: str) -> bool:
    """Loopback, private and link-local addresses, and names that no public server can have."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(_HOUSE_ENDINGS) or (bool(host) and "." not in host)
    return address.is_loopback or address.is_private or address.is_link_local


def _facts(host: str, known: Mapping[str, str]) -> HostFacts:
    return HostFacts(
        host=host,
        place=Place(known["place"]),
        country=known["country"],
        source=known["source"],
        source_ru=known["source_ru"],
        checked_on=_file()["checked_on"],
    )


@cache
def _known(part: str) -> Mapping[str, Mapping[str, str]]:
    return {name: entry for entry in _file()[part] for name in entry["names"]}


@cache
def _file() -> Mapping[str, Any]:
    text = resources.files("leadgate.privacy").joinpath("hosts.json").read_text(encoding="utf-8")
    return dict(json.loads(text))
