import pytest

from leadgate.privacy.detect.fold import fold
from leadgate.privacy.detect.structured import find_structured
from tests.privacy.growth import MOST_GROWTH, growth

_SEEDS = (
    "1 ", "9", "8 9", "4 ", "1, ", "1-", "1a", "8 (", "+7", "+1 ", "+998 90 ", "12345678901234567890 ", "2202 2036 4418 5570 ",
    "1 потом ", "и потом ", "номер 264-18-03 ", "@", "a@", "a.", "@a.ru", "a@b.c ", "@a_b ", "собака ", "x собака яндекс ",
    "точка ", "(at)", "a b c ", "ноль ", "двадцать ", "восемьдевять", "один", "тг a ", "ник ",
    "t.me/", "vk.com/", "1.", "1.1.1.1.",
    ":", "f:f:", "::", "паспорт n ", "серия 1111 ", "заказ ", "инн 1", "др 1.1 ", "5 мая ", "мая ", "первого ", "туган 1 ", "г.р. ",
    "12.05.1990 г.р. ", "12.05.1990 ", "1990 ", "Иванов Иван ", "а123вс", "а 111 аа ", "а вэ ",
    "😀", "8😀", "\u200b8", "  ", "\n", "o l z ",
)  # fmt: skip


@pytest.mark.parametrize("seed", _SEEDS)
def test_no_text_blocks(seed: str) -> None:
    """A hundred thousand characters of anything cost no more for each than a few: one message must never hold up the others."""
    assert growth(lambda text: find_structured(fold(text)), seed) < MOST_GROWTH


def test_a_number_behind_a_flood_is_masked() -> None:
    """Who floods the filter to get a number past it fails."""
    text = "1 ! " * 5_000 + "89000000101"
    assert any(span.start <= len(text) - 11 and span.end == len(text) for span in find_structured(fold(text)))


def test_the_same_text_gives_the_same_finds() -> None:
    """Nothing is remembered between messages."""
    text = "Анна, 8 900 000-01-01, anna@mail.example, др 5 мая"
    assert find_structured(fold(text)) == find_structured(fold(text))
