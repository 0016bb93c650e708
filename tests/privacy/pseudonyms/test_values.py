import pytest

from leadgate.privacy.pseudonyms.normal_forms import normalise
from tests.privacy.pseudonyms.rig import Conversation


@pytest.mark.parametrize(
    ("label", "writings"),
    [
        ("PHONE", ("8 900 000-00-01", "+7(900)0000001", "79000000001", "900 000 00 01", "8 9OO 000\u200b 00 0l")),
        ("PHONE", ("8 843 200-00-01 доб. 12", "+78432000001, доб 12")),
        ("PHONE", ("200-00-01", "2000001")),
        ("PHONE", ("восемь девятьсот ноль", "Восемь  девятьсот\nноль")),
        ("EMAIL", ("Alsu@Example.RU", "alsu @ example . ru", "alsu собака example точка ru", "alsu(at)example[dot]ru")),
        ("USERNAME", ("@Alsu_1", "alsu_1", "https://t.me/alsu_1", "t.me/alsu_1/")),
        ("PASSPORT", ("9200 000001", "92 00 000001", "92 00 № 000001")),
        ("SNILS", ("112-233-445 95", "11223344595")),
        ("CARD", ("4111 1111 1111 1111", "4111-1111-1111-1111")),
        ("PLATE", ("А001АА16", "a 001 aa 16 RUS")),
        ("IP", ("2001:db8::1", "2001:0DB8:0:0:0:0:0:1")),
        ("BIRTHDATE", ("05.05.1990", "5 мая 1990", "5/5/1990")),
        ("ADDRESS", ("ул. Волкова, д. 21", "Ул Волкова д 21")),
        ("HEALTH", ("Аллергия на хну", "аллергия  на хну")),
    ],
)
def test_all_writings_of_a_value_are_one(label: str, writings: tuple[str, ...]) -> None:
    """The model is told of one phone, however often and however it was typed."""
    conversation = Conversation()
    assert [conversation.short(f"<{{{writing}|{label}}}>") for writing in writings] == [f"<{label}1>"] * len(writings)
    assert conversation.restore(conversation.marker(label)) == writings[0]


@pytest.mark.parametrize(
    ("label", "left", "right"),
    [
        ("PHONE", "8 900 000-00-01", "8 900 000-00-11"),
        ("PHONE", "8 900 000-00-01", "8 900 000-00-01 доб. 2"),
        ("PHONE", "+81 300 000 001", "+71 300 000 001"),
        ("PHONE", "+49 300 000 01", "+7 493 000 00 01"),
        ("EMAIL", "a.b@example.ru", "ab@example.ru"),
        ("USERNAME", "https://vk.com/alsu", "@alsu"),
        ("IP", "10.0.0.1", "10.0.0.11"),
        ("BIRTHDATE", "01.11.1990", "11.01.1990"),
        ("ADDRESS", "ул. Волкова, д. 21", "ул. Волкова, д. 2, 1"),
        ("PLATE", "А001АА16", "А001АА116"),
    ],
)
def test_two_values_are_two(label: str, left: str, right: str) -> None:
    """Order, signs and digits that matter are kept in the normal form."""
    assert normalise(label, left) != normalise(label, right)


@pytest.mark.parametrize("label", ["PHONE", "EMAIL", "USERNAME", "PLATE", "IP", "BIRTHDATE", "CARD", "ADDRESS"])
@pytest.mark.parametrize("typed", ["в ближайшее время", "https://", "…", "12"])
def test_what_a_rule_cannot_read_keeps_a_form_of_its_own(label: str, typed: str) -> None:
    """An empty form would make one value of all that cannot be read."""
    assert normalise(label, typed) != ""
