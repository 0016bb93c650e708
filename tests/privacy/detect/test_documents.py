from collections.abc import Callable

import pytest

from leadgate.privacy.detect.spans import Span

Finds = Callable[[str], list[tuple[str, str]]]

CARD, POLICY, SNILS, INN, FIRM = "2202203611223340", "1654123456789012", "123-456-789 64", "165512340987", "1655123407"


@pytest.mark.parametrize(
    ("text", "label", "value"),
    [
        ("паспорт 9200 000001", "PASSPORT", "9200 000001"),
        ("паспорт для договора: 9200 000001", "PASSPORT", "9200 000001"),
        ("серия 9200 № 000001", "PASSPORT", "9200 № 000001"),
        ("92 14 № 000001 вот", "PASSPORT", "92 14 № 000001"),
        ("паспорт 9000000101, выдан 12.03.2010", "PASSPORT", "9000000101"),
        ("загран 75 0000001", "PASSPORT", "75 0000001"),
        ("паспорт гражданки Казахстана N 00000012", "PASSPORT", "N 00000012"),
        ("паспорт девяносто два четырнадцать восемьсот пять триста шестнадцать", "PASSPORT", None),
        (f"мой {SNILS}", "SNILS", SNILS),
        ("СНИЛС 123-456-789 00", "SNILS", "123-456-789 00"),
        ("С Н И Л С 12345678900", "SNILS", "12345678900"),
        (f"ИНН {INN}", "INN", INN),
        ("инн 165512340988, вроде так", "INN", "165512340988"),
        ("в инн цифру потеряла 16551234098", "INN", "16551234098"),
        (f"ИНН вашей клиники для счёта. А наш: {FIRM}", "INN", FIRM),
        (f"ООО Лотос, {FIRM}", "INN", FIRM),
        (f"справка нужна, {INN}", "INN", INN),
        (f"полис {POLICY}", "OMS", POLICY),
        ("ОМС 1654 1234 5678 9010", "OMS", "1654 1234 5678 9010"),
        ("бала туды, полис әле телефонда гына 1654 1234 5678 9012", "OMS", "1654 1234 5678 9012"),
        ("1654 1234 5678 9012 это омс", "OMS", "1654 1234 5678 9012"),
        (f"вот {CARD}", "CARD", CARD),
        ("переведите на 2202 2036 1122 3341", "CARD", "2202 2036 1122 3341"),
        ("карта 2202 2036 1122 3341", "CARD", "2202 2036 1122 3341"),
        ("карта 2202 2036 1122 3340 срок 08/27", "CARD", "2202 2036 1122 3340"),
        ("карта Маэстро 6390 0262 9012 3456 73", "CARD", "6390 0262 9012 3456 73"),
        ("р/с 40817810000000000001", "ACCOUNT", "40817810000000000001"),
        ("верните на 408 17 810 0 0000 0000001", "ACCOUNT", "408 17 810 0 0000 0000001"),
        ("счёт 408178100000\n00000001", "ACCOUNT", "408178100000\n00000001"),
    ],
)
def test_a_document_is_found_whole(finds: Finds, text: str, label: str, value: str | None) -> None:
    """Announced numbers are masked even when the check digit fails: people mistype."""
    assert finds(text) == [(label, value or text.removeprefix("паспорт "))]


def test_series_and_number_apart_are_two_finds(finds: Finds) -> None:
    """The words between them are nobody's data."""
    assert finds("загранпаспорт серия 75 номер 0000001") == [("PASSPORT", "75"), ("PASSPORT", "0000001")]
    assert finds("серия 92 00, номер 000 001") == [("PASSPORT", "92 00"), ("PASSPORT", "000 001")]
    assert finds("92 00, 000001, выдан в Казани") == [("PASSPORT", "92 00"), ("PASSPORT", "000001")]
    assert finds("пасп. с.9200 н.000001") == [("PASSPORT", "9200"), ("PASSPORT", "000001")]
    assert finds("номер паспорта 000001, серия там 92 00") == [("PASSPORT", "000001"), ("PASSPORT", "92 00")]


