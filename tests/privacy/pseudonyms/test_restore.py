import msgspec
import pytest

from leadgate.errors import PrivacyError
from leadgate.privacy.pseudonyms.restore import Restorer, restore
from leadgate.privacy.pseudonyms.table import Entry, Reading
from tests.privacy.pseudonyms.rig import Conversation

KNOWN = (
    "{Алсу Гарипова|PERSON}",
    "{Тимур|PERSON}",
    "{8 900 000-00-01|PHONE}",
    *(f"{{Анна{'б' * n}|PERSON}}" for n in range(9)),
)


@pytest.fixture
def conversation() -> Conversation:
    """Eleven people, so that 1 and 11 both exist, and a phone."""
    return Conversation(*KNOWN)


@pytest.mark.parametrize("recipient", ["telegram:2000", "", "TELEGRAM:1000"])
def test_another_recipient_gets_nothing(conversation: Conversation, recipient: str) -> None:
    """A restored value must never reach another client; the message names nobody."""
    with pytest.raises(PrivacyError) as refused:
        restore(conversation.marker(), conversation.table, recipient)
    assert "Алсу" not in f"{refused.value}{refused.value.hint}"
    with pytest.raises(PrivacyError):
        Restorer(conversation.table, recipient)


@pytest.mark.parametrize(
    "damaged",
    [
        "⟦PERSON-1-{tag}⟧",
        "⟦person-1-{TAG}⟧",
        "⟦ PERSON - 1 - {tag} ⟧",
        "⟦PERSON–1—{tag}⟧",
        "⟦PERSON_1_{tag}⟧",
        "⟦PERSON\\_1\\_{tag}⟧",
        "⟦PERSON 1 {tag}⟧",
        "⟦PERSON1{tag}⟧",
        "⟦PERSON-1-{tag}",
        "PERSON-1-{tag}⟧",
        "PERSON-1-{tag}",
        "[PERSON-1-{tag}]",
        "[[PERSON-1-{tag}]]",
        "{{PERSON-1-{tag}}}",
        "<PERSON-1-{tag}>",
        "⟦РЕRSОN-1-{tag}⟧",
        "⟦реrsоn-1-{tag}⟧",
    ],
)
def test_slight_damage_is_undone(conversation: Conversation, damaged: str) -> None:
    """Models change brackets, dashes and letters; what was meant is beyond doubt."""
    tag = conversation.table.tag
    text = damaged.replace("{tag}", tag).replace("{TAG}", tag.upper())
    assert conversation.restore(f"Здравствуйте, {text}!") == "Здравствуйте, Алсу Гарипова!"


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ("⟦PERSON-11-{tag}⟧", "Аннабббббббб"),
        ("⟦PERSON-1 1-{tag}⟧", "клиент"),
        ("⟦PERSON-01-{tag}⟧", "клиент"),
        ("⟦PERSON-l-{tag}⟧", "клиент"),
        ("⟦PERSON-111-{tag}⟧", "клиент"),
        ("⟦PERSON-1-{tag}x⟧", "клиент"),
        ("⟦PERSON-1-{short}⟧", "клиент"),
        ("⟦PERSON-1-{other}⟧", "клиент"),
        ("⟦PERSON-1⟧", "клиент"),
        ("⟦PERSON-1", "клиент"),
        ("[PERSON_1]", "клиент"),
        ("PERSON_1", "клиент"),
        ("⟦PHONE-2-{tag}⟧", "номер телефона"),
        ("⟦PHONE-1-{tag}⟧", "8 900 000-00-01"),
        ("⟦PERSOM-1-{tag}⟧", "(не указано)"),
        ("⟦имя клиента⟧", "(не указано)"),
        ("⟦⟧", "(не указано)"),
        ("⟦", ""),
        ("⟧", ""),
    ],
)
def test_what_cannot_be_resolved_becomes_a_neutral_word(conversation: Conversation, changed: str, shown: str) -> None:
    """Digits and tag are exact: 1 and 11 are two people. And a client never reads a raw placeholder."""
    tag = conversation.table.tag
    text = changed.replace("{tag}", tag).replace("{short}", tag[:-1]).replace("{other}", tag[::-1])
    assert conversation.restore(f"Вот: {text}, да") == f"Вот: {shown}, да"


@pytest.mark.parametrize(
    "plain", ["Лампа IP-65", "card 1", "PERSON", "[x](https://example.ru)", "если a<b", "INN-1234", "е", "⸤⟨⟩"]
)
def test_ordinary_text_is_left_alone(conversation: Conversation, plain: str) -> None:
    """Most answers have no placeholder at all."""
    assert conversation.restore(plain) == plain


def test_english_has_its_own_neutral_words(conversation: Conversation) -> None:
    """The words come from the catalogue."""
    assert restore("Dear ⟦PERSON-99⟧,", conversation.table, conversation.table.recipient, locale="en") == "Dear client,"


