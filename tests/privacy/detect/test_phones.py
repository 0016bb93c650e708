from collections.abc import Callable

import pytest

Finds = Callable[[str], list[tuple[str, str]]]


@pytest.mark.parametrize(
    "number",
    [
        "89000000101",
        "+7 900 000-01-01",
        "8 (900) 000 01 01",
        "7-900-000-01-01",
        "8/900/000/01/01",
        "8_900_000_01_01",
        "8.9.0.0.0.0.0.0.1.0.1",
        "8•900•000•01•01",
        "8,900,000,01,01",
        "8 900\n000-01-01",
        "8\u200b900\u200b000\u00a001\u00a001",
        "8 9ОО O00 О1 Ol",
        "8-900-ооо-01-01",
        "900 000-01-01",
        "восемь девятьсот сто одиннадцать двадцать два ноль три",
        "восемь, девятьсот пять, сто одиннадцать, двадцать два, ноль три",
        "восемьдевятьсот 1112203",
        "8 девятьсот 111 двадцать два 03",
        "vosem devyatsot pyat sto odinnadcat dvadcat dva nol tri",
        "сигез тугыз йөз биш йөз унбер егерме ике ноль өч",
        "плюс семь девятьсот пять сто одиннадцать двадцать два ноль три",
        "8 900 потом 000 и потом 01 01",
        "8 (84371) 2-00-01",
        "8 800 000-00-01 доб. 12",
        "+998 90 123-45-67",
        "998 90 123-45-67",
        "+49 151 23456789",
        "843 200-00-01",
        "9 0 0 0 0 0 0 1 0 1",
        "8 (700) 000-00-01",
        "+90 532 123 45 67",
    ],
)
def test_a_number_is_found_whole_in_any_writing(finds: Finds, number: str) -> None:
    """People write numbers around filters, by ear and with other keyboards."""
    assert finds(f"это я, {number}") == [("PHONE", number)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("домашний 200-00-01, после шести", "200-00-01"),
        ("тел. 2 00 00 01", "2 00 00 01"),
        ("двести сорок три ноль один ноль два это городской", "двести сорок три ноль один ноль два"),
        ("звоните на 20-00-01", "20-00-01"),
        ("вотсап 998901234567", "998901234567"),
        ("(8552) 30-00-01 это Челны", "8552) 30-00-01"),
        ("телефон 8-900-000-01-0, одной цифры нет", "8-900-000-01-0"),
        ("8 900 000 01 01 до 18 00", "8 900 000 01 01"),
    ],
)
def test_words_beside_it_make_a_short_number_a_phone(finds: Finds, text: str, number: str) -> None:
    """Seven digits and fewer are prices and sizes as well: the words decide."""
    assert finds(text) == [("PHONE", number)]


def test_two_numbers_are_two_finds(finds: Finds) -> None:
    """Separators between two numbers are as odd as those inside of one."""
    for between in (" ", ", ", "/", "\n", " или "):
        assert finds(f"89000000101{between}89000000202") == [("PHONE", "89000000101"), ("PHONE", "89000000202")]


def test_a_short_number_after_a_phone_is_one_too(finds: Finds) -> None:
    """`89... или 200...`: what stands beside a phone in a list is another."""
    assert finds("89000000101 или 2000001") == [("PHONE", "89000000101"), ("PHONE", "2000001")]


@pytest.mark.parametrize(
    "text",
    [
        "заказ 89000000101 не пришёл",
        "номер заказа 9000000101",
        "артикул 900-000-01-01",
        "стоит 8 900 руб, а было 9 170 500 руб",
        "итого 1 850 000 ₽",
        "телефон за 250 00 00 сум",
        "размер оправы 52-18-140",
        "окна на 8 9 и 10 июня, 11 12 13 не могу",
        "в 9:00, 10:30 или 18:00",
        "раз два три четыре пять",
        "двести, триста, пять",
        "код 4418, талон 17",
        "последние цифры 01-01",
        "гарантия 12 месяцев, чек 0047 1209 3381",
    ],
)
def test_prices_orders_and_times_are_no_phones(finds: Finds, text: str) -> None:
    """A clean message must reach its reader unchanged."""
    assert finds(text) == []
