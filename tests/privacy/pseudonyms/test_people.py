import pytest

from leadgate.privacy.pseudonyms.names import settle_name
from leadgate.privacy.pseudonyms.table import Reading
from tests.privacy.pseudonyms.rig import Conversation


@pytest.mark.parametrize(
    "forms",
    [
        ("Алсу Гарипова", "Алсу Гариповой", "гарипову алсу", "ГАРИПОВА АЛСУ"),
        ("Ильнур", "Ильнура", "Ильнуру", "Ильнуром", "ильнуре"),
        ("Айгуль", "Айгули", "Айгулью"),
        ("Гузель", "гузели"),
        ("Марина", "Марины", "Марине", "Марину", "Мариной"),
        ("Асия", "Асии", "Асию", "Асией"),
        ("Миляуша", "Миляуше", "Миляушу", "Миляушей"),
        ("Рифкат", "Рифката", "Рифкатом"),
        ("Фёдор", "Федора", "Фёдору"),
        ("Павел", "Павла", "Павлом"),
        ("Илья Петрович", "Илье Петровичу", "Ильи Петровича"),
        ("Самигуллин Ринат Тагирович", "Самигуллина Рината Тагировича", "рината тагировича самигуллина"),
        ("Камила", "Kамилa", "Ками\u200bлы"),
        ("Анна-Мария", "Анне-Марии"),
        ("Тансылу", "тансылу"),
        ("Фәридә", "фәридә"),
        ("Liliya Safina", "LILIYA SAFINA", "Safina Liliya"),
        ("Бадертдинова Гузель Хамитовна", "Бадертдинова Г.Х.", "Бадертдиновой Г. Х."),
        ("Саша Гарипов", "Сашей Гариповым"),
        ("Гёзель", "гезель"),
        ("Ильфрид", "Ильфридом", "Ильфриду"),
        ("Зулейха", "Зулейхи", "Зулейхе"),
        ("Миляушка", "Миляушки", "Миляушкой"),
    ],
)
def test_all_forms_of_a_name_are_one_person(forms: tuple[str, ...]) -> None:
    """A model that sees two placeholders for one client answers about two clients."""
    conversation = Conversation()
    assert [conversation.short(f"{{{form}|PERSON}}") for form in forms] == ["PERSON1"] * len(forms)


@pytest.mark.parametrize(
    "names",
    [
        ("Алсу Гарипова", "Алсу Валеева"),
        ("Алсу", "Алсу Гарипова"),
        ("Гариповым", "Гариповой"),
        ("Гарипова", "Гарипов"),
        ("Александром Козловым", "Александрой Козловой"),
        ("Иван Иванов", "Иван Петров"),
        ("Алсу Тагировна", "Гарипова Алсу"),
        ("Маша", "Мария"),
        ("Ильнура Гарипова", "Ильнур Гарипов"),
        ("Низамов С. Р.", "Низамов Тагир"),
        ("Анна", "Инна"),
        ("Liliya", "Лилия"),
    ],
)
def test_two_people_are_never_merged(names: tuple[str, str]) -> None:
    """A wrong merge puts one person's name into a sentence about the other; a wrong split does no harm."""
    conversation = Conversation()
    assert [conversation.short(f"{{{name}|PERSON}}") for name in names] == ["PERSON1", "PERSON2"]


def test_a_given_name_after_the_full_name_is_the_same_person_while_there_is_only_one() -> None:
    """Clients give the full name once and the given name ever after."""
    conversation = Conversation()
    assert conversation.short("{Алсу Гарипова|PERSON} и {Ильнур|PERSON}") == "PERSON1 и PERSON2"
    assert conversation.short("к {Алсу|PERSON}, {Гариповой|PERSON}") == "к PERSON1, PERSON1"


def test_a_given_name_that_two_people_share_is_a_person_of_its_own_and_stays_one() -> None:
    """Nobody knows which of the two is meant, and it is the same question each time."""
    conversation = Conversation("{Алсу Гарипова|PERSON}", "{Алсу Валеева|PERSON}")
    assert conversation.short("{Алсу|PERSON}") == "PERSON3"
    assert conversation.short("у {Алсу|PERSON}") == "у PERSON3"
    assert conversation.short("{Алсу Хасанова|PERSON}") == "PERSON4"
    assert conversation.short("{Алсу|PERSON}") == "PERSON3"


def test_a_form_of_two_known_people_is_a_third_one_and_stays_one() -> None:
    """«Сабирзяну» is his dative and her accusative."""
    conversation = Conversation("с {Сабирзяном|PERSON}", "с {Сабирзяной|PERSON}")
    assert conversation.short("{Сабирзяну|PERSON}, {Сабирзяну|PERSON}") == "PERSON3, PERSON3"