def test_series_and_number_of_other_things_are_none(finds: Finds) -> None:
    """A gel of a series, an order with a number, a comma between prices."""
    for text in (
        "лак серии 92 00",
        "серия сериала 12 45",
        "номер заказа 000001",
        "92 00, 000001, спасибо",
    ):
        assert finds(text) == [], text


def test_an_account_that_a_bank_announces_is_no_card(finds: Finds) -> None:
    """Its first sixteen digits may pass the check of a card."""
    account = "40817-810-0-00038-540172"
    assert finds(f"счет в тинькофф {account}") == [("ACCOUNT", account)]


def test_a_list_of_the_same_kind_is_announced_once(finds: Finds) -> None:
    """`СНИЛС дочери ..., мой ...`: the second has no word of its own and a wrong check digit."""
    text = "СНИЛС дочери 123-456-789 00, мой 123-456-789 01"
    assert finds(text) == [("SNILS", "123-456-789 00"), ("SNILS", "123-456-789 01")]


def test_several_documents_keep_their_own_words(finds: Finds) -> None:
    """The nearest word decides, not the first."""
    text = f"инн {INN}, снилс 12345678964, полис {POLICY}, карта {CARD}, тел 89000000101"
    assert [label for label, _ in finds(text)] == ["INN", "SNILS", "OMS", "CARD", "PHONE"]


@pytest.mark.parametrize(
    "text",
    [
        f"заказ {FIRM}",
        f"номер брони {FIRM}",
        f"просто число {FIRM}",
        f"накладная {INN}",
        f"трек {CARD}",
        "артикул 733905553844",
        "вот 2202 2036 1122 3341",
        "1654 1234 5678 9010",
        "бонусная карта 0012345678901",
        "карта на 4410, вторая *1234",
        "КБК 18210102010011000110",
        "БИК 040000001, КПП 165001001",
        "ОГРН 1027700132195",
        "паспорт нужен? договор 418/22",
        "полис спросят? а ИНН из 10 или 12 цифр?",
        "счёт на 15 000",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
    ],
)
def test_other_numbers_are_left_alone(finds: Finds, text: str) -> None:
    """One random number in ten passes a check digit: a form alone is not enough where something else is named."""
    assert finds(text) == []


def test_a_word_of_the_phone_nearby_beats_a_far_passport(finds: Finds) -> None:
    """Ten digits are both: the sentence about the passport has ended."""
    assert finds("паспорт забыл. наберите 9000000101") == [("PHONE", "9000000101")]


def test_a_name_is_no_announcement(finds: Finds) -> None:
    """`Инна` begins like `ИНН`."""
    assert finds("Инна 9000000101") == [("PHONE", "9000000101")]


def test_a_find_says_why(spans: Callable[[str], list[Span]]) -> None:
    """`--explain` shows rule, cue and check digit."""
    [right] = spans(f"мой ИНН {INN}")
    [wrong] = spans("мой ИНН 165512340988")
    [plain] = spans("89000000101")
    assert (right.rule, right.cue, right.is_checked) == ("inn.announced", "инн", True)
    assert wrong.is_checked is False
    assert (plain.rule, plain.cue, plain.is_checked) == ("phone.full", None, None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("карта 4111 1111 1111 1111, спасибо", [("CARD", "4111 1111 1111 1111")]),
        ("4111-1111-1111-1111 и 5555555555554444", [("CARD", "4111-1111-1111-1111"), ("CARD", "5555555555554444")]),
        ("мой СНИЛС 112-233-445 95", [("SNILS", "112-233-445 95")]),
        ("паспорт серия 9200 номер не помню", []),
        ("полис ОМС 1234567890123456", [("OMS", "1234567890123456")]),
        ("счёт 40817810000000000000 1", [("ACCOUNT", "40817810000000000000")]),
        ("4111 1111 1111 1112", []),
        ("заказ 1234567890123", []),
        ("маникюр 2500, педикюр 3000, 12.05.2026", []),
        ("", []),
    ],
)
def test_what_the_crm_never_needed_is_still_found(finds: Finds, text: str, found: list[tuple[str, str]]) -> None:
    """The choke point stood before this detector and must not lose what it masked."""
    assert finds(text) == found
