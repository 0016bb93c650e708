from typing import Any

import pytest

from leadgate.privacy.detect.spans import Label, Span
from leadgate.privacy.detect.tagger.lexicon import Lexicon, bases
from leadgate.privacy.detect.tagger.tokens import tokens_of
from leadgate.privacy.detect.tagger.weights import LABELS, Tagger, features_of
from leadgate.privacy.detect.tagger.words import Words


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    """Loaded once: it takes a tenth of a second."""
    return Lexicon()


@pytest.mark.parametrize("form", ["альбины", "альбине", "альбину", "альбиной", "альбинаның", "альбинага"])
def test_cases_lead_to_the_name_of_the_list(lexicon: Lexicon, form: str) -> None:
    """Lists have one form; Russian has six and Tatar as many."""
    assert any(base in lexicon.names for base in bases(form))


@pytest.mark.parametrize(
    ("word", "main"),
    [
        ("ильдаровне", "PT"),
        ("роза", "FLOWER+N"),
        ("timur", "LATN"),
        ("fkbyf", "NM"),
        ("вера", "NMc:NOUN"),
        ("салон", "PLACEQ"),
        ("иванову", "SNc:ADJ"),
        ("эльвираа", "N2u"),
    ],
)
def test_a_word_gets_the_class_that_its_neighbours_see(lexicon: Lexicon, word: str, main: str) -> None:
    """Classes carry context to words that were never seen."""
    assert Words(lexicon).look_up(word, "w").main == main


def test_a_hidden_word_keeps_its_form_only(lexicon: Lexicon) -> None:
    """So learning meets names that no list has."""
    known = Words(lexicon, lambda _: True).look_up("гафиятуллина", "w")
    assert {"ukn", "z:surn"} <= set(known.flags)
    assert not {"s1", "s2", "n1", "n2"} & set(known.flags)


def test_what_is_kept_ready_is_what_a_search_would_say(lexicon: Lexicon) -> None:
    """Kept words are quicker and nothing else: after a change of lists they must be written anew."""
    ready = Tagger.load().words.ready
    fresh = Words(lexicon)
    assert len(ready) > 1_000
    assert [word for word in sorted(ready)[::25] if fresh.look_up(word, "w") != ready[word]] == []


def test_weights_are_summed_over_the_features_that_were_learned(lexicon: Lexicon) -> None:
    """What runs and what learns see the same: one feature more or less on either side spoils every weight unseen."""
    words = Words(lexicon)
    tokens = tokens_of("Здравствуйте, запишите Веру Павловну на ул. Мира 5-12.\nу неё астма")
    rows = features_of(words, tokens)
    weights = {feature: (float(len(feature)), 1.0, 0.5) for row in rows for feature in row[::3]}
    stay: list[list[Any]] = [[0.0] * len(LABELS)] * len(LABELS)
    expected = [
        tuple(sum(weights.get(feature, (0.0, 0.0, 0.0))[at] for feature in row) for at in range(3)) for row in rows
    ]
    assert Tagger(words, weights, stay).sums(tokens) == [pytest.approx(row) for row in expected]


def test_a_taken_token_gets_no_label_whatever_speaks_for_it(lexicon: Lexicon) -> None:
    """A number between two names is not swallowed by them."""
    stay: list[list[Any]] = [[0.0] * len(LABELS)] * len(LABELS)
    tagger = Tagger(Words(lexicon), {"0b": (50.0, 0.0, 0.0)}, stay)
    taken = [Span(0, 5, Label.PHONE, "phone"), Span(10, 15, Label.PHONE, "phone")]
    assert tagger.best_row(tokens_of("12345 Ева 12345", taken)) == [0, 1, 0]