def test_a_womans_name_is_settled_by_another_case() -> None:
    """«Ромини» may be of Роминя and of Роминь; the accusative tells."""
    conversation = Conversation("{Ромини|PERSON}")
    assert conversation.restore(conversation.marker()) == "Ромини"
    assert conversation.short("{Роминю|PERSON}") == "PERSON1"
    assert conversation.restore(conversation.marker()) == "Роминя"


def test_a_name_that_cannot_be_read_as_asked_stays_as_typed() -> None:
    """A table of an older version may know readings that the rules of today do not give."""
    assert settle_name("анна", Reading("masc", ("тимур",))) == "Анна"
    assert settle_name("🌸", Reading("masc", ("тимур",))) == "🌸"


def test_who_is_meant_stays_open_until_somebody_says_it() -> None:
    """«Алсу Тагировна» was one of two; a third with that name does not make her the third."""
    conversation = Conversation("{Гарипова Алсу Тагировна|PERSON}", "{Валеева Алсу Тагировна|PERSON}")
    assert conversation.short("{Алсу Тагировна|PERSON}") == "PERSON3"
    assert conversation.short("{Хасанова Алсу Тагировна|PERSON}") == "PERSON4"
    assert conversation.short("{Тагировна|PERSON}") == "PERSON5"


def test_a_man_and_a_woman_of_one_name_are_two() -> None:
    """A man's name declines, a woman's that ends in a consonant does not."""
    conversation = Conversation()
    assert conversation.short("к {Ильфрид|PERSON}") == "к PERSON1"
    assert conversation.short("с {Ильфридом|PERSON}") == "с PERSON2"


def test_a_known_given_name_stays_itself_when_a_full_one_comes() -> None:
    """«Можно к Алсу?», then «Меня зовут Алсу Гарипова»: the master and the client."""
    conversation = Conversation("можно к {Алсу|PERSON}?", "меня зовут {Алсу Гарипова|PERSON}")
    assert conversation.short("{Алсу|PERSON}, {Алсу Гарипова|PERSON}") == "PERSON1, PERSON2"


def test_a_name_grows_when_two_of_its_words_are_known() -> None:
    """First as people say it, then as a form asks for it."""
    conversation = Conversation("{Гузель Гарипова|PERSON}")
    assert conversation.short("{Гарипова Гузель Тагировна|PERSON}, {Гузель Тагировна|PERSON}") == "PERSON1, PERSON1"
    assert conversation.restore(conversation.marker()) == "Гарипова Гузель Тагировна"


def test_a_form_that_a_known_person_may_have_is_that_person() -> None:
    """«Ильнура» after «Ильнур» is his genitive, unless the words before ask for a woman's case."""
    conversation = Conversation("{Ильнур|PERSON}")
    assert conversation.short("{Ильнура|PERSON} ждём") == "PERSON1 ждём"
    assert conversation.short("к {Ильнуре|PERSON}") == "к PERSON2"


def test_initials_grow_into_the_names_they_begin() -> None:
    """A surname and an initial are two words of a name."""
    conversation = Conversation("{Низамов С. Р.|PERSON}")
    assert conversation.short("{Низамов Сергей Рашидович|PERSON}") == "PERSON1"


def test_a_doubtful_form_is_settled_by_a_later_one() -> None:
    """«Сабирзяну» may be his dative or her accusative; «Сабирзяном» is his alone."""
    conversation = Conversation("{Сабирзяну|PERSON}")
    assert conversation.restore(conversation.marker()) == "Сабирзяну"
    assert conversation.short("{Сабирзяном|PERSON}") == "PERSON1"
    assert conversation.restore(conversation.marker()) == "Сабирзян"


@pytest.mark.parametrize(
    ("before", "typed", "nominative"),
    [
        ("у ", "Ильнура", "Ильнур"),
        ("это ", "Ильнура", "Ильнура"),
        ("запишите ", "александра", "Александр"),
        ("запишите ", "александру", "Александра"),
        ("напишите ", "александру", "Александр"),
        ("к мастеру ", "Ильнуре", "Ильнура"),
        ("к мастеру ", "Ильнуру", "Ильнур"),
        ("от ", "Лены Козловой", "Лена Козлова"),
    ],
)
def test_the_words_before_decide_between_two_names(before: str, typed: str, nominative: str) -> None:
    """Many Tatar and Russian names come in pairs whose forms overlap."""
    conversation = Conversation(f"{before}{{{typed}|PERSON}}")
    assert conversation.restore(conversation.marker()) == nominative


@pytest.mark.parametrize("name", ["Анна Ильнур", "🌸", "7", "Г. Х.", "а б в г д е ж з и к", "оглы"])
def test_a_name_that_nobody_can_read_is_still_one_person(name: str) -> None:
    """The detector may call anything a name."""
    conversation = Conversation()
    first = conversation.short(f"({{{name}|PERSON}})")
    assert conversation.short(f"({{{name}|PERSON}})") == first
    assert conversation.restore(conversation.hide(f"({{{name}|PERSON}})")).lower() == f"({name})".lower()