@pytest.mark.parametrize(
    ("name", "answer", "shown"),
    [
        ("Алсу Гарипова", "Записала к {}.", "Записала к Алсу Гариповой."),
        ("Алсу Гарипова", "Здравствуйте, {}!", "Здравствуйте, Алсу Гарипова!"),
        ("Алсу Гарипова", "Ждём {} завтра", "Ждём Алсу Гарипову завтра"),
        ("алсу гарипова", "Запись на {}", "Запись на Алсу Гарипову"),
        ("Тимур", "от {} и к **{}**", "от Тимура и к **Тимуру**"),
        ("Тимур", "С {} говорили, о {} тоже", "С Тимуром говорили, о Тимуре тоже"),
        ("Тимур", "передам {}: ждём", "передам Тимуру: ждём"),
        ("Тимур", "у мастера {}, мастеру {}, мастера {}", "у мастера Тимура, мастеру Тимуру, мастера Тимура"),
        ("Анна", "мастера {}", "мастера Анна"),
        ("Анна", "за {}", "за Анна"),
        ("Анна", "записала {}", "записала Анна"),
        ("Анна", "Здравствуйте, {}", "Здравствуйте, Анна"),
        ("Анна", "с «{}»", "с «Анной»"),
        ("Гульназ Гарипова", "у {}", "у Гульназ Гариповой"),
        ("Айгуль", "с {}", "с Айгуль"),
        ("Ольга Шевченко", "к {}", "к Ольге Шевченко"),
        ("Низамов С. Р.", "к {}", "к Низамову С. Р."),
        ("Миляуша", "к {}", "к Миляуше"),
        ("Зульфия", "к {}, с {}", "к Зульфии, с Зульфией"),
        ("Саша", "с {}", "с Сашей"),
        ("Liliya Safina", "к {}", "к Liliya Safina"),
        ("Фәридә", "к {}", "к Фәридә"),
        ("Ильфрид", "к {}", "к Ильфрид"),
        ("Ильфридом", "к {}", "к Ильфриду"),
        ("Инзина", "к {}, с {}", "к Инзина, с Инзиной"),
        ("Айрат Насибуллин", "с {}", "с Айратом Насибуллиным"),
        ("Зиля Бадертдинова", "с {}, у {}", "с Зилей Бадертдиновой, у Зили Бадертдиновой"),
        ("Илья", "с {}", "с Ильей"),
        ("Асия", "к {}, для {}", "к Асии, для Асии"),
        ("Азалия", "с {}", "с Азалией"),
        ("Раиля", "к {}", "к Раиле"),
        ("Хадича", "у {}, с {}", "у Хадичи, с Хадичей"),
        ("Фаиль", "к {}, о {}", "к Фаилю, о Фаиле"),
        ("Юлай", "от {}", "от Юлая"),
        ("Аделина", "у {}, с {}", "у Аделина, с Аделиной"),
        ("Анна", "мастер {}", "мастер Анна"),
        ("Фёдор", "у {}", "у Фёдора"),
    ],
)
def test_a_name_takes_its_case_where_that_is_sure(name: str, answer: str, shown: str) -> None:
    """«Записала к Алсу Гарипова» reads like a machine; a wrong case reads like a careless one: in doubt the nominative."""
    conversation = Conversation(f"{{{name}|PERSON}}")
    assert conversation.restore(answer.replace("{}", conversation.marker())) == shown


def test_a_name_that_may_be_two_stays_as_it_is(conversation: Conversation) -> None:
    """«Рената» was her nominative or his genitive: «к Ренате» and «к Ренату» are both a guess."""
    readings = (Reading("femn", ("рената",)), Reading("masc", ("ренат",)))
    entry = Entry(label="PERSON", number=1, value="Рената", forms=("Рената",), readings=readings)
    conversation.table = msgspec.structs.replace(conversation.table, entries=(entry,))
    assert conversation.restore(f"к {conversation.marker()}") == "к Рената"


def test_two_names_joined_by_and_take_one_case() -> None:
    """«С Тимуром и Анна» would be worse than either."""
    conversation = Conversation("{Тимур|PERSON}, {Анна|PERSON}")
    first, second = conversation.marker(), conversation.marker("PERSON", 2)
    assert conversation.restore(f"с {first} и {second}") == "с Тимуром и Анной"
    assert conversation.restore(f"с {first}, {second} придёт") == "с Тимуром, Анна придёт"
    assert conversation.restore(f"с {first}. И {second} придёт") == "с Тимуром. И Анна придёт"


def test_other_values_come_back_as_they_were_typed() -> None:
    """Only names have cases that we are sure of."""
    conversation = Conversation("живу {ул. Волкова, д. 21|ADDRESS}, у меня {аллергия на хну|HEALTH}")
    text = f"по {conversation.marker('ADDRESS')}, с {conversation.marker('HEALTH')}"
    assert conversation.restore(text) == "по ул. Волкова, д. 21, с аллергия на хну"
