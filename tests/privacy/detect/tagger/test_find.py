import pytest

from leadgate.privacy.detect.fold import fold
from leadgate.privacy.detect.spans import Label, Span
from leadgate.privacy.detect.tagger import find_worded, warm_up
from tests.privacy.growth import MOST_GROWTH, growth


def found(text: str, *taken: Span) -> list[tuple[str, str]]:
    """Labels and words that are found in a text."""
    folded = fold(text)
    return [(span.label.value, folded.text[span.start : span.end]) for span in find_worded(folded, taken)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("запишите меня к Гульшат на пятницу", "Гульшат"),
        ("запишите меня к гульшат на пятницу", "гульшат"),
        ("ЗАПИШИТЕ МЕНЯ К ГУЛЬШАТ НА ПЯТНИЦУ", "ГУЛЬШАТ"),
        ("передайте Наталье Сергеевне, что опоздаю", "Наталье Сергеевне"),
        ("меня зовут людмила аркадьевна", "людмила аркадьевна"),
        ("договорились с Рустамом", "Рустамом"),
        ("Зөһрәгә языгыз мине", "Зөһрәгә"),
        ("алсу", "алсу"),
        ("Eto Liliya, zapishite na subbotu", "Liliya"),
        ("заказчик Тюльпаненко В. Г., счёт пришлите", "Тюльпаненко В. Г."),
    ],
)
def test_a_person_is_found_in_every_case_and_writing(text: str, name: str) -> None:
    """Clients type as they speak: a name left in small letters reaches the model as surely as one with a capital."""
    assert ("PERSON", name) in found(text)


@pytest.mark.parametrize(
    "text", ["моя фамилия Вышкварцев", "к доктору Зурабидзиани на приём", "это Хыйрыллабаева, перезвоните"]
)
def test_a_name_that_no_list_has_is_found_by_its_form_and_company(text: str) -> None:
    """Lists end; people do not."""
    assert [label for label, _ in found(text)] == ["PERSON"]


@pytest.mark.parametrize(
    "text",
    [
        "салон «Регина» где находится?",
        "роза на ногтях сколько стоит",
        "вы на Пушкина или на Баумана?",
        "сколько стоит маникюр с покрытием",
        "надежда есть что окошко появится?",
        "с 8 марта вас!",
        "делаете ли педикюр беременным?",
        "",
        "?!",
        "12:30",
    ],
)
def test_what_only_looks_personal_stays(text: str) -> None:
    """A masked shop or flower is a question that nobody can answer."""
    assert found(text) == []


def test_a_word_that_is_also_a_name_is_decided_by_its_company() -> None:
    """Roses grow on nails, and Roza comes at ten."""
    assert found("запишите Розу Ахметовну на 10") == [("PERSON", "Розу Ахметовну")]
    assert found("нарисуйте розу на безымянном") == []


def test_names_of_a_list_are_separate_finds() -> None:
    """Each gets a placeholder of its own."""
    assert found("Придём втроём: Алина, Диляра и Марат") == [
        ("PERSON", "Алина"),
        ("PERSON", "Диляра"),
        ("PERSON", "Марат"),
    ]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("доставьте на ул. Ломоносова, д. 14, кв. 7, после шести", "ул. Ломоносова, д. 14, кв. 7"),
        ("курьеру: чкалова 8 кв 31 подъезд 2", "чкалова 8 кв 31 подъезд 2"),
        ("живу в селе Васильевка, улица Лесная, дом 3", "селе Васильевка, улица Лесная, дом 3"),
    ],
)
def test_an_address_goes_from_its_first_part_to_its_last(text: str, address: str) -> None:
    """A flat that is left over still says where somebody lives."""
    assert ("ADDRESS", address) in found(text)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("у меня аллергия на прополис", "аллергия на прополис"),
        ("я беременна, можно мне красить волосы?", "беременна"),
        ("мама пьёт варфарин", "варфарин"),
        ("У СЫНА ЭПИЛЕПСИЯ", "ЭПИЛЕПСИЯ"),
    ],
)
def test_a_statement_about_health_is_found(text: str, phrase: str) -> None:
    """Health is the category that the law guards most."""
    assert ("HEALTH", phrase) in found(text)


def test_what_was_taken_is_not_found_again() -> None:
    """Two finders never claim the same letters, and a name beside a taken number is still found."""
    text = "Иван Петров ivan@petrov.ru"
    taken = Span(12, len(text), Label.EMAIL, "email")
    assert found(text, taken) == [("PERSON", "Иван Петров")]


def test_places_are_those_of_the_folded_text() -> None:
    """The joiner maps them back, so a name typed around invisible letters is covered whole."""
    folded = fold("это А\u200bль\u200bбина")
    span = find_worded(folded, ())[0]
    assert folded.place(span.start, span.end) == (4, 13)


def test_the_same_text_gives_the_same_finds() -> None:
    """What is kept between messages is only quick, never an influence."""
    text = "Запишите Айгуль к Розе, ул. Мира 5-12, аллергия на мёд"
    assert found(text) == found(text)


@pytest.mark.parametrize("seed", ["а", "abc,", ",.;:", "a.1-", "Алсу ", "1 ", "иа-", "ул. "])
def test_a_hostile_text_does_not_block(seed: str) -> None:
    """A letter of a very long text costs no more than one of a short one: a message must not hold up the others."""
    warm_up()
    assert growth(lambda text: find_worded(fold(text), ()), seed) < MOST_GROWTH


def test_a_name_in_a_very_long_text_is_found() -> None:
    """A long paste is read hastily, never skipped."""
    text = "сколько стоит стрижка? " * 2_000 + "Передайте Гульнаре Ахметовне спасибо"
    assert ("PERSON", "Гульнаре Ахметовне") in found(text)


def test_in_a_very_long_text_nothing_taken_is_found_again() -> None:
    """Its parts are read one by one, and what was taken may lie across their edges."""
    text = "Передайте Гульнаре Ахметовне спасибо, звонила Ольга. " * 600
    taken = [Span(start, start + 30, Label.EMAIL, "email") for start in range(15, len(text) - 40, 97)]
    spans = find_worded(fold(text), taken)
    assert spans
    assert not any(span.start < other.end and other.start < span.end for span in spans for other in taken)
