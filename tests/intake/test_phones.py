import subprocess
import sys

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadgate.intake.phones import find_e164


@pytest.mark.parametrize(
    "writing",
    [
        "+79000000101",
        "79000000101",
        "89000000101",
        "9000000101",
        "8 900 000-01-01",
        "8 (900) 000 01 01",
        "+7 900 000‑01‑01",
        "+7\u00a0900\u00a0000\u00a001\u00a001",
        "8.900.000.01.01",
        " 8-900-000-01-01\n",
    ],
)
def test_every_usual_russian_writing_is_one_number(writing: str) -> None:
    """The same person must not become two contacts."""
    assert find_e164(writing) == "+79000000101"


@pytest.mark.parametrize(
    ("writing", "number"),
    [
        ("+375291234567", "+375291234567"),
        ("375291234567", "+375291234567"),
        ("+998 90 123 45 67", "+998901234567"),
        ("998901234567", "+998901234567"),
        ("77010000001", "+77010000001"),
        ("+12025550100", "+12025550100"),
    ],
)
def test_numbers_of_other_countries_keep_their_country(writing: str, number: str) -> None:
    """Messengers give them without the plus."""
    assert find_e164(writing) == number


@pytest.mark.parametrize(
    "writing",
    [
        "",
        "12345",
        "+7",
        "тел 89000000101",
        "89000000101 Алсу",
        "89000000101 доб 5",
        "8900000010",
        "+7900000010123",
        "+89000000101",
        "+0000000000",
        "8 900 +000 01 01",
        "8900000AAAA",
        "tel:+79000000101",
        "9" * 100,
        "٨٩٠٠٠٠٠٠١٠١",
        "89000000101,89000000102",
    ],
)
def test_what_is_no_number_is_none(writing: str) -> None:
    """Nothing is guessed: half a number or words beside it are not a phone."""
    assert find_e164(writing) is None


@given(st.text(max_size=60) | st.text("0123456789+-() ", max_size=60))
def test_any_text_gives_e164_or_none(text: str) -> None:
    """It never raises, and a result is stable: normalising it again changes nothing."""
    found = find_e164(text)
    assert found is None or (found.startswith("+") and found[1:].isdecimal() and find_e164(found) == found)


@settings(max_examples=500)
@example("+79300000000")
@given(st.from_regex(r"(\+7|7|8|)9[0-9]{9}", fullmatch=True))
def test_the_short_way_for_mobile_numbers_agrees_with_the_library(writing: str) -> None:
    """It is a short cut, not another opinion: a number that the library does not know is none here either."""
    number = phonenumbers.parse(writing, "RU")
    theirs = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    ours = find_e164(writing)
    assert ours == theirs if phonenumbers.is_valid_number(number) else ours != theirs


def test_the_metadata_is_loaded_on_first_use_only() -> None:
    """`leadgate --help` need not pay for it."""
    code = "import sys, leadgate.intake.phones; sys.exit('phonenumbers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
