from collections.abc import Callable

import pytest

Finds = Callable[[str], list[tuple[str, str]]]


@pytest.mark.parametrize(
    "address",
    [
        "anna.k-1@mail.example",
        "anna@mail,ru",
        "anna @ mail . ru",
        "a n n a @ mail . ru",
        "anna(at)mail(dot)ru",
        "anna [at] mail [dot] ru",
        "anna.k at mail dot ru",
        "anna at mail dot ru",
        "o.petrova at mail ru",
        "anna@mailru",
        "anna собака мэйл точка ру",
        "anna точка k собачка gmail точка com",
        "anna нижнее подчеркивание 99 собака яндекс точка ру",
        "эр и эн а собака яндекс точка ру",
        "анна собака mail.ru",
        "anna@gmail",
        "анна@пример.рф",
    ],
)
def test_an_email_is_found_around_the_filter(finds: Finds, address: str) -> None:
    """The whole address, also when it is spelled."""
    assert finds(f"почта: {address}, спасибо") == [("EMAIL", address)]


@pytest.mark.parametrize(
    "text",
    [
        "у меня собака, точка",
        "знак @ не печатается",
        "сайт salon.example открыт?",
        "пишите на mail ру",
        "It is shown at business.example.ru",
        "@all кто завтра?",
        "в инсте и вк вас нет",
        "приложение telegram desktop не открывается",
        "логин и пароль не подходят",
        "instagram.com/p/Cabc123",
        "Instagram posts are blocked",
        "инста salon-anna.ru",
        "vk.com/wall-123_456",
        "версия 10.15.7.2 и 4.2.1.17",
        "приложение 3.11.22.64",
        "открыто 12:30:45",
        "с 100 см 30 до пола",
        "о 500 км 16 раз",
        "арт. 123-АВ",
        "на 300 16 штук в номере",
        "127.0.0.1",
    ],
)
def test_look_alikes_are_left_alone(finds: Finds, text: str) -> None:
    """A dog, a version, a measure and a brand are no contacts."""
    assert finds(text) == []


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("пишите @anna_k.", "@anna_k"),
        ("@a.n.n.a вот", "@a.n.n.a"),
        ("https://t.me/anna_k, туда", "https://t.me/anna_k"),
        ("wa.me/79000000101", "wa.me/79000000101"),
        ("vk.com/id000123!", "vk.com/id000123"),
        ("t . me / anna_k", "t . me / anna_k"),
        ("мой ник anna", "anna"),
        ("в инсте теперь, увы, под старым именем anna_84", "anna_84"),
        ("ник в телеге лиса_16", "лиса_16"),
        ("инст мой nails.by.anna", "nails.by.anna"),
        ("телеграм — Anna_K", "Anna_K"),
        ("тг anna нижнее подчеркивание k", "anna нижнее подчеркивание k"),
        ("дискорд anna#0001", "anna#0001"),
        ("ник минеке телегада anna_84", "anna_84"),
    ],
)
def test_a_user_name_is_found(finds: Finds, text: str, handle: str) -> None:
    """With its @ or scheme; a bare one where a word announces it."""
    assert finds(text) == [("USERNAME", handle)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("айпи 95.0.0.14 мой", "95.0.0.14"),
        ("мой ноут получил 10.0.14.22", "10.0.14.22"),
        ("95 . 0 . 114 . 6 вот такой айпи", "95 . 0 . 114 . 6"),
        ("ip 95,0,114,6", "95,0,114,6"),
        ("IP 95.0.114.2О", "95.0.114.2О"),
        ("пишет 2001:db8:1::17", "2001:db8:1::17"),
        ("ip 95.0.114.6:8080", "95.0.114.6"),
    ],
)
def test_an_internet_address_is_found(finds: Finds, text: str, address: str) -> None:
    """Both kinds; the port is no part of it."""
    assert finds(text) == [("IP", address)]


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("А000АА16 приедет", "А000АА16"),
        ("x 505 xx 116 rus", "x 505 xx 116"),
        ("в777ор/716", "в777ор/716"),
        ("в777ор\n716", "в777ор\n716"),
        ("в777ор716rus", "в777ор716"),
        ("машина о001оо", "о001оо"),
        ("прицеп АВ 0001 16", "АВ 0001 16"),
        ("такси ВА 001 16", "ВА 001 16"),
        (
            "на парковке а триста двадцать два е эм семьсот шестнадцать",
            "а триста двадцать два е эм семьсот шестнадцать",
        ),
    ],
)
def test_a_plate_is_found(finds: Finds, text: str, plate: str) -> None:
    """Without `RUS`; rarer forms only near a word about cars."""
    assert finds(text) == [("PLATE", plate)]
