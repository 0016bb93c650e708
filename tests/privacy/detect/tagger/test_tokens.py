from leadgate.privacy.detect.spans import Label, Span
from leadgate.privacy.detect.tagger.tokens import tokens_of


def test_words_numbers_and_signs_are_separate() -> None:
    """A flat is glued to its house as often as not."""
    assert [token.word for token in tokens_of("ул.Мира 31б,кв5")] == ["ул", ".", "мира", "31", "б", ",", "кв", "5"]


def test_places_lead_back_to_the_text() -> None:
    """Finds are made of places of tokens."""
    text = "Пр-т Победы — 5\nАнна-Мария!"
    assert [text[token.start : token.end].lower().replace("\n", "¶") for token in tokens_of(text)] == [
        token.word for token in tokens_of(text)
    ]


def test_what_was_taken_is_one_token() -> None:
    """A number that somebody recognised is no house number."""
    tokens = tokens_of("тел 8 900 000, Ева", [Span(4, 13, Label.PHONE, "phone")])
    assert [(token.word, token.kind) for token in tokens][1:3] == [("#PHONE", "t"), (",", "p")]


def test_case_says_nothing_in_a_text_of_capitals() -> None:
    """Otherwise every word of a shouting client would look like a name."""
    assert {token.case for token in tokens_of("ПОЗОВИТЕ АЛЬБИНУ")} == {"x"}


def test_small_letters_weigh_more_beside_capitals() -> None:
    """Who writes capitals writes names with them."""
    assert [token.case for token in tokens_of("позовите Альбину")] == ["m", "t"]
    assert [token.case for token in tokens_of("позовите альбину")] == ["l", "l"]
