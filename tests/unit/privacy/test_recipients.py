"""Where hosts are, and where data may go: without a look-up, and unknown is foreign."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from leadgate.errors import ConfigurationError
from leadgate.model.recipients import Decision, Place, Role, Standing
from leadgate.privacy.recipients import facts_of, facts_of_service, host_of, make_decision, place_of, stand

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def decided(country: str = "", *, is_allowed: bool = True, host: str = "crm.example") -> Decision:
    """A decision of the owner."""
    return make_decision(
        host, is_allowed=is_allowed, country=country, reason="наш сервер", rkn_notice="", by="staff_1", at=NOW
    )


@pytest.mark.parametrize(
    ("host", "place", "country"),
    [
        ("salon.bitrix24.ru", Place.RUSSIA, "RU"),
        ("bitrix24.ru", Place.RUSSIA, "RU"),
        ("salon.bitrix24.com", Place.ABROAD, ""),
        ("salon.bitrix24.kz", Place.ABROAD, "KZ"),
        ("salon.bitrix24.by", Place.ABROAD, "BY"),
        ("api.telegram.org", Place.ABROAD, ""),
        ("graph.facebook.com", Place.ABROAD, "US"),
        ("api.vk.com", Place.RUSSIA, "RU"),
        ("platform-api2.max.ru", Place.RUSSIA, "RU"),
        ("api.avito.ru", Place.RUSSIA, "RU"),
        ("llm.api.cloud.yandex.net", Place.RUSSIA, "RU"),
        ("api.openai.com", Place.ABROAD, "US"),
        ("crm.salon.ru", Place.UNKNOWN, ""),
        ("notbitrix24.ru", Place.UNKNOWN, ""),
        ("bitrix24.ru.evil.example", Place.UNKNOWN, ""),
        ("127.0.0.1", Place.HOUSE, ""),
        ("10.1.2.3", Place.HOUSE, ""),
        ("192.168.0.7", Place.HOUSE, ""),
        ("::1", Place.HOUSE, ""),
        ("fd00::5", Place.HOUSE, ""),
        ("8.8.8.8", Place.UNKNOWN, ""),
        ("postgres", Place.HOUSE, ""),
        ("crm.salon.local", Place.HOUSE, ""),
        ("", Place.UNKNOWN, ""),
    ],
)
def test_a_host_is_known_by_name_or_not_at_all(host: str, place: Place, country: str) -> None:
    """A domain of .ru proves nothing, and a name that merely ends alike is another one."""
    facts = facts_of(host)
    assert (facts.place, facts.country) == (place, country)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Salon.Bitrix24.ru/rest/1/secret/", "salon.bitrix24.ru"),
        ("salon.bitrix24.ru.", "salon.bitrix24.ru"),
        ("postgresql://u:p@db.example:5432/x", "db.example"),
        ("http://[fd00::5]:8080/", "fd00::5"),
        ("https://[broken", ""),
        ("", ""),
    ],
)
def test_the_host_of_an_address_holds_none_of_its_secrets(address: str, host: str) -> None:
    """It stands on a page and on paper."""
    assert host_of(address) == host


@pytest.mark.parametrize(
    ("role", "host", "decision", "standing"),
    [
        (Role.CRM, "salon.bitrix24.ru", None, Standing.FINE),
        (Role.CRM, "salon.bitrix24.eu", None, Standing.UNDECIDED),
        (Role.CRM, "crm.example", None, Standing.UNDECIDED),
        (Role.CRM, "crm.example", decided("RU"), Standing.FINE),
        (Role.CRM, "crm.example", decided("DE"), Standing.ALLOWED),
        (Role.CRM, "crm.example", decided(), Standing.ALLOWED),
        (Role.CRM, "crm.example", decided("RU", is_allowed=False), Standing.REFUSED),
        (Role.CRM, "127.0.0.1", None, Standing.FINE),
        (Role.DATABASE, "db.example", None, Standing.UNDECIDED),
        (Role.RELAY, "relay.example", None, Standing.UNDECIDED),
        (Role.CHANNEL, "api.telegram.org", None, Standing.CHANNEL_ABROAD),
        (Role.CHANNEL, "api.telegram.org", decided(is_allowed=False, host="api.telegram.org"), Standing.REFUSED),
        (Role.CHANNEL, "api.vk.com", None, Standing.FINE),
        (Role.ALERTS, "", None, Standing.NOTHING_PERSONAL),
        (Role.SOURCE, "", None, Standing.FINE),
    ],
)
def test_where_data_may_go(role: Role, host: str, decision: Decision | None, standing: Standing) -> None:
    """Foreign recipients are off until the owner decides; a messenger the client chose is not."""
    assert stand(role, facts_of(host), decision) is standing


def test_what_is_known_cannot_be_declared_away() -> None:
    """Nobody moves a data centre by a form; and a word of the owner is no reason to forget what a host is."""
    for host, country in (("salon.bitrix24.eu", "RU"), ("api.vk.com", "US")):
        with pytest.raises(ConfigurationError) as refused:
            decided(country, host=host)
        assert refused.value.code == "recipient.country_known"
    moved = replace(decided(host="api.vk.com"), country="US")
    assert place_of(facts_of("api.vk.com"), moved) == (Place.RUSSIA, "RU")
    assert place_of(facts_of("crm.example"), decided("kz")) == (Place.ABROAD, "KZ")


@pytest.mark.parametrize(
    ("reason", "country", "code"),
    [
        ("  ", "", "recipient.reason_missing"),
        ("x" * 1001, "", "recipient.reason_missing"),
        ("да", "Россия", "recipient.country_wrong"),
        ("да", "R1", "recipient.country_wrong"),
    ],
)
def test_a_decision_needs_a_reason(reason: str, country: str, code: str) -> None:
    """It is what an inspector asks for first."""
    with pytest.raises(ConfigurationError) as refused:
        make_decision("crm.example", is_allowed=True, country=country, reason=reason, rkn_notice="", by="x", at=NOW)
    assert refused.value.code == code


def test_services_of_alarms_are_known_by_name() -> None:
    """Their addresses hold secrets and are not looked at."""
    assert facts_of_service("Telegram").place is Place.ABROAD
    assert facts_of_service("MAX").place is Place.RUSSIA
    assert facts_of_service("E-Mail").place is Place.UNKNOWN
