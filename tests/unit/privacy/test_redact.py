import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.privacy.redact import redact


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("карта 4111 1111 1111 1111, спасибо", "карта [CARD_1], спасибо"),
        ("4111111111111111", "[CARD_1]"),
        ("4111-1111-1111-1111 и ещё раз 4111 1111 1111 1111", "[CARD_1] и ещё раз [CARD_1]"),
        ("4111111111111111 и 5555555555554444", "[CARD_1] и [CARD_2]"),
        ("мой СНИЛС 112-233-445 95", "мой СНИЛС [SNILS_1]"),
        ("112-233-445 95", "[SNILS_1]"),
        ("паспорт 9200 000001", "паспорт [PASSPORT_1]"),
        ("паспорт серия 9200 номер не помню", "паспорт серия 9200 номер не помню"),
        ("полис ОМС 1234567890123456", "полис ОМС [OMS_1]"),
        ("счёт 40817810000000000000 1", "счёт [ACCOUNT_1] 1"),
    ],
)
def test_what_no_crm_needs_is_masked(text: str, masked: str) -> None:
    """The same value has the same number, so that a reader still follows."""
    assert redact(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Алсу, 8 900 000-01-01, завтра в 18:30",
        "+7 900 000 01 01",
        "4111 1111 1111 1112",
        "заказ 1234567890123",
        "маникюр 2500, педикюр 3000, 12.05.2026",
        "",
    ],
)
def test_what_a_lead_is_about_stays(text: str) -> None:
    """A name, a phone, a day and a price are the request; a number that fails its check digit is no card."""
    assert redact(text) == text


@given(st.text(alphabet="0123456789 -.карта паспортснилс", max_size=80))
def test_a_second_time_changes_nothing(text: str) -> None:
    """Entries may pass the choke point twice."""
    once = redact(text)
    assert redact(once) == once


@given(st.text(max_size=100))
def test_any_text_passes(text: str) -> None:
    """Nothing a client writes may stop the request."""
    assert isinstance(redact(text), str)
