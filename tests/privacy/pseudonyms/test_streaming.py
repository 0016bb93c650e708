import pytest

from leadgate.privacy.pseudonyms.restore import Restorer
from tests.privacy.pseudonyms.rig import Conversation


@pytest.fixture
def conversation() -> Conversation:
    """One person and one phone."""
    return Conversation("{Алсу Гарипова|PERSON}, {8 900 000-00-01|PHONE}")


def test_text_without_placeholders_goes_out_at_once(conversation: Conversation) -> None:
    """Holding back a whole answer turned 0.3 s to the first word into 2.6 s elsewhere."""
    chunks = ["Добрый ", "день", "! ", "Ждём ", "вас завтра.", " 10:00"]
    assert conversation.stream(*chunks) == [*chunks, ""]


def test_only_the_beginning_of_a_placeholder_is_held_back(conversation: Conversation) -> None:
    """The words around it do not wait, and it goes out with its last bracket."""
    marker = conversation.marker()
    out = conversation.stream("Ждём " + marker[:1], marker[1:9], marker[9:-1], marker[-1], " завтра")
    assert out == ["Ждём ", "", "", "Алсу Гарипову", " завтра", ""]


def test_a_beginning_within_a_damaged_placeholder_is_a_part_of_it(conversation: Conversation) -> None:
    """What the damaged one has swallowed cannot begin another."""
    damaged = conversation.marker()[1:-1] + "CARD"
    assert conversation.stream(damaged + " 1", " да") == ["клиент 1", " да", ""]


def test_what_turns_out_to_be_a_word_is_let_go(conversation: Conversation) -> None:
    """«[», «P», «PERSON-» may begin a damaged placeholder, until they do not."""
    out = conversation.stream("[", "x", "], PER", "FECT, PERSON", "AL")
    assert out == ["", "[x", "], ", "PERFECT, ", "PERSONAL", ""]


def test_a_missing_bracket_holds_back_one_piece_only(conversation: Conversation) -> None:
    """The next letter shows that no bracket comes."""
    opened = conversation.marker()[:-1]
    assert conversation.stream("Вот ", opened, ", да", " и") == ["Вот ", "", "Алсу Гарипова, да", " и", ""]


@pytest.mark.parametrize("size", range(1, 24))
def test_half_a_placeholder_at_the_end_is_dropped(conversation: Conversation, size: int) -> None:
    """The model ran out of tokens; the client sees no raw rest, and nobody's name by a guess."""
    marker = conversation.marker()
    out = "".join(conversation.stream("Ждём ", marker[:size]))
    assert out == ("Ждём Алсу Гарипову" if size >= len(marker) - 1 else "Ждём ")


@pytest.mark.parametrize("shape", ["person 1 {}", "РЕRSОN–1–{}", "[PERSON-1-{}", "PERSON_1_{}"])
@pytest.mark.parametrize("size", [3, 7, 11])
def test_half_a_damaged_placeholder_is_dropped_too(conversation: Conversation, shape: str, size: int) -> None:
    """Letters of the tag tell it from «card 1»."""
    assert "".join(conversation.stream("Ждём ", shape.format(conversation.table.tag[:size]))) == "Ждём "


@pytest.mark.parametrize("end", ["Оплата card 1", "раз [", "буква Р", "a<b", "слово PERSON", "INN", "[e", "⸤"])
def test_an_ordinary_end_is_not_dropped(conversation: Conversation, end: str) -> None:
    """What only begins like a placeholder is text when nothing follows."""
    assert "".join(conversation.stream(end)) == end


def test_a_stream_that_was_closed_takes_no_more(conversation: Conversation) -> None:
    """One restorer for each stream: a second answer would begin with the context of the first."""
    restorer = Restorer(conversation.table, conversation.table.recipient)
    assert restorer.feed("да") + restorer.close() == "да"
    assert restorer.close() == ""
    with pytest.raises(ValueError, match="closed"):
        restorer.feed("нет")
